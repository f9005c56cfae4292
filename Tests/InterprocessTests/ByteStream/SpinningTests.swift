// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

/// The option to try for a while before going to sleep.
final class SpinningTests: InterprocessTestCase {
    private let soon = Duration.microseconds(30)

    func testIsOffAtFirst() throws {
        let (one, _) = try LocalSocketStream.pair()
        XCTAssertEqual(one.spinTime, .zero)
        XCTAssertEqual(LocalSocketListener.Options().spinTime, .zero)
        XCTAssertEqual(LocalSocketStream.ConnectOptions().spinTime, .zero)
    }

    func testOptionsReachTheStreams() throws {
        var options = LocalSocketListener.Options()
        options.spinTime = .microseconds(20)
        var connectOptions = LocalSocketStream.ConnectOptions()
        connectOptions.spinTime = soon
        for name in try bothNames() {
            let listener = try LocalSocketListener(name, options: options)
            for wait: LocalSocketStream.ConnectWait in [.unbounded, .timeout(.seconds(20)), .deferred] {
                connectOptions.wait = wait
                let client = try LocalSocketStream.connect(to: name, options: connectOptions)
                let server = try listener.accept()
                XCTAssertEqual(server.spinTime, .microseconds(20))
                XCTAssertEqual(client.spinTime, soon)
            }
            listener.close()
        }
    }

    func testIsASettingOfTheStreamAndItsHalf() throws {
        let (one, _) = try LocalSocketStream.pair()
        let (receiver, _) = try one.split()
        one.spinTime = soon
        XCTAssertEqual(receiver.spinTime, soon)
        receiver.spinTime = .seconds(-1)
        XCTAssertEqual(one.spinTime, .zero)
    }

    /// Both sides of a conversation spin, whether that pays or not, and by all forms of reading.
    func testConversation() throws {
        let (one, other) = try LocalSocketStream.pair()
        one.spinTime = soon
        other.spinTime = soon
        let echo = Running {
            while let line = try other.readLine() { try other.writeAll(line + "\n") }
        }
        for round in 0..<1000 {
            let text = "\(round) " + String(repeating: "x", count: round % 300)
            try one.writeAll(text + "\n")
            switch round % 4 {
            case 0: XCTAssertEqual(try one.readLine(), text)
            case 1: XCTAssertEqual(try one.readLine(timeout: .seconds(20)), text)
            case 2: XCTAssertEqual(try one.readExactly(text.utf8.count + 1), Array((text + "\n").utf8))
            default:
                var got: [UInt8] = []
                while got.count <= text.utf8.count { got += try one.read(upTo: 7) }
                XCTAssertEqual(got, Array((text + "\n").utf8))
            }
        }
        one.close()
        try echo.value()
    }

    /// Several threads note how their spins went in the same place.
    func testManyReaders() throws {
        let (one, other) = try LocalSocketStream.pair()
        other.spinTime = soon
        let readers = (0..<4).map { thread in
            Running {
                var count = 0
                while true {
                    let part = try thread % 2 == 0 ? other.read(upTo: 3) : other.read(upTo: 3, timeout: .seconds(20))
                    if part.isEmpty { return count }
                    count += part.count
                }
            }
        }
        for _ in 0..<2000 { try one.writeAll("abcde") }
        one.close()
        XCTAssertEqual(try readers.reduce(0) { try $0 + $1.value() }, 10_000)
    }

    #if INTERPROCESS_FAULT_INJECTION
    /// Longer than any test takes: what ends it is what the test is about.
    private let forever = Duration.seconds(1000)

    override func setUpWithError() throws {
        try super.setUpWithError()
        if AdaptiveSpin.processors < 2 { try skip("there is only one processor") }
    }

    override func tearDownWithError() throws {
        FaultInjection.clear()
        try super.tearDownWithError()
    }

    /// Makes attempts find nothing, and lets no call wait by poll: that fails with `.system`.
    private func findNothing(_ call: System.Call, times: Int) {
        FaultInjection.inject(.result(-Int64(EAGAIN)), into: call, times: times)
        FaultInjection.inject(.result(-Int64(EIO)), into: .poll)
    }

    /// Checks that all of these attempts were made, and that nobody waited otherwise.
    private func assertSpun(_ what: String, line: UInt = #line) {
        XCTAssertEqual(FaultInjection.clear(), 1, what, line: line)
    }

    private typealias Form = @Sendable (any ByteReceiver) throws -> [UInt8]
    private let forms: [(String, Form)] = [
        ("read", { try $0.read(upTo: 5) }),
        ("read in time", { try $0.read(upTo: 5, timeout: .seconds(1000)) }),
        ("exactly", { try $0.readExactly(5) }),
        ("line", { Array((try $0.readLine() ?? "none").utf8) + [UInt8(ascii: "\n")] }),
        ("exactly, in time", { try $0.readExactly(5, timeout: .seconds(1000)) }),
    ]

    /// Every kind of receiver, with its sender, waiting in every way.
    private func subjects() throws -> [(kind: String, receiver: any ByteReceiver, sender: any ByteSender)] {
        let pair = try LocalSocketStream.pair()
        let split = try LocalSocketStream.pair()
        let pipe = try UnnamedPipe.create()
        let lent = try UnnamedPipe.create()
        try lent.receiver.withUnsafeDescriptor { _ in }
        try FIFOFile.create(at: path())
        let end = try FIFOFile.openReceiver(at: path(), waitsForSender: false)
        return [
            ("stream", pair.0, pair.1), ("half", try split.0.split().receiver, split.1),
            ("pipe", pipe.receiver, pipe.sender), ("lent pipe", lent.receiver, lent.sender),
            ("FIFO", end, try FIFOFile.openSender(at: path())),
        ]
    }

