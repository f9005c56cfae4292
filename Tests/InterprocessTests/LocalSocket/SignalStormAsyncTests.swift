// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// Transfers between processes whose event loops are interrupted all the time.
final class SignalStormAsyncTests: InterprocessTestCase {
    override var timeLimit: TimeInterval { 120 }

    private func run(_ name: LocalSocketName, _ flavour: String) throws {
        let count = 3_000_001
        let receiver = try ChildProcess.helper("storm-receive-awaited", name.description, flavour)
        receiver.expect("ready")
        let sender = try ChildProcess.helper("storm-send-awaited", name.description, "\(count)", flavour)
        receiver.expect("received \(count)")
        sender.expect("answer done")
        for process in [receiver, sender] {
            let line = try XCTUnwrap(process.readLine())
            // Without signals in great number there was no storm.
            XCTAssertGreaterThan(try XCTUnwrap(line.split(separator: " ").last.flatMap { Int($0) }), 200, line)
            XCTAssertEqual(process.wait(), 0)
        }
    }

    func testInterruptedCalls() throws {
        for name in try bothNames() { try run(name, "interrupting") }
    }

    func testRestartedCalls() throws {
        for name in try bothNames() { try run(name, "restarting") }
    }
}
