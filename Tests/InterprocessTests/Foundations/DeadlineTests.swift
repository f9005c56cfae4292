// SPDX-License-Identifier: MIT OR Apache-2.0

import CInterprocess
import XCTest

@testable import Interprocess

final class DeadlineTests: InterprocessTestCase {
    func testDurationsInNanoseconds() {
        XCTAssertEqual(Duration.zero.wholeNanoseconds, 0)
        XCTAssertEqual(Duration.nanoseconds(1).wholeNanoseconds, 1)
        XCTAssertEqual(Duration.milliseconds(1500).wholeNanoseconds, 1_500_000_000)
        XCTAssertEqual(Duration.seconds(3).wholeNanoseconds, 3_000_000_000)
    }

    func testPartsOfANanosecondCountAsOne() {
        XCTAssertEqual(Duration(secondsComponent: 0, attosecondsComponent: 1).wholeNanoseconds, 1)
        XCTAssertEqual(Duration(secondsComponent: 0, attosecondsComponent: 1_000_000_000).wholeNanoseconds, 1)
        XCTAssertEqual(Duration(secondsComponent: 0, attosecondsComponent: 1_000_000_001).wholeNanoseconds, 2)
        let almostASecond = Duration(secondsComponent: 0, attosecondsComponent: 999_999_999_999_999_999)
        XCTAssertEqual(almostASecond.wholeNanoseconds, 1_000_000_000)
    }

    func testNegativeIsNothing() {
        for duration: Duration in [
            .nanoseconds(-1), .seconds(-1), .seconds(Int64.min), .milliseconds(-1500),
            Duration(secondsComponent: 0, attosecondsComponent: -1),
            Duration(secondsComponent: Int64.min, attosecondsComponent: 0),
        ] {
            XCTAssertEqual(duration.wholeNanoseconds, 0, "\(duration)")
            XCTAssertTrue(Deadline(after: duration).hasPassed)
            XCTAssertEqual(Deadline(after: duration).remaining, 0)
        }
    }

    func testHugeIsNever() {
        let largest = Duration(secondsComponent: .max, attosecondsComponent: 999_999_999_999_999_999)
        for duration: Duration in [.seconds(Int64.max), .seconds(Int64.max / 1_000_000_000 + 1), largest] {
            XCTAssertEqual(duration.wholeNanoseconds, .max)
            XCTAssertTrue(Deadline(after: duration).isNever)
        }
        // It fits by itself, but passes the end of the clock when it starts now.
        let fits = Duration.nanoseconds(Int64.max - 1)
        XCTAssertEqual(fits.wholeNanoseconds, .max - 1)
        XCTAssertTrue(Deadline(after: fits).isNever)
    }

    func testNever() {
        for never in [Deadline.never, Deadline(after: nil), Deadline(afterNanoseconds: .max)] {
            XCTAssertTrue(never.isNever)
            XCTAssertFalse(never.hasPassed)
            XCTAssertEqual(never.remaining, -1)
        }
    }

    func testRemaining() {
        let before = cip_now()
        let deadline = Deadline(after: .seconds(100))
        XCTAssertGreaterThanOrEqual(deadline.nanoseconds, before + 100_000_000_000)
        XCTAssertLessThanOrEqual(deadline.remaining, 100_000_000_000)
        XCTAssertGreaterThan(deadline.remaining, 50_000_000_000)
        XCTAssertFalse(deadline.hasPassed)
        XCTAssertFalse(deadline.isNever)
        XCTAssertTrue(Deadline(after: .zero).hasPassed)
    }

    func testAtMost() {
        let soon = Deadline.never.atMost(nanosecondsFromNow: 1000)
        XCTAssertFalse(soon.isNever)
        XCTAssertLessThanOrEqual(soon.remaining, 1000)
        let passed = Deadline(after: .zero)
        XCTAssertEqual(passed.atMost(nanosecondsFromNow: 1_000_000_000).nanoseconds, passed.nanoseconds)
        XCTAssertTrue(Deadline.never.atMost(nanosecondsFromNow: .max - 1).isNever)
    }

    /// Pauses double up to a limit, and end with the deadline.
    func testPausesGrow() {
        var pause = Backoff(most: 300_000)
        for length: Int64 in [100_000, 200_000, 300_000, 300_000] {
            let before = cip_now()
            let end = pause.next(until: .never).nanoseconds
            XCTAssertGreaterThanOrEqual(end, before + length)
            XCTAssertLessThanOrEqual(end, cip_now() + length)
        }
        let passed = Deadline(after: .zero)
        XCTAssertEqual(pause.next(until: passed).nanoseconds, passed.nanoseconds)
    }

    /// Every waiting call takes every duration.
    func testCallsWithHugeAndNegativeLimits() throws {
        let (one, other) = try LocalSocketStream.pair()
        for limit: Duration in [.seconds(Int64.max), .seconds(9_000_000_000), .seconds(100_000_000)] {
            try one.writeAll("x\n", timeout: limit)
            XCTAssertEqual(try other.readLine(timeout: limit), "x")
            let reading = Running { try other.read(upTo: 1, timeout: limit) }
            reading.waitUntilBlocked()
            try one.writeAll("y")
            XCTAssertEqual(try reading.value(), [UInt8(ascii: "y")])
            other.receiveTimeout = limit
            XCTAssertEqual(other.receiveTimeout, limit == .seconds(Int64.max) ? nil : limit)
        }
        for limit: Duration in [.seconds(Int64.min), .nanoseconds(-1), .zero] {
            assertThrows(.timedOut) { try other.read(upTo: 1, timeout: limit) }
            assertThrows(.timedOut) { try other.readLine(timeout: limit) }
            other.receiveTimeout = limit
            XCTAssertEqual(other.receiveTimeout, .zero)
        }
    }

    func testSettingsTellTheirTimeout() {
        let settings = WaitSettings()
        XCTAssertNil(settings.timeout)
        XCTAssertTrue(settings.patience(nil).isUnlimited)
        settings.timeout = .milliseconds(5)
        XCTAssertEqual(settings.timeout, .milliseconds(5))
        XCTAssertFalse(settings.patience(nil).isUnlimited)
        // What a call says comes first, also "without limit" said as a duration.
        XCTAssertTrue(settings.patience(.seconds(Int64.max)).isUnlimited)
        settings.timeout = nil
        settings.isNonblocking = true
        XCTAssertFalse(settings.patience(nil).isUnlimited)
        XCTAssertTrue(settings.patience(nil).deadline.isNever)
    }
}
