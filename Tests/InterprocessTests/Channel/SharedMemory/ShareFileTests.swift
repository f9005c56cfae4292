// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

/// The example program does what it says.
final class ShareFileTests: InterprocessTestCase {
    func testDemonstration() throws {
        // One that is no multiple of its slots.
        let program = try ChildProcess.built("share-file", ["35"])
        let lines = program.readToEnd().split(separator: "\n").map(String.init)
        XCTAssertEqual(program.wait(), 0, "\(lines)")
        let parts = lines.map { $0.components(separatedBy: " has read ") }
        XCTAssertEqual(lines.count, 3, "\(lines)")
        // Two processes, and the same outcome.
        XCTAssertEqual(parts[1][0], "process \(program.pid)", "\(lines)")
        XCTAssertNotEqual(parts[0][0], parts[1][0], "\(lines)")
        XCTAssertEqual(parts[0][1], parts[1][1], "\(lines)")
        XCTAssertTrue(parts[0][1].hasPrefix("\(35 << 20) bytes, "), "\(lines)")
        XCTAssertTrue(lines[2].hasPrefix("both agree, after "), "\(lines)")
    }

    func testWrongUse() throws {
        for arguments in [["0"], ["-1"], ["x"], ["1", "2"]] {
            let program = try ChildProcess.built("share-file", arguments)
            XCTAssertEqual(program.readToEnd(), "usage: share-file [SIZE]\n")
            XCTAssertEqual(program.wait(), 2)
        }
    }
}
