// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

/// Signals that come, and what is told of them.
final class SignalsTests: InterprocessTestCase {
    private func numbers(_ signals: [Signal]) -> String { signals.map { "\($0.rawValue)" }.joined(separator: ",") }

    /// By a process of another user, and by this one.
    func testEveryCatchableSignalNamesItsSender() throws {
        let watcher = try ChildProcess.helper("watch", numbers(Signal.catchable), "1000")
        watcher.expect("ready")
        for signal in Signal.catchable {
            try signal.send(to: watcher.pid)
            watcher.expect("\(signal.rawValue) from \(getpid()) of \(getuid())")
        }
        watcher.closeInput()
        watcher.expect("closed")
        XCTAssertEqual(watcher.wait(), 0)
    }

    func testTheSenderIsAnotherUser() throws {
        if getuid() != 0 { try skip("only root can become another user") }
        let watcher = try ChildProcess.helper("--uid", "1000", "watch", "\(Signal.user1.rawValue)", "10")
        watcher.expect("ready")
        let sender = try ChildProcess.helper(
            "--uid",
            "1000",
            "signal",
            "\(watcher.pid)",
            "\(Signal.user1.rawValue)",
            "1"
        )
        sender.expect("sent")
        watcher.expect("\(Signal.user1.rawValue) from \(sender.pid) of 1000")
    }

    func testWhatIsToldOfASignal() throws {
        let signals = try Signals([.user2, .child])
        let helper = try ChildProcess.helper("signal", "\(getpid())", "\(Signal.user2.rawValue)", "1")
        let info = try signals.next(timeout: .seconds(20))
        XCTAssertEqual(info.signal, .user2)
        XCTAssertEqual(info.cause, .kill)
        XCTAssertEqual(info.code, 0)
        XCTAssertEqual(info.processID, helper.pid)
        XCTAssertEqual(info.userID, getuid())
        XCTAssertNil(info.value)
        XCTAssertEqual(info.lostBefore, 0)
        let child = try signals.next(timeout: .seconds(20))
        XCTAssertEqual(child.signal, .child)
        XCTAssertEqual(child.cause, .child(.exited(status: 0)))
        XCTAssertEqual(child.processID, helper.pid)
        XCTAssertEqual(helper.wait(), 0)
    }

    func testWhatIsToldOfAChildThatIsKilled() throws {
        let signals = try Signals([.child])
        let helper = try ChildProcess.helper("watch", "\(Signal.user2.rawValue)", "1")
        helper.expect("ready")
        try Signal.stop.send(to: helper.pid)
        XCTAssertEqual(try signals.next(timeout: .seconds(20)).cause, .child(.stopped(by: .stop)))
        try Signal.continue.send(to: helper.pid)
        XCTAssertEqual(try signals.next(timeout: .seconds(20)).cause, .child(.continued))
        try Signal.kill.send(to: helper.pid)
        let info = try signals.next(timeout: .seconds(20))
        XCTAssertEqual(info.cause, .child(.killed(by: .kill)))
        XCTAssertEqual(info.processID, helper.pid)
        XCTAssertEqual(helper.wait(), -SIGKILL)
    }

    /// The kernel's own signals have no sender.
    func testATimerIsNoSender() throws {
        let signals = try Signals([.alarm])
        alarm(1)
        let info = try signals.next(timeout: .seconds(20))
        XCTAssertEqual(info.signal, .alarm)
        XCTAssertEqual(info.cause, .system)
        XCTAssertNil(info.processID)
        XCTAssertNil(info.userID)
    }

    func testTwoWatchersReceiveTheSameSignal() throws {
        let (one, other) = (try Signals([.user1, .user2, .user1]), try Signals([.user2]))
        try Signal.user2.send(to: getpid())
        for watcher in [one, other] { XCTAssertEqual(try watcher.next(timeout: .seconds(20)).signal, .user2) }
        try Signal.user1.send(to: getpid())
        XCTAssertEqual(try one.next(timeout: .seconds(20)).signal, .user1)
        assertThrows(.timedOut, .wait) { try other.next(timeout: .zero) }
        one.close()
        try Signal.user2.send(to: getpid())
        XCTAssertEqual(try other.next(timeout: .seconds(20)).signal, .user2)
        assertThrows(.closed, .wait) { try one.next(timeout: .zero) }
    }