    func testBytesThatComeDuringASpin() throws {
        for (kind, receiver, sender) in try subjects() {
            for (form, read) in forms {
                try sender.writeAll("line\n")
                receiver.spinTime = .zero
                findNothing(.receive, times: 1)
                assertThrows(.system) { try read(receiver) }
                FaultInjection.clear()
                receiver.spinTime = forever
                findNothing(.receive, times: 500)
                XCTAssertEqual(try read(receiver), Array("line\n".utf8), "\(kind), \(form)")
                assertSpun("\(kind), \(form)")
            }
        }
    }

    func testTheEndThatComesDuringASpin() throws {
        for (read, isEnd): (Form, IPCError.Code?) in [
            ({ try $0.read(upTo: 5) }, nil), ({ try $0.readToEnd() }, nil), ({ try $0.readExactly(1) }, .endOfStream),
        ] {
            let (one, other) = try LocalSocketStream.pair()
            one.close()
            other.spinTime = forever
            findNothing(.receive, times: 100)
            if let isEnd { assertThrows(isEnd) { try read(other) } } else { XCTAssertEqual(try read(other), []) }
            assertSpun("the end")
        }
    }

    func testClosingEndsASpin() throws {
        for (kind, receiver, sender) in try subjects() {
            receiver.spinTime = forever
            let core = receiver.receivingSide.core
            findNothing(.receive, times: .max - 1)
            let reading = Running { try receiver.read(upTo: 1) }
            eventually("it spins") { core.callsUnderWay > 0 }
            core.close()
            assertThrows(.closed, .read) { try reading.value() }
            FaultInjection.clear()
            withExtendedLifetime((kind, sender)) {}
        }
    }

    func testTimeLimitsHoldDuringASpin() throws {
        for (kind, receiver, sender) in try subjects() {
            receiver.spinTime = forever
            for (form, read): (String, Form) in [
                ("read", { try $0.read(upTo: 5, timeout: .milliseconds(50)) }),
                ("exactly", { try $0.readExactly(5, timeout: .milliseconds(50)) }),
                ("line", { Array((try $0.readLine(timeout: .milliseconds(50)) ?? "none").utf8) }),
            ] {
                FaultInjection.inject(.result(-Int64(EAGAIN)), into: .receive, times: 3)
                // Whatever had failed before, this read is to spin.
                while !receiver.receivingSide.spin.shouldSpin(2) {}
                let elapsed = ContinuousClock().measure { assertThrows(.timedOut, .read) { try read(receiver) } }
                XCTAssertGreaterThanOrEqual(elapsed, .milliseconds(50), "\(kind), \(form)")
                XCTAssertLessThan(elapsed, .seconds(20), "\(kind), \(form)")
                XCTAssertEqual(FaultInjection.clear(), 0, "\(kind), \(form)")
            }
            withExtendedLifetime(sender) {}
        }
    }

    func testNonblockingReadsDoNotSpin() throws {
        let (one, other) = try LocalSocketStream.pair()
        other.spinTime = forever
        other.setNonblocking(true)
        try one.writeAll("x\n")
        for (_, read) in forms {
            findNothing(.receive, times: 2)
            assertThrows(.wouldBlock, .read) { try read(other) }
            XCTAssertEqual(FaultInjection.clear(), 2, "one attempt was to be made")
        }
    }

    func testSendingDoesNotSpin() throws {
        let (one, other) = try LocalSocketStream.pair()
        one.spinTime = forever
        other.spinTime = forever
        findNothing(.send, times: 2)
        assertThrows(.system, .write) { try one.writeAll("x", timeout: .seconds(20)) }
        XCTAssertEqual(FaultInjection.clear(), 1)
    }

    private func spinningListener() throws -> LocalSocketListener {
        var options = LocalSocketListener.Options()
        options.spinTime = forever
        return try LocalSocketListener(try namespacedName(), options: options)
    }

    func testAClientThatComesDuringASpin() throws {
        let listener = try spinningListener()
        let client = try LocalSocketStream.connect(to: try XCTUnwrap(listener.name))
        findNothing(.accept, times: 500)
        let server = try listener.accept()
        assertSpun("accepting")
        try client.writeAll("x")
        XCTAssertEqual(try server.read(upTo: 1), [UInt8(ascii: "x")])
    }

    func testAcceptingHoldsTimeLimitsDuringASpin() throws {
        let listener = try spinningListener()
        FaultInjection.inject(.result(-Int64(EAGAIN)), into: .accept, times: 3)
        let elapsed = ContinuousClock().measure {
            assertThrows(.timedOut, .accept) { try listener.accept(timeout: .milliseconds(50)) }
        }
        XCTAssertGreaterThanOrEqual(elapsed, .milliseconds(50))
        XCTAssertLessThan(elapsed, .seconds(20))
        XCTAssertEqual(FaultInjection.clear(), 0)
    }

    func testNonblockingAcceptingDoesNotSpin() throws {
        let listener = try spinningListener()
        listener.setNonblocking(.accept)
        findNothing(.accept, times: 2)
        assertThrows(.wouldBlock, .accept) { try listener.accept() }
        XCTAssertEqual(FaultInjection.clear(), 2, "one attempt was to be made")
    }

    func testClosingEndsASpinInAccept() throws {
        let listener = try spinningListener()
        findNothing(.accept, times: .max - 1)
        let accepting = Running { try listener.accept().close() }
        eventually("it spins") { listener.descriptorCore.callsUnderWay > 0 }
        listener.close()
        assertThrows(.closed, .accept) { try accepting.value() }
    }
    #endif
}
