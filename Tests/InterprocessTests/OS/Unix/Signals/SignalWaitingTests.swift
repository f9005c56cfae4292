// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Synchronization
import XCTest

@testable import Interprocess

/// What ends waiting for signals.
final class SignalWaitingTests: InterprocessTestCase {
    func testTimeout() throws {
        let signals = try Signals([.user1])
        let start = ContinuousClock.now
        assertThrows(.timedOut, .wait) { try signals.next(timeout: .milliseconds(30)) }
        XCTAssertGreaterThanOrEqual(ContinuousClock.now - start, .milliseconds(30))
        assertThrows(.timedOut, .wait) { try signals.next(timeout: .zero) }
        try Signal.user1.send(to: getpid())
        XCTAssertEqual(try signals.next(timeout: .seconds(20)).signal, .user1)
    }

    func testASignalEndsTheWait() throws {
        let signals = try Signals([.user1])
        for timeout in [nil, Duration.seconds(30)] {
            let waiting = Running { try signals.next(timeout: timeout) }
            waiting.waitUntilBlocked()
            try Signal.user1.send(to: getpid())
            XCTAssertEqual(try waiting.value().signal, .user1)
        }
    }

    func testCloseEndsWaits() throws {
        let signals = try Signals([.user1])
        let waiting = [nil, Duration.seconds(30), nil].map { timeout in Running { try signals.next(timeout: timeout) } }
        for thread in waiting { thread.waitUntilBlocked() }
        signals.close()
        for thread in waiting { assertThrows(.closed, .wait) { try thread.value() } }
        signals.close()
        XCTAssertTrue(signals.isClosed)
        assertThrows(.closed, .wait) { try signals.next() }
    }

    /// Each signal goes to one of those that wait.
    func testSeveralThreadsShareAWatcher() throws {
        let signals = try Signals([.user1])
        let threads = (0..<4).map { _ in Running { try signals.next(timeout: .seconds(20)) } }
        for thread in threads { thread.waitUntilBlocked() }
        for ended in 1...threads.count {
            try Signal.user1.send(to: getpid())
            eventually("one more gets it") { threads.count(where: { $0.hasEnded }) == ended }
        }
        for thread in threads { XCTAssertEqual(try thread.value().signal, .user1) }
        assertThrows(.timedOut) { try signals.next(timeout: .zero) }
    }

    /// Watchers come and go while signals come.
    ///
    /// Other descriptors get the numbers that they leave: nothing but what was written to those may be in them. And no
    /// handler's write finds that nobody can receive it any more.
    func testClosingWhileSignalsCome() throws {
        let keeping = try Signals([.user1])
        let broken = try Signals([.pipe])
        let isOver = Atomic(false)
        let sending = (0..<2).map { _ in
            Running { while !isOver.load(ordering: .relaxed) { Signal.user1.raise() } }
        }
        let opening = Running {
            while !isOver.load(ordering: .relaxed) {
                let (sender, receiver) = try UnnamedPipe.create()
                sender.close()
                let found = try receiver.readToEnd()
                if !found.isEmpty { return found.count }
                receiver.close()
            }
            return 0
        }
        for round in 0..<2000 {
            let signals = try Signals(round % 2 == 0 ? [.user1] : [.user1, .user2])
            if round % 3 == 0 { XCTAssertEqual(try signals.next(timeout: .seconds(20)).signal, .user1) }
            signals.close()
        }
        isOver.store(true, ordering: .relaxed)
        for thread in sending { try thread.value() }
        XCTAssertEqual(try opening.value(), 0)
        assertThrows(.timedOut) { try broken.next(timeout: .zero) }
        keeping.close()
    }
}
