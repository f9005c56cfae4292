// SPDX-License-Identifier: MIT OR Apache-2.0

import XCTest

@testable import Interprocess

/// When the table has to be looked at for deadlines.
final class AlarmTests: InterprocessTestCase {
    private func wait(_ table: inout WaitTable, _ token: SlotToken, until deadline: Int64, task: UInt = 1) {
        let waiter = Waiter(continuation: nil, task: TaskIdentity(value: task), deadline: deadline)
        XCTAssertNil(table.install(waiter, token, .turn, isBack: false))
    }

    private func end(_ table: inout WaitTable, _ token: SlotToken) {
        table.passTurn(token)
        XCTAssertEqual(table.takeOutcomeHere(), .ready)
    }

    func testDeadlinesPass() {
        var table = WaitTable()
        XCTAssertEqual(table.earliestAlarm, .max)
        let tokens = (0..<3).map { _ in table.add(-1) }
        for (token, deadline) in zip(tokens, [Int64(30), 10, .max]) { wait(&table, token, until: deadline) }
        XCTAssertEqual(table.earliestAlarm, 10)
        table.expire(9)
        XCTAssertNil(table.outcomeHere)
        table.expire(10)
        XCTAssertEqual(table.takeOutcomeHere(), .timedOut)
        XCTAssertEqual(tokens.map { table.waiterCount($0) }, [1, 0, 1])
        XCTAssertEqual(table.earliestAlarm, 30)
        table.expire(1000)
        XCTAssertEqual(table.takeOutcomeHere(), .timedOut)
        XCTAssertEqual(tokens.map { table.waiterCount($0) }, [0, 0, 1])
        XCTAssertEqual(table.earliestAlarm, .max)
    }

    func testALaterDeadlineWaitsForTheAlarmThatIsSet() {
        var table = WaitTable()
        let token = table.add(-1)
        wait(&table, token, until: 10)
        end(&table, token)
        wait(&table, token, until: 20)
        XCTAssertEqual(table.earliestAlarm, 10)
        table.expire(12)
        XCTAssertNil(table.outcomeHere, "too early")
        XCTAssertEqual(table.earliestAlarm, 20)
        table.expire(20)
        XCTAssertEqual(table.takeOutcomeHere(), .timedOut)
        XCTAssertEqual(table.earliestAlarm, .max)
    }

    func testAnEarlierDeadlineBringsTheAlarmForward() {
        var table = WaitTable()
        let token = table.add(-1)
        wait(&table, token, until: 20, task: 1)
        wait(&table, token, until: 10, task: 2)
        XCTAssertEqual(table.earliestAlarm, 10)
        table.expire(10)
        XCTAssertEqual(table.takeOutcomeHere(), .timedOut)
        XCTAssertEqual(table.waiterCount(token), 1)
        XCTAssertEqual(table.earliestAlarm, 20)
        table.expire(20)
        XCTAssertEqual(table.takeOutcomeHere(), .timedOut)
        XCTAssertEqual(table.waiterCount(token), 0)
    }

    /// Timeouts that come and go leave nothing behind: an hour's alarms would pile up within it.
    func testAlarmsDoNotPileUp() {
        var table = WaitTable()
        let token = table.add(-1)
        for now in Int64(0)..<10_000 {
            // Renewed for every wait.
            wait(&table, token, until: now + 1_000_000)
            end(&table, token)
            // Short ones and long ones by turns.
            wait(&table, token, until: now + 1)
            table.expire(now + 1)
            XCTAssertEqual(table.takeOutcomeHere(), .timedOut)
            XCTAssertLessThanOrEqual(table.alarmCount, 1)
        }
        for now in Int64(0)..<10_000 {
            // A descriptor, or a pause, that is given back long before its deadline.
            let token = table.add(-1)
            wait(&table, token, until: now + 1_000_000)
            end(&table, token)
            table.remove(token)
            XCTAssertLessThanOrEqual(table.alarmCount, 1)
        }
        table.remove(token)
        XCTAssertEqual(table.alarmCount, 0)
        XCTAssertEqual(table.earliestAlarm, .max)
    }

    func testAnAlarmIsNotTheNextOnesInItsPlace() {
        var table = WaitTable()
        let old = table.add(-1)
        wait(&table, old, until: 10)
        table.remove(old)
        let new = table.add(-1)
        XCTAssertEqual(new.index, old.index)
        wait(&table, new, until: 20)
        XCTAssertEqual(table.earliestAlarm, 20)
        table.expire(15)
        XCTAssertNil(table.outcomeHere)
        table.expire(20)
        XCTAssertEqual(table.takeOutcomeHere(), .timedOut)
    }
}
