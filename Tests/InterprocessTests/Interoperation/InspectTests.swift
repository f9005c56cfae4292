// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

/// The program that tells what a system lets the library do.
final class InspectTests: InterprocessTestCase {
    private struct Finding: Decodable {
        let subject: String
        let result: String
    }

    private func output(_ arguments: [String]) throws -> String {
        let program = try ChildProcess.built("inspect", arguments)
        let output = program.readToEnd()
        XCTAssertEqual(program.wait(), 0, output)
        return output
    }

    func testTableAndJSON() throws {
        let findings = try JSONDecoder().decode([Finding].self, from: Data(try output(["--json"]).utf8))
        for line in try output([]).split(separator: "\n") {
            XCTAssertTrue(findings.contains { line.hasPrefix($0.subject) }, String(line))
        }
        let results = Dictionary(uniqueKeysWithValues: findings.map { ($0.subject, $0.result) })
        for subject in [
            "a socket's mode keeps strangers out", "channels for bytes", "receivers waited for together",
        ] {
            XCTAssertEqual(results[subject], "yes", subject)
        }
        let failures = findings.filter { $0.result.hasPrefix("no:") }
        XCTAssertTrue(failures.isEmpty, "\(failures)")
    }

    func testUsage() throws {
        XCTAssertEqual(try ChildProcess.built("inspect", ["--xml"]).wait(), 2)
    }
}
