// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

/// What signals do before, during and after they are watched.
final class SignalDispositionTests: InterprocessTestCase {
    /// For the sake of what they do by default: end the process, stop it, or nothing.
    private static let defaults: [Signal] = [.terminate, .user1, .hangup, .child, .windowChange, .urgent]

    func testTheDefaultIsBackAfterTheLastWatcher() throws {
        for signal in Self.defaults {
            let helper = try ChildProcess.helper("end-watchers", "\(signal.rawValue)")
            for round in 1...2 {
                for _ in round...2 { helper.expect("received \(signal)") }
                helper.expect("same \(round == 2)")
            }
            let endsProcess = ![Signal.child, .windowChange, .urgent].contains(signal)
            if !endsProcess { helper.expect("survived") }
            XCTAssertNil(helper.readLine())
            XCTAssertEqual(helper.wait(), endsProcess ? -signal.rawValue : 0, "\(signal)")
        }
    }

    func testAHandlerIsBackWithItsMaskAndFlags() throws {
        let before = Disposition(
            replacing: .user2,
            by: { _ in },
            mask: [.hangup, .alarm],
            flags: Int32(bitPattern: UInt32(SA_RESETHAND)) | Int32(SA_NODEFER)
        )
        defer { before.restore(.user2) }
        let theirs = Disposition(of: .user2)
        XCTAssertNotEqual(before, theirs)
        for _ in 0..<2 {
            let signals = try Signals([.user2])
            XCTAssertNotEqual(Disposition(of: .user2), theirs)
            try Signal.user2.send(to: getpid())
            XCTAssertEqual(try signals.next(timeout: .seconds(20)).signal, .user2)
            signals.close()
            XCTAssertEqual(Disposition(of: .user2), theirs)
        }
    }

    func testIgnoredIsIgnoredAgain() throws {
        let before = Disposition(replacing: .user1, by: SIG_IGN)
        defer { before.restore(.user1) }
        let ignored = Disposition(of: .user1)
        var signals: Signals? = try Signals([.user1])
        try Signal.user1.send(to: getpid())
        XCTAssertEqual(try signals?.next(timeout: .seconds(20)).signal, .user1)
        signals = nil
        XCTAssertEqual(Disposition(of: .user1), ignored)
        try Signal.user1.send(to: getpid())
    }

    func testAHandlerThatCameMeanwhileStays() throws {
        let before = Disposition(of: .user2)
        defer { before.restore(.user2) }
        let one = try Signals([.user2])
        _ = Disposition(replacing: .user2, by: { _ in }, mask: [.alarm])
        let theirs = Disposition(of: .user2)
        Signal.user2.raise()
        assertThrows(.timedOut) { try one.next(timeout: .zero) }
        // A new watcher takes the signal again, for both.
        let other = try Signals([.user2])
        Signal.user2.raise()
        for signals in [one, other] { XCTAssertEqual(try signals.next(timeout: .zero).signal, .user2) }
        one.close()
        XCTAssertNotEqual(Disposition(of: .user2), theirs)
        other.close()
        XCTAssertEqual(Disposition(of: .user2), theirs)

        let signals = try Signals([.user2])
        let last = Disposition(replacing: .user2, by: SIG_IGN)
        let ignored = Disposition(of: .user2)
        signals.close()
        XCTAssertEqual(Disposition(of: .user2), ignored)
        XCTAssertNotEqual(last, ignored)
    }

    func testAForkedChildHasTheDefaultBack() throws {
        let helper = try ChildProcess.helper("fork-watching", "\(Signal.user1.rawValue)")
        helper.expect("ended by \(SIGUSR1)")
        helper.expect("timedOut")
        helper.expect("received SIGUSR1")
        XCTAssertEqual(helper.wait(), 0)
    }

    func testRefusals() throws {
        let reasons: [(Signal, IPCError.Code, String)] =
            [.kill, .stop].map { ($0, .unsupported, "no process catch it") }
            + [.segmentationFault, .busError, .illegalInstruction, .floatingPointException, .trap].map {
                ($0, .unsupported, "instruction")
            }
            + [0, -1, 65, 128, 1 << 20, .max, .min].map {
                (Signal(rawValue: $0), .invalidArgument, "no signal of that number")
            }
        for (signal, code, reason) in reasons {
            let before = Disposition(of: .user1)
            let error = assertThrows(code, .watch) { try Signals([.user1, signal]) }
            XCTAssertEqual(error?.name, signal.description)
            XCTAssertTrue(error?.description.contains(reason) ?? false, "\(error?.description ?? "")")
            XCTAssertEqual(Disposition(of: .user1), before)
        }
        #if os(Linux)
        for number in 32..<__libc_current_sigrtmin() {
            let error = assertThrows(.unsupported, .watch) { try Signals([Signal(rawValue: number)]) }
            XCTAssertTrue(error?.description.contains("C library") ?? false)
        }
        #endif
        assertThrows(.invalidArgument, .watch) { try Signals([]) }
        assertThrows(.invalidArgument, .watch) { try Signals([.user1], capacity: 0) }
    }

    func testWhenNoDescriptorIsLeft() throws {
        let before = Disposition(of: .user1)
        _ = withoutDescriptors { assertThrows(.resourcesExhausted, .watch) { try Signals([.user1]) } }
        XCTAssertEqual(Disposition(of: .user1), before)
    }

    #if INTERPROCESS_FAULT_INJECTION
    func testEachStepCanFail() throws {
        defer { FaultInjection.clear() }
        let steps: [(System.Call, Int)] = [(.pipe, 0), (.option, 0), (.option, 1), (.duplicate, 0)]
        for (call, skip) in steps {
            let before = Disposition(of: .user1)
            FaultInjection.inject(.result(-Int64(EMFILE)), into: call, after: skip)
            assertThrows(.resourcesExhausted, .watch) { try Signals([.user1]) }
            XCTAssertEqual(FaultInjection.clear(), 0)
            XCTAssertEqual(Disposition(of: .user1), before)
        }
    }

    /// A pipe that cannot be enlarged is a pipe.
    func testThePipeMayStayAsItIs() throws {
        defer { FaultInjection.clear() }
        FaultInjection.inject(.result(-Int64(EPERM)), into: .option, after: 2, times: 100)
        let signals = try Signals([.user1], capacity: .max)
        try Signal.user1.send(to: getpid())
        XCTAssertEqual(try signals.next(timeout: .seconds(20)).signal, .user1)
    }
    #endif
}
