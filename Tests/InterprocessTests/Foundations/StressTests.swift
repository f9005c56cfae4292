// SPDX-License-Identifier: MIT OR Apache-2.0

import CInterprocess
import Foundation
import Synchronization
import XCTest

@testable import Interprocess

/// No call ever uses a descriptor's number that has come to mean something else: see `Stress`.
final class StressTests: InterprocessTestCase {
    private static let seconds =
        ProcessInfo.processInfo.environment["INTERPROCESS_STRESS_SECONDS"].flatMap { Double($0) } ?? 10

    override var timeLimit: TimeInterval { Self.seconds * 3 + 60 }

    func testEverythingAtOnce() {
        let stress = Stress()
        let end = cip_now() + Int64(Self.seconds * 1_000_000_000)
        Stress.together([
            { stress.pipes(until: end) },
            { stress.pairs(until: end) },
            { stress.listeners(until: end) },
            { stress.bystanders(until: end) },
        ])
        XCTAssertEqual(stress.problems.withLock { Array($0.prefix(5)) }, [])
        XCTAssertGreaterThan(stress.finished.load(ordering: .relaxed), 3, "next to nothing was done")
        XCTAssertGreaterThan(stress.moved.load(ordering: .relaxed), 10_000, "next to nothing was moved")
        print(
            "stress: \(stress.finished.load(ordering: .relaxed)) rounds, \(stress.moved.load(ordering: .relaxed)) bytes"
        )
    }
}
