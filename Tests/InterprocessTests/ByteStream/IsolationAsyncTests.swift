// SPDX-License-Identifier: MIT OR Apache-2.0

import XCTest

@testable import Interprocess

/// Awaiting inside an actor: what follows runs there again, and meanwhile the actor does other things.
final class IsolationAsyncTests: InterprocessTestCase {
    private actor Reader {
        private(set) var lines: [String] = []
        private let stream: LocalSocketStream

        init(_ stream: LocalSocketStream) { self.stream = stream }

        func echoAll() async throws {
            for try await line in stream.lines {
                assertIsolated()
                lines.append(line)
                try await stream.writeAll(line + "\n")
                assertIsolated()
            }
        }
    }

    func testActor() async throws {
        try await onEachExecutor {
            let (one, other) = try LocalSocketStream.pair()
            let reader = Reader(other)
            let echoing = start { try await reader.echoAll() }
            for number in 1...20 {
                try await one.writeAll("line \(number)\n")
                try await assertEqual("line \(number)") { try await one.readLine() }
                await waitUntilAwaited(other)
                // Though it waits for a line, it can be asked, and answers.
                await assertEqual(number) { await reader.lines.count }
            }
            try await one.shutdown(.send)
            try await echoing.value
            await assertEqual((1...20).map { "line \($0)" }) { await reader.lines }
        }
    }

    func testMainActor() async throws {
        let (one, other) = try LocalSocketStream.pair()
        let reading = Task { @MainActor in
            var found: [String] = []
            for try await line in other.lines {
                MainActor.assertIsolated()
                found.append(line)
            }
            for form in AwaitedRead.all where !form.name.hasPrefix("readExactly") {
                let end = try await form.call(other, nil)
                MainActor.assertIsolated()
                XCTAssertEqual(end, "", form.name)
            }
            return found
        }
        let writing = Task { @MainActor in
            for number in 1...100 {
                try await one.writeAll("line \(number)\n")
                MainActor.assertIsolated()
            }
            one.close()
        }
        try await assertEqual((1...100).map { "line \($0)" }) { try await reading.value }
        try await writing.value
    }

    /// Waiting on the main actor, a task is ended as anywhere else.
    func testEndingOnTheMainActor() async throws {
        for form in AwaitedRead.all {
            let (one, other) = try LocalSocketStream.pair()
            let cancelled = Task { @MainActor in try await form.call(other, nil) }
            await waitUntilAwaited(other)
            cancelled.cancel()
            await assertThrows(.cancelled, .read) { try await cancelled.value }
            let limited = Task { @MainActor in try await form.call(other, .milliseconds(2)) }
            await assertThrows(.timedOut, .read) { try await limited.value }
            let closed = Task { @MainActor in try await form.call(other, nil) }
            await waitUntilAwaited(other)
            other.close()
            await assertThrows(.closed, .read) { try await closed.value }
            one.close()
        }
    }
}
