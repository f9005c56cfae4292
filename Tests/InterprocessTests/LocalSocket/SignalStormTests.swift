// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// Transfers between processes whose system calls are interrupted all the time.
final class SignalStormTests: InterprocessTestCase {
    override var timeLimit: TimeInterval { 120 }

    private func signals(_ line: String?) throws -> Int {
        try XCTUnwrap(Int(try XCTUnwrap(line).replacingOccurrences(of: "signals ", with: "")), line ?? "")
    }

    private func run(_ name: LocalSocketName, _ flavour: String) throws {
        let count = 6_000_003
        let receiver = try ChildProcess.helper("storm-receive", name.description, flavour)
        receiver.expect("ready")
        let sender = try ChildProcess.helper("storm-send", name.description, "\(count)", flavour)
        receiver.expect("received \(count)")
        sender.expect("answer done")
        // Without signals in great number there was no storm.
        XCTAssertGreaterThan(try signals(receiver.readLine()), 200)
        XCTAssertGreaterThan(try signals(sender.readLine()), 200)
        XCTAssertEqual(receiver.wait(), 0)
        XCTAssertEqual(sender.wait(), 0)
    }

    func testInterruptedCalls() throws {
        for name in try bothNames() { try run(name, "interrupting") }
    }

    func testRestartedCalls() throws {
        for name in try bothNames() { try run(name, "restarting") }
    }
}
