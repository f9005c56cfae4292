// SPDX-License-Identifier: MIT OR Apache-2.0

import XCTest

@testable import Interprocess

/// The line in which those stand who send messages of several frames.
final class TurnLineTests: InterprocessTestCase {
    /// A line, and the descriptor that its calls are about.
    private final class Line: Sendable {
        private let line = TurnLine()
        private let stream: LocalSocketStream

        init() throws { stream = try .pair().0 }

        func take() throws { try line.take(stream.descriptorCore, Patience(isNonblocking: false, deadline: .never)) }

        func takeAwaited() async throws { try await line.take(stream.descriptorCore, until: .never) }

        func give() { line.give() }

        func close() { line.close() }

        /// Whether nobody has the turn; takes it.
        func tryTake() throws -> Bool {
            do throws(IPCError) {
                try line.take(stream.descriptorCore, Patience(isNonblocking: true, deadline: .never))
                return true
            } catch {
                if error.code != .wouldBlock { throw error }
                return false
            }
        }
    }

    /// Threads and tasks get it in the order in which they came.
    func testTheirOrder() async throws {
        let line = try Line()
        let order = Seen<Int>()
        XCTAssertTrue(try line.tryTake())
        var threads: [Running<Void>] = []
        var tasks: [RunningTask<Void>] = []
        for number in 0..<6 {
            if number % 2 == 0 {
                let thread = Running {
                    try line.take()
                    order.append(number)
                    line.give()
                }
                thread.waitUntilBlocked()
                threads.append(thread)
            } else {
                tasks.append(
                    RunningTask(on: EventLoop.shared) {
                        try await line.takeAwaited()
                        order.append(number)
                        line.give()
                    }
                )
                await waitUntilAwaited(by: tasks.count)
            }
        }
        XCTAssertFalse(try line.tryTake())
        line.give()
        for thread in threads { try await onThread { try thread.value() } }
        for task in tasks { try await task.value() }
        XCTAssertEqual(order.values, Array(0..<6))
        XCTAssertTrue(try line.tryTake())
    }

    /// A turn that comes to one who gives up at that moment is its own all the same, or nobody would ever have it again.
    func testATurnThatComesToOneWhoGivesUp() async throws {
        let line = try Line()
        XCTAssertTrue(try line.tryTake())
        let late = RunningTask(on: EventLoop.shared) { try await line.takeAwaited() }
        await waitUntilAwaited()
        try await EventLoop.shared.block {
            late.cancel()
            line.give()
        }
        try await late.value()
        XCTAssertFalse(try line.tryTake())
        line.give()
        XCTAssertTrue(try line.tryTake())
    }

    /// One who gives up before leaves the line.
    func testGivingUp() async throws {
        let line = try Line()
        XCTAssertTrue(try line.tryTake())
        let task = RunningTask(on: EventLoop.shared) { try await line.takeAwaited() }
        await waitUntilAwaited()
        task.cancel()
        await assertThrows(.cancelled, .write) { try await task.value() }
        line.give()
        XCTAssertTrue(try line.tryTake())
    }

    func testClosing() async throws {
        let line = try Line()
        XCTAssertTrue(try line.tryTake())
        let thread = Running { try line.take() }
        thread.waitUntilBlocked()
        let task = RunningTask(on: EventLoop.shared) { try await line.takeAwaited() }
        await waitUntilAwaited()
        line.close()
        await assertThrows(.closed, .write) { try await onThread { try thread.value() } }
        await assertThrows(.closed, .write) { try await task.value() }
        // Who comes later is told by what it does next, and waits for nobody.
        XCTAssertTrue(try line.tryTake())
    }
}
