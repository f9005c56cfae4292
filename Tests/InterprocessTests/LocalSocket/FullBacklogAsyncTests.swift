// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// Awaiting room in a server's backlog of unaccepted clients.
final class FullBacklogAsyncTests: InterprocessTestCase {
    func testTimesOutAtTheDeadlineAndNotBefore() async throws {
        for (name, executor) in try eachNameAndExecutor() {
            let (listener, waiting) = try fullListener(name)
            let options = self.waiting(.timeout(.milliseconds(150)))
            let start = ContinuousClock.now
            let error = await assertThrows(.timedOut, .connect) {
                try await on(executor) { try await LocalSocketStream.connect(to: name, options: options) }
            }
            XCTAssertGreaterThanOrEqual(ContinuousClock.now - start, .milliseconds(150))
            XCTAssertLessThan(ContinuousClock.now - start, .seconds(5))
            XCTAssertTrue("\(error!)".contains("backlog"), "\(error!)")
            // Those who waited in vain have left nothing behind: the one client that was there is the one that is
            // found.
            try await waiting.writeAll("x")
            try await assertEqual([UInt8(ascii: "x")]) { try await listener.accept().readExactly(1) }
            await assertThrows(.timedOut) { try await listener.accept(timeout: .zero) }
        }
    }

    func testZeroTimeout() async throws {
        for (name, executor) in try eachNameAndExecutor() {
            let (listener, waiting) = try fullListener(name)
            for limit in [Duration.zero, .seconds(-1)] {
                let options = self.waiting(.timeout(limit))
                await assertThrows(.timedOut, .connect) {
                    try await on(executor) { try await LocalSocketStream.connect(to: name, options: options) }
                }
            }
            _ = try await listener.accept()
            // With room, no time is needed.
            let options = self.waiting(.timeout(.zero))
            let stream = try await on(executor) { try await LocalSocketStream.connect(to: name, options: options) }
            try await stream.writeAll("x")
            try await assertEqual([UInt8(ascii: "x")]) { try await listener.accept().readExactly(1) }
            waiting.close()
        }
    }

    func testSucceedsWhenRoomAppears() async throws {
        for (name, executor) in try eachNameAndExecutor() {
            for wait in [LocalSocketStream.ConnectWait.timeout(.seconds(20)), .unbounded] {
                let (listener, waiting) = try fullListener(name)
                let options = self.waiting(wait)
                let client = RunningTask(on: executor) {
                    try await LocalSocketStream.connect(to: name, options: options)
                }
                await waitUntilAwaited()
                _ = try await listener.accept()
                let stream = try await client.value()
                // It is really connected, waits in blocking calls, and the limit of connecting is none of writing.
                XCTAssertEqual(try stream.withUnsafeDescriptor { fcntl($0, F_GETFL) } & O_NONBLOCK, 0)
                try await stream.writeAll("late\n")
                let accepted = try await listener.accept()
                try await assertEqual("late") { try await accepted.readLine() }
                let filler = RunningTask(on: executor) {
                    try await stream.writeAll([UInt8](repeating: 1, count: 4 << 20))
                }
                await waitUntilAwaited(stream)
                try await assertEqual(4 << 20) { try await accepted.readExactly(4 << 20).count }
                try await filler.value()
                waiting.close()
            }
        }
    }

    func testWaitingEndsWhenTheServerEnds() async throws {
        for (name, executor) in try eachNameAndExecutor() {
            let (listener, waiting) = try fullListener(name)
            let client = RunningTask(on: executor) { try await LocalSocketStream.connect(to: name) }
            await waitUntilAwaited()
            listener.close()
            await assertThrows(name.isPath ? .notFound : .connectionRefused, .connect) { try await client.value() }
            waiting.close()
        }
    }

    func testManyWaitForRoom() async throws {
        for executor in Self.executors {
            let name = try namespacedName()
            let (listener, waiting) = try fullListener(name)
            let clients = (0..<12).map { number in
                let options = number % 2 == 0 ? self.waiting(.unbounded) : self.waiting(.timeout(.seconds(20)))
                return RunningTask(on: executor) {
                    let stream = try await LocalSocketStream.connect(to: name, options: options)
                    try await stream.writeAll("\(number)\n")
                    return try await stream.readLine()
                }
            }
            await waitUntilAwaited(by: 12)
            _ = try await listener.accept()
            var seen: Set<String> = []
            for _ in clients {
                let line = try await listener.accept(timeout: .seconds(10)).readLine()
                seen.insert(try XCTUnwrap(line))
            }
            XCTAssertEqual(seen.count, 12)
            for client in clients { try await assertEqual(nil) { try await client.value() } }
            waiting.close()
        }
    }

    /// It ends at once, not when the next attempt is due, and leaves nothing behind.
    func testCancelling() async throws {
        for (name, executor) in try eachNameAndExecutor() {
            let (listener, waiting) = try fullListener(name)
            for wait in [LocalSocketStream.ConnectWait.timeout(.seconds(20)), .unbounded] {
                let options = self.waiting(wait)
                let clients = (0..<4).map { _ in
                    RunningTask(on: executor) { try await LocalSocketStream.connect(to: name, options: options) }
                }
                await waitUntilAwaited(by: 4)
                for client in clients { client.cancel() }
                for client in clients {
                    let error = await assertThrows(.cancelled, .connect) { try await client.value() }
                    XCTAssertEqual(error?.name, name.description)
                }
            }
            _ = try await listener.accept()
            await assertThrows(.timedOut) { try await listener.accept(timeout: .zero) }
            // With room, too, one that is cancelled already does not connect.
            let cancelled = RunningTask(on: executor) {
                while !Task.isCancelled { await Task.yield() }
                return try await LocalSocketStream.connect(to: name)
            }
            cancelled.cancel()
            await assertThrows(.cancelled, .connect) { try await cancelled.value() }
            await assertThrows(.timedOut) { try await listener.accept(timeout: .zero) }
            waiting.close()
        }
    }
}
