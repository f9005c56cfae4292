// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

/// The example program does what it says.
final class PassFileTests: InterprocessTestCase {
    func testDemonstration() throws {
        let program = try ChildProcess.built("pass-file", [])
        let lines = program.readToEnd().split(separator: "\n").map(String.init)
        XCTAssertEqual(program.wait(), 0, "\(lines)")
        // The two processes print at the same time.
        XCTAssertEqual(lines.filter { $0 == "process \(program.pid) has sent it" }.count, 1, "\(lines)")
        let received = lines.filter { $0.hasPrefix("process ") && $0.hasSuffix(" has received a file without a name") }
        XCTAssertEqual(received.count, 1, "\(lines)")
        XCTAssertFalse(received[0].hasPrefix("process \(program.pid) "))
        XCTAssertEqual(lines.filter { $0 == "it reads: what is in the file" }.count, 1, "\(lines)")
        XCTAssertEqual(lines.count, 3)
    }
}
