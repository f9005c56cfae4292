// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

/// Sending signals, and asking for processes.
final class SignalSendingTests: InterprocessTestCase {
    func testStatusOfProcesses() throws {
        XCTAssertEqual(try Signal.status(ofProcess: getpid()), .exists)
        XCTAssertEqual(try Signal.status(ofProcess: getppid()), .exists)
        let helper = try ChildProcess.helper("watch", "\(Signal.user1.rawValue)", "1")
        helper.expect("ready")
        XCTAssertEqual(try Signal.status(ofProcess: UInt64(helper.pid)), .exists)
        helper.kill()
        helper.wait()
        XCTAssertEqual(try Signal.status(ofProcess: helper.pid), .notFound)
        let error = assertThrows(.notFound, .signal) { try Signal.terminate.send(to: helper.pid) }
        XCTAssertEqual(error?.systemCode, Int64(ESRCH))
        XCTAssertEqual(error?.name, "process \(helper.pid)")
    }

    func testForbidden() throws {
        if getuid() != 0 { try skip("only root can become another user") }
        let helper = try ChildProcess.helper("--uid", "1000", "probe", "\(getpid())")
        helper.expect("notPermitted")
        helper.expect("permissionDenied")
        XCTAssertEqual(helper.wait(), 0)
    }

    func testNumbersThatAreNoProcess() throws {
        for number in [0, -1, -2, Int(Int32.min), Int(Int32.max) + 1, .max, .min] {
            assertThrows(.invalidArgument, .signal) { try Signal.terminate.send(to: number) }
            assertThrows(.invalidArgument, .signal) { try Signal.terminate.send(toGroup: number) }
            assertThrows(.invalidArgument, .signal) { try Signal.status(ofProcess: number) }
            #if os(Linux)
            assertThrows(.invalidArgument, .signal) { try Signal.terminate.send(to: number, value: 1) }
            assertThrows(.invalidArgument, .signal) { try Signal.terminate.send(toThread: number, of: Int(getpid())) }
            assertThrows(.invalidArgument, .signal) { try Signal.terminate.send(toThread: Int(getpid()), of: number) }
            #endif
        }
        assertThrows(.invalidArgument, .signal) { try Signal.terminate.send(to: UInt64.max) }
        // To the system that is everybody.
        assertThrows(.invalidArgument, .signal) { try Signal.terminate.send(toGroup: 1) }
        XCTAssertEqual(try Signal.status(ofProcess: Int32.max), .notFound)
    }

    func testSignalsThatThereAreNoneOf() throws {
        for number in [0, -1, 200, .max] as [Int32] {
            assertThrows(.invalidArgument, .signal) { try Signal(rawValue: number).send(to: getpid()) }
        }
    }

    func testASignalToAGroup() throws {
        let watching = ["watch", "\(Signal.user2.rawValue)", "1"]
        let leader = try ChildProcess.built("test-helper", ["--group", "0"] + watching)
        leader.expect("ready")
        let follower = try ChildProcess.built("test-helper", ["--group", "\(leader.pid)"] + watching)
        follower.expect("ready")
        try Signal.user2.send(toGroup: leader.pid)
        for helper in [leader, follower] { helper.expect("\(SIGUSR2) from \(getpid()) of \(getuid())") }
        assertThrows(.notFound, .signal) { try Signal.user2.send(toGroup: Int32.max) }
    }

    #if os(Linux)
    func testValues() throws {
        let signals = try Signals([try .realTime(1), .user1])
        for value in [0, 1, -1, .min, .max] as [Int32] {
            try Signal.realTime(1).send(to: getpid(), value: value)
            let info = try signals.next(timeout: .seconds(20))
            XCTAssertEqual(info.signal, try .realTime(1))
            XCTAssertEqual(info.value, value)
            XCTAssertEqual(info.cause, .queue)
            XCTAssertEqual(info.processID, getpid())
        }
        try Signal.user1.send(to: getpid(), value: 7)
        XCTAssertEqual(try signals.next(timeout: .seconds(20)).value, 7)
    }

    func testRealTimeNumbers() throws {
        XCTAssertEqual(try Signal.realTime(0).rawValue, __libc_current_sigrtmin())
        XCTAssertEqual(try Signal.realTime(Signal.realTimeCount - 1).rawValue, __libc_current_sigrtmax())
        for number in [-1, Signal.realTimeCount, .max, .min] {
            assertThrows(.invalidArgument) { try Signal.realTime(number) }
        }
        XCTAssertEqual(try Signal.realTime(4).description, "SIGRTMIN+4")
    }

    func testNames() {
        XCTAssertEqual(Signal.interrupt.description, "SIGINT")
        XCTAssertEqual(Signal.terminate.rawValue, SIGTERM)
        XCTAssertEqual(Signal.windowChange.description, "SIGWINCH")
        XCTAssertEqual(Signal.io.description, "SIGIO")
        XCTAssertEqual(Signal(rawValue: 33).description, "signal 33")
        XCTAssertEqual(Signal(rawValue: -5).description, "signal -5")
        XCTAssertEqual(Set(Signal.catchable.map(\.description)).count, Signal.catchable.count)
    }
    #endif
}