    #if os(Linux)
    /// By a thread that is older than the watcher, and knows nothing of it: a call that it makes goes on.
    func testAThreadThatIsOlderTakesASignal() throws {
        let (numbers, number) = try UnnamedPipe.create()
        let (sender, receiver) = try UnnamedPipe.create()
        let thread = Running {
            let text = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/thread-self")
            try numbers.writeAll(text.split(separator: "/").last! + "\n")
            return try receiver.withUnsafeDescriptor { descriptor in
                var byte: UInt8 = 0
                return read(descriptor, &byte, 1)
            }
        }
        let identity = try XCTUnwrap(Int(try XCTUnwrap(number.readLine(timeout: .seconds(20)))))
        thread.waitUntilBlocked()
        let signals = try Signals([.user1])
        for _ in 0..<10 {
            try Signal.user1.send(toThread: identity, of: Int(getpid()))
            let info = try signals.next(timeout: .seconds(20))
            XCTAssertEqual(info.cause, .thread)
            XCTAssertEqual(info.processID, getpid())
        }
        XCTAssertFalse(thread.hasEnded)
        try sender.writeAll("x")
        XCTAssertEqual(try thread.value(), 1)
    }

    /// By the main thread: in the other process it is the only one, or all others leave signals to it.
    func testTenThousandValuesInOrder() throws {
        if Sanitizer.losesSignals { return }
        let signal = try Signal.realTime(3)
        for role in ["count-values", "count-values-awaited"] {
            let receiver = try ChildProcess.helper(role, "\(signal.rawValue)", "10000")
            receiver.expect("ready")
            let sender = try ChildProcess.helper("queue", "\(receiver.pid)", "\(signal.rawValue)", "10000")
            sender.expect("sent")
            receiver.expect("received 10000, lost 0")
            XCTAssertEqual(receiver.wait(), 0)
        }
    }

    /// A pipe of one page, the least that there is, has room for 170.
    func testOverflowIsTold() throws {
        if Sanitizer.losesSignals { return }
        let signal = try Signal.realTime(0)
        let receiver = try ChildProcess.helper("overflow", "\(signal.rawValue)")
        receiver.expect("ready")
        let sender = try ChildProcess.helper("queue", "\(receiver.pid)", "\(signal.rawValue)", "500")
        sender.expect("sent")
        receiver.write("go\n")
        receiver.expect("in order true")
        receiver.expect("received 170, lost 330")
        try signal.send(to: receiver.pid, value: 500)
        receiver.expect("then 500, before which 330 were lost")
        XCTAssertEqual(receiver.wait(), 0)
    }
    #endif

    func testLossIsCounted() throws {
        let signals = try Signals([.user1], capacity: 1)
        var sent = 0
        while signals.lostCount < 10 {
            // The handler's write fails in the end, and nobody notices.
            errno = E2BIG
            Signal.user1.raise()
            XCTAssertEqual(errno, E2BIG)
            sent += 1
        }
        var taken = 0
        while let info = try? signals.next(timeout: .zero) {
            XCTAssertEqual(info.lostBefore, 0)
            taken += 1
        }
        XCTAssertEqual(taken, sent - 10)
        for lost in [10, 0] {
            Signal.user1.raise()
            XCTAssertEqual(try signals.next(timeout: .zero).lostBefore, lost)
        }
        signals.close()
        XCTAssertEqual(signals.lostCount, 10)
    }

    func testABrokenPipeRaisesNothing() throws {
        let signals = try Signals([.pipe])
        let (sender, receiver) = try UnnamedPipe.create()
        let (one, other) = try LocalSocketStream.pair()
        receiver.close()
        other.close()
        assertThrows(.brokenPipe) { try sender.writeAll("x") }
        assertThrows(.brokenPipe) { try one.writeAll("x") }
        assertThrows(.timedOut) { try signals.next(timeout: .zero) }
    }

    func testAStormOfSignalsLosesNoByte() throws {
        for name in try bothNames() {
            let listener = try LocalSocketListener(name)
            let helper = try ChildProcess.helper("echo-in-storm", name.description)
            let stream = try listener.accept(timeout: .seconds(20))
            helper.expect("ready")
            let storm = Running { helper.expect("stormed") }
            let bytes = (0..<1_000_003).map { UInt8(truncatingIfNeeded: $0 ^ $0 >> 8) }
            let sending = Running {
                while !storm.hasEnded { try Signal.user1.send(to: helper.pid) }
            }
            var sent = 0
            while !storm.hasEnded {
                let echo = Running { try stream.readExactly(bytes.count, timeout: .seconds(50)) }
                try stream.writeAll(bytes, timeout: .seconds(50))
                XCTAssertEqual(try echo.value(), bytes)
                sent += bytes.count
            }
            try sending.value()
            try storm.value()
            stream.close()
            helper.expect("echoed \(sent)")
            XCTAssertEqual(helper.wait(), 0)
        }
    }
}
