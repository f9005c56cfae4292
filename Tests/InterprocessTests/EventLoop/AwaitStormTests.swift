// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

/// No wake-up is lost, no task is woken twice, nothing is left behind: see `AwaitStorm`.
final class AwaitStormTests: InterprocessTestCase {
    /// How many calls a storm makes: some of what it takes to be sure, so that the whole suite is quick.
    private static let rounds =
        ProcessInfo.processInfo.environment["INTERPROCESS_STORM_ROUNDS"].flatMap { Int($0) } ?? 10_000

    override var timeLimit: TimeInterval { 60 + TimeInterval(Self.rounds) / 100 }

    /// Runs a storm, half of it with tasks of the default pool, half of it with tasks on a loop's thread; at times with
    /// one task alone, which keeps the thread while it waits.
    private func storm(
        _ name: String,
        endings: Set<String>,
        _ body: @escaping @Sendable (AwaitStorm, Int) async throws -> Void
    ) async throws {
        for (onLoop, width) in [(false, 1), (false, 16), (true, 1), (true, 16)] {
            let rounds = width == 1 ? Self.rounds / 50 : Self.rounds * 12 / 25
            let start = ContinuousClock.now
            let storm = AwaitStorm(width: width, onLoop: onLoop)
            // What ends the calls has a thread of its own, and so meets them.
            try await withTaskExecutorPreference(EventLoop.shared) { try await body(storm, rounds) }
            XCTAssertEqual(storm.firstProblems, [])
            if width > 1 { XCTAssertEqual(Set(storm.outcomes.keys), endings, "one of them never came first") }
            let ways = storm.outcomes.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
            let time = ContinuousClock.now - start
            print("\(name), \(onLoop ? "loop" : "pool"), \(width) at once: \(ways.joined(separator: ", ")); \(time)")
        }
    }

    func testCancelAgainstReadiness() async throws {
        try await storm("cancel against readiness", endings: ["bytes", "cancelled"]) {
            try await $0.cancelAgainstReadiness($1)
        }
    }

    func testCancelAgainstWaiting() async throws {
        try await storm("cancel against waiting", endings: ["cancelled"]) { try await $0.cancelAgainstWaiting($1) }
    }

    func testCloseAgainstReadiness() async throws {
        try await storm("close against readiness", endings: ["bytes", "closed"]) {
            try await $0.closeAgainstReadiness($1)
        }
    }

    func testTimeoutAgainstReadiness() async throws {
        try await storm("timeout against readiness", endings: ["bytes", "timedOut"]) {
            try await $0.timeoutAgainstReadiness($1)
        }
    }

    func testCancelAgainstCloseAgainstTimeout() async throws {
        try await storm("cancel against close against timeout", endings: ["cancelled", "closed", "timedOut"]) {
            try await $0.cancelAgainstCloseAgainstTimeout($1)
        }
    }

    /// Many tasks read from one stream: each number comes to one of them.
    func testManyReadersWithRandomCancels() async throws {
        for onLoop in [false, true] {
            let start = ContinuousClock.now
            let crowd = AwaitCrowd(onLoop: onLoop)
            let (near, far) = try crowd.pair()
            let sending = Running {
                for number in 0..<Self.crowdRounds {
                    if number % 32 == 0 { dawdle(upTo: 20_000) }
                    try far.writeAll(AwaitCrowd.bytes(number))
                }
                far.close()
            }
            let numbers = try await crowd.receive(from: near)
            try sending.value()
            check(crowd, numbers.sorted())
            print("many readers, \(onLoop ? "loop" : "pool"): \(ContinuousClock.now - start)")
        }
    }

    /// Many tasks write to one stream, whose buffer is full most of the time.
    func testManyWritersWithRandomCancels() async throws {
        for onLoop in [false, true] {
            let start = ContinuousClock.now
            let crowd = AwaitCrowd(onLoop: onLoop)
            let (near, far) = try crowd.pair()
            near.descriptorCore.setSmallBuffer()
            let receiving = Running {
                try (0..<Self.crowdRounds).map { _ in AwaitCrowd.number(try far.readExactly(4)) }
            }
            try await crowd.send(Self.crowdRounds, to: near)
            check(crowd, try receiving.value().sorted())
            print("many writers, \(onLoop ? "loop" : "pool"): \(ContinuousClock.now - start)")
        }
    }

    private static let crowdRounds = UInt32(rounds / 4)

    private func check(_ crowd: AwaitCrowd, _ numbers: [UInt32]) {
        XCTAssertEqual(Array(crowd.problems.all.prefix(5)), [])
        XCTAssertTrue(numbers == Array(0..<Self.crowdRounds), "a number was lost, or came twice")
        XCTAssertGreaterThan(crowd.cancellations.withLock { $0 }, 10)
    }
}
