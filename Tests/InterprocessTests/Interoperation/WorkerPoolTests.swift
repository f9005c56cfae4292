// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

/// The example program does what it says.
final class WorkerPoolTests: InterprocessTestCase {
    func testDemonstration() throws {
        let program = try ChildProcess.built("worker-pool", [])
        let lines = program.readToEnd().split(separator: "\n").map(String.init)
        XCTAssertEqual(program.wait(), 0, "\(lines)")
        XCTAssertEqual(
            lines,
            [
                "worker 2: killed(SIGKILL), another one does its job",
                "40 jobs are done: there are 9592 primes below 100000",
            ]
        )
    }
}
