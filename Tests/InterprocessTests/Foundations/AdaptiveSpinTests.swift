// SPDX-License-Identifier: MIT OR Apache-2.0

import CInterprocess
import Foundation
import XCTest

@testable import Interprocess

/// When spinning is worth it: the policy by itself, without a descriptor.
final class AdaptiveSpinTests: InterprocessTestCase {
    /// How many waits go by until one is to spin.
    private func waitsBeforeSpin(_ spin: borrowing AdaptiveSpin) -> Int {
        var count = 0
        while !spin.shouldSpin(2) { count += 1 }
        return count
    }

    private func note(_ outcome: Bool, times: Int, _ spin: borrowing AdaptiveSpin) {
        for _ in 0..<times { spin.finish(paid: outcome) }
    }

    func testBacksOffWhileItFails() {
        let spin = AdaptiveSpin(.microseconds(30))
        for wanted in [0, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 4096, 4096] {
            XCTAssertEqual(waitsBeforeSpin(spin), wanted)
            spin.finish(paid: false)
        }
    }

    func testEightSuccessesMakeUpForAFailure() {
        let spin = AdaptiveSpin(.microseconds(30))
        note(true, times: 7, spin)
        spin.finish(paid: false)
        XCTAssertEqual(waitsBeforeSpin(spin), 4)
        note(true, times: 8, spin)
        spin.finish(paid: false)
        XCTAssertEqual(waitsBeforeSpin(spin), 0)
        // There is an end to what can be saved up.
        note(true, times: 1000, spin)
        note(false, times: 8, spin)
        XCTAssertEqual(waitsBeforeSpin(spin), 0)
        spin.finish(paid: false)
        XCTAssertEqual(waitsBeforeSpin(spin), 4)
    }

    func testOneSuccessDoesNotUndoTheBackOff() {
        let spin = AdaptiveSpin(.microseconds(30))
        for _ in 0..<5 {
            _ = waitsBeforeSpin(spin)
            spin.finish(paid: false)
        }
        XCTAssertEqual(waitsBeforeSpin(spin), 64)
        note(true, times: 8, spin)
        note(false, times: 2, spin)
        XCTAssertEqual(waitsBeforeSpin(spin), 128)
        note(true, times: 9, spin)
        note(false, times: 2, spin)
        XCTAssertEqual(waitsBeforeSpin(spin), 4)
    }

    func testNeverOnOneProcessor() {
        let spin = AdaptiveSpin(.seconds(100))
        for processors: Int64 in [1, 0, -38] {
            for _ in 0..<10_000 {
                let value = spin.run(processors: processors) {
                    XCTFail("an attempt")
                    return 1
                }
                XCTAssertNil(value)
            }
        }
        XCTAssertEqual(spin.run(processors: 2) { 1 }, 1)
    }

    func testOff() {
        for time: Duration in [.zero, .seconds(-1)] {
            let spin = AdaptiveSpin(time)
            XCTAssertFalse(spin.isOn)
            XCTAssertEqual(spin.time, .zero)
            XCTAssertNil(spin.run(processors: 2) { 1 })
            spin.time = .microseconds(30)
            XCTAssertTrue(spin.isOn)
            XCTAssertEqual(spin.time, .microseconds(30))
            XCTAssertEqual(spin.run(processors: 2) { 1 }, 1)
        }
    }

    /// What came in time is credit, what came late is a failure, and what was there already is neither.
    func testWhatCountsAsASuccess() {
        let inTime = AdaptiveSpin(.seconds(Int64.max))
        for _ in 0..<8 {
            var attempts = 0
            let value = inTime.run(processors: 2) {
                attempts += 1
                return attempts < 3 ? nil : attempts
            }
            XCTAssertEqual(value, 3)
        }
        inTime.finish(paid: false)
        XCTAssertEqual(waitsBeforeSpin(inTime), 0)

        let late = AdaptiveSpin(.milliseconds(20))
        var isFirst = true
        let value = late.run(processors: 2) { () -> Int? in
            defer { isFirst = false }
            if isFirst { return nil }
            // As if the processor had gone to somebody else.
            let end = Deadline(after: .milliseconds(21))
            while !end.hasPassed {}
            return 5
        }
        // On a busy machine the spin may be over before the second attempt.
        XCTAssertTrue(value == 5 || value == nil)
        XCTAssertEqual(waitsBeforeSpin(late), 4)

        let immediate = AdaptiveSpin(.seconds(100))
        for _ in 0..<100 { XCTAssertEqual(immediate.run(processors: 2) { 1 }, 1) }
        immediate.finish(paid: false)
        XCTAssertEqual(waitsBeforeSpin(immediate), 4)
    }

