// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

/// The clients of a listener as a sequence.
final class ConnectionsTests: InterprocessTestCase {
    /// Tells each client which number it has, until the listener is closed.
    private func greet(
        _ listener: LocalSocketListener,
        on executor: (any TaskExecutor)? = nil
    ) -> RunningTask<Int> {
        RunningTask(on: executor) {
            var count = 0
            for try await client in listener.connections {
                try await client.writeAll("\(count)\n")
                count += 1
            }
            return count
        }
    }

    private func assertGreeted(_ client: LocalSocketStream, _ text: String, line: UInt = #line) async throws {
        let answer = try await client.readLine(timeout: .seconds(10))
        XCTAssertEqual(answer, text, line: line)
    }

    func testEachClientInOrder() async throws {
        for (name, executor) in try eachNameAndExecutor() {
            let listener = try LocalSocketListener(name)
            // Some are there before, the others come when they are waited for.
            var clients: [LocalSocketStream] = []
            for _ in 0..<5 { clients.append(try await listener.newClient()) }
            let greeting = greet(listener, on: executor)
            for _ in 0..<5 { clients.append(try await listener.newClient()) }
            for (number, client) in clients.enumerated() { try await assertGreeted(client, "\(number)") }
            await waitUntilAwaited(listener)
            try await assertGreeted(listener.newClient(), "10")
            listener.close()
            try await assertEqual(11) { try await greeting.value() }
        }
    }

    func testProcesses() async throws {
        for (name, executor) in try eachNameAndExecutor() {
            let listener = try LocalSocketListener(name)
            let serving = RunningTask(on: executor) {
                for try await client in listener.connections { try await client.sendBack() }
            }
            let clients = try (0..<5).map { _ in try ChildProcess.helper("echo", name.description, "20") }
            try await onThread {
                for client in clients {
                    client.expect("echoed 20")
                    XCTAssertEqual(client.wait(), 0)
                }
            }
            listener.close()
            try await serving.value()
        }
    }

    func testEndsWhenTheListenerCloses() async throws {
        for (name, executor) in try eachNameAndExecutor() {
            let listener = try LocalSocketListener(name)
            let greetings = (0..<3).map { _ in greet(listener, on: executor) }
            await waitUntilAwaited(listener, by: 3)
            listener.close()
            for greeting in greetings { try await assertEqual(0) { try await greeting.value() } }
            // And it stays so.
            let later = greet(listener, on: executor)
            try await assertEqual(0) { try await later.value() }
            var iterator = listener.connections.makeAsyncIterator()
            for _ in 0..<3 {
                let client = try await iterator.next()
                XCTAssertNil(client)
            }
        }
    }

    /// A listener that is closed holds no descriptor any more, not even the one in reserve.
    func testClosedListenerHoldsNothing() async throws {
        for executor in Self.executors {
            let before = OpenDescriptors.all()
            let listener = try LocalSocketListener(try namespacedName())
            let greeting = greet(listener, on: executor)
            try await assertGreeted(listener.newClient(), "0")
            await waitUntilAwaited(listener)
            listener.close()
            try await greeting.value()
            await eventually("all are closed") { OpenDescriptors.all().subtracting(before).isEmpty }
            XCTAssertTrue(listener.isClosed)
        }
    }

    /// The body may close the listener, and use the client all the same.
    func testTheBodyCloses() async throws {
        for name in try bothNames() {
            let listener = try LocalSocketListener(name)
            let client = try await listener.newClient()
            var count = 0
            for try await stream in listener.connections {
                listener.close()
                try await stream.writeAll("the last one\n")
                count += 1
            }
            XCTAssertEqual(count, 1)
            try await assertGreeted(client, "the last one")
        }
    }

    /// Those who wait when the loop is left are the next one's.
    func testLeavingTheLoop() async throws {
        for (name, executor) in try eachNameAndExecutor() {
            let listener = try LocalSocketListener(name)
            var clients: [LocalSocketStream] = []
            for _ in 0..<6 { clients.append(try await listener.newClient()) }
            try await on(executor) {
                var number = 0
                while number < 4 {
                    for try await stream in listener.connections {
                        try await stream.writeAll("loop \(number)\n")
                        number += 1
                        if number % 2 == 0 { break }
                    }
                }
                try await listener.accept().writeAll("accepted\n")
            }
            for number in 0..<4 { try await assertGreeted(clients[number], "loop \(number)") }
            try await assertGreeted(clients[4], "accepted")
            let blocking = try await onThread { try listener.accept() }
            try await blocking.writeAll("blocking\n")
            try await assertGreeted(clients[5], "blocking")
        }
    }

    func testCancelling() async throws {
        for (name, executor) in try eachNameAndExecutor() {
            let listener = try LocalSocketListener(name)
            let (one, other) = (greet(listener, on: executor), greet(listener, on: executor))
            await waitUntilAwaited(listener, by: 2)
            one.cancel()
            await assertThrows(.cancelled, .accept) { try await one.value() }
            try await assertGreeted(listener.newClient(), "0")
            try await assertGreeted(listener.newClient(), "1")
            // In a task that is cancelled already, no client is taken.
            other.cancel()
            await assertThrows(.cancelled, .accept) { try await other.value() }
            let client = try await listener.newClient()
            let late = RunningTask(on: executor) {
                withUnsafeCurrentTask { $0?.cancel() }
                for try await _ in listener.connections { XCTFail("a client") }
            }
            await assertThrows(.cancelled, .accept) { try await late.value() }
            let third = greet(listener, on: executor)
            try await assertGreeted(client, "0")
            listener.close()
            try await third.value()
        }
    }

    /// Each client is one loop's, however many there are.
    func testSeveralLoops() async throws {
        for (name, executor) in try eachNameAndExecutor() {
            let listener = try LocalSocketListener(name)
            let greetings = (0..<4).map { _ in greet(listener, on: executor) }
            for _ in 0..<200 {
                let line = try await listener.newClient().readLine(timeout: .seconds(10))
                XCTAssertNotNil(line)
            }
            listener.close()
            var count = 0
            for greeting in greetings { count += try await greeting.value() }
            XCTAssertEqual(count, 200)
        }
    }

    /// It waits, also where accepting does not otherwise.
    func testNonblockingListener() async throws {
        for name in try bothNames() {
            var options = LocalSocketListener.Options()
            options.nonblocking = .both
            let listener = try LocalSocketListener(name, options: options)
            let greeting = greet(listener)
            await waitUntilAwaited(listener)
            try await assertGreeted(listener.newClient(), "0")
            listener.close()
            try await greeting.value()
        }
    }

    @MainActor
    func testOnAnActor() async throws {
        let listener = try LocalSocketListener(try namespacedName())
        let client = try await listener.newClient()
        for try await stream in listener.connections {
            MainActor.assertIsolated()
            try await stream.writeAll("on the main actor\n")
            break
        }
        try await assertGreeted(client, "on the main actor")
    }
}
