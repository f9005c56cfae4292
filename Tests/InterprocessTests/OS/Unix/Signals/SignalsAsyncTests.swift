// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

/// Signals that tasks await.
final class SignalsAsyncTests: InterprocessTestCase {
    func testAwaitedSignals() async throws {
        try await onEachExecutor {
            let signals = try Signals([.user1, .user2])
            let waiting = start { try await signals.next() }
            await waitUntilAwaited(signals)
            try Signal.user1.send(to: getpid())
            try await assertEqual(.user1) { try await waiting.value.signal }
            try Signal.user2.send(to: getpid())
            let info = try await signals.next(timeout: .seconds(20))
            XCTAssertEqual(info.signal, .user2)
            XCTAssertEqual(info.processID, getpid())
        }
    }

    func testTimeLimit() async throws {
        try await onEachExecutor {
            let signals = try Signals([.user1])
            let start = ContinuousClock.now
            await assertThrows(.timedOut, .wait) { try await signals.next(timeout: .milliseconds(30)) }
            XCTAssertGreaterThanOrEqual(ContinuousClock.now - start, .milliseconds(30))
            await assertThrows(.timedOut, .wait) { try await signals.next(timeout: .zero) }
        }
    }

    func testCancellationLosesNothing() async throws {
        try await onEachExecutor {
            let signals = try Signals([.user1])
            let waiting = start { try await signals.next() }
            await waitUntilAwaited(signals)
            waiting.cancel()
            await assertThrows(.cancelled, .wait) { try await waiting.value }
            try Signal.user1.send(to: getpid())
            try await assertEqual(.user1) { try await signals.next(timeout: .seconds(20)).signal }
        }
    }

    func testCloseEndsWaits() async throws {
        try await onEachExecutor {
            let signals = try Signals([.user1])
            let waiting = (0..<3).map { _ in start { try await signals.next(timeout: .seconds(60)) } }
            await waitUntilAwaited(signals, by: 3)
            signals.close()
            for task in waiting { await assertThrows(.closed, .wait) { try await task.value } }
            await assertThrows(.closed, .wait) { try await signals.next() }
        }
    }

    func testALoopEndsWhenTheWatcherIsClosed() async throws {
        try await onEachExecutor {
            let signals = try Signals([.user1])
            let count = Counter()
            let looping = start {
                for try await info in signals where info.signal == .user1 { count.increment() }
            }
            for expected in 0..<3 {
                while count.value < expected { await Task.yield() }
                await waitUntilAwaited(signals)
                try Signal.user1.send(to: getpid())
            }
            while count.value < 3 { await Task.yield() }
            signals.close()
            try await looping.value
        }
    }

    func testLeavingALoopLosesNothing() async throws {
        try await onEachExecutor {
            let signals = try Signals([.user1, .user2, .urgent])
            for signal in signals.signals { try signal.send(to: getpid()) }
            var found: Set<Signal> = []
            for _ in 0..<2 {
                for try await info in signals {
                    found.insert(info.signal)
                    break
                }
            }
            try await found.insert(signals.next(timeout: .seconds(20)).signal)
            XCTAssertEqual(found, Set(signals.signals))
            await assertThrows(.timedOut) { try await signals.next(timeout: .zero) }
        }
    }

    /// A sequence of this library throws its error, and no other.
    func testTheSequenceIsTyped() async throws {
        let signals = try Signals([.user1])
        try Signal.user1.send(to: getpid())
        func first(of sequence: some AsyncSequence<SignalInfo, IPCError>) async throws(IPCError) -> Signal? {
            for try await info in sequence { return info.signal }
            return nil
        }
        try await assertEqual(.user1) { try await first(of: signals) }
    }

    /// While others block on the same watcher: each signal goes to one.
    func testThreadsAndTasksShareAWatcher() async throws {
        let signals = try Signals([.user1])
        let thread = Running { try signals.next(timeout: .seconds(20)) }
        thread.waitUntilBlocked()
        let task = start { try await signals.next(timeout: .seconds(20)) }
        await waitUntilAwaited(signals)
        try Signal.user1.send(to: getpid())
        while !thread.hasEnded {
            if (signals.descriptorCore.attached as? Registration)?.waiterCount == 0 { break }
            await Task.yield()
        }
        try Signal.user1.send(to: getpid())
        try await assertEqual(.user1) { try await task.value.signal }
        XCTAssertEqual(try thread.value().signal, .user1)
    }
}