    func testEndsAtItsLimitOrTheDeadline() {
        for (time, limit): (Duration, Duration?) in [(.milliseconds(50), nil), (.seconds(100), .milliseconds(50))] {
            let spin = AdaptiveSpin(time)
            var attempts = 0
            let elapsed = ContinuousClock().measure {
                let value = spin.run(until: Deadline(after: limit), processors: 2) { () -> Int? in
                    attempts += 1
                    return nil
                }
                XCTAssertNil(value)
            }
            XCTAssertGreaterThanOrEqual(elapsed, .milliseconds(50))
            XCTAssertLessThan(elapsed, .seconds(20))
            XCTAssertGreaterThan(attempts, 1)
            XCTAssertEqual(waitsBeforeSpin(spin), 4)
        }
        // A call that may not wait at all neither spins nor fails to.
        let spin = AdaptiveSpin(.seconds(100))
        XCTAssertNil(spin.run(until: Deadline(after: .zero), processors: 2) { 1 })
        XCTAssertEqual(waitsBeforeSpin(spin), 0)
    }

    private final class Shared: Sendable { let spin = AdaptiveSpin(.microseconds(30)) }

    func testThreads() throws {
        let shared = Shared()
        let threads = (0..<4).map { thread in
            Running {
                for round in 0..<20_000 where shared.spin.shouldSpin(2) {
                    shared.spin.finish(paid: (round / 100 + thread) % 3 == 0)
                }
            }
        }
        for thread in threads { try thread.value() }
        XCTAssertLessThanOrEqual(waitsBeforeSpin(shared.spin), 4096)
        note(true, times: 9, shared.spin)
        note(false, times: 9, shared.spin)
        XCTAssertGreaterThanOrEqual(waitsBeforeSpin(shared.spin), 4)
    }

    func testProcessorsAreThoseThatMayBeUsed() {
        XCTAssertEqual(cip_usable_processors(), Int64(ProcessInfo.processInfo.activeProcessorCount))
        XCTAssertEqual(AdaptiveSpin.processors, cip_usable_processors())
    }

    #if os(Linux)
    /// For how long the processor is busy with a read of 300 milliseconds, which spins all the while if it may.
    private func millisecondsBusy(onProcessors processors: String) throws -> Int {
        let child = try ChildProcess.helper("spin")
        child.expect("ready")
        XCTAssertEqual(try ChildProcess("taskset", ["-pc", processors, "\(child.pid)"]).wait(), 0)
        child.write("go\n")
        let line = try XCTUnwrap(child.readLine())
        child.closeInput()
        XCTAssertEqual(child.wait(), 0)
        return try XCTUnwrap(Int(line.replacingOccurrences(of: "busy ", with: "")), line)
    }

    func testAProcessOnOneProcessorNeverSpins() throws {
        try requireProgram("taskset")
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8).split(separator: "\n")
        let allowed = try XCTUnwrap(status.first { $0.hasPrefix("Cpus_allowed_list:") }?.split(separator: "\t").last)
        let first = allowed.prefix { $0.isNumber }
        XCTAssertLessThan(try millisecondsBusy(onProcessors: String(first)), 20)
        if AdaptiveSpin.processors < 2 { try skip("there is only one processor") }
        XCTAssertGreaterThan(try millisecondsBusy(onProcessors: String(allowed)), 20)
    }
    #endif
}
