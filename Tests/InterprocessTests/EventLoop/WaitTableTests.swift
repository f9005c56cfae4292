// SPDX-License-Identifier: MIT OR Apache-2.0

import CInterprocess
import XCTest

@testable import Interprocess

/// Places, names, interests and alarms, without a thread.
final class WaitTableTests: InterprocessTestCase {
    private func waiter(_ number: UInt, until deadline: Int64 = .max) -> Waiter {
        Waiter(continuation: nil, task: TaskIdentity(value: number), deadline: deadline)
    }

    private func dispatch(_ ready: Int, of token: SlotToken, to table: inout WaitTable) {
        let event = [cip_event(token: token.bits, ready: Int64(ready))]
        event.withUnsafeBufferPointer { table.dispatch($0) }
    }

    /// A table with a poller, and a pipe.
    private func withTable(_ body: (inout WaitTable, _ receiver: Int64, _ sender: Int64) -> Void) {
        var table = WaitTable()
        XCTAssertEqual(cip_poller_create(&table.poller), 0)
        var ends: [Int64] = [-1, -1]
        XCTAssertEqual(cip_pipe(&ends), 0)
        body(&table, ends[0], ends[1])
        for end in ends { _ = cip_close(end) }
        withUnsafePointer(to: table.poller) { cip_poller_destroy($0) }
    }

    /// How many events the kernel has to tell of.
    private func eventCount(_ table: borrowing WaitTable) -> Int64 {
        withUnsafePointer(to: table.poller) { poller in
            withUnsafeTemporaryAllocation(of: cip_event.self, capacity: Int(CIP_POLLER_CAPACITY)) {
                guard let memory = $0.baseAddress else { return -1 }
                return cip_poller_wait(poller, memory, false)
            }
        }
    }

    func testTokens() {
        for (index, generation) in [(0, UInt32(0)), (5, 7), (0xffff_fffe, .max), (1 << 20, 1 << 31)] {
            let token = SlotToken(index: index, generation: generation)
            XCTAssertEqual(SlotToken(bits: token.bits), token)
            XCTAssertNotEqual(token.bits, .max, "what tells of a wake")
        }
    }

    func testPlacesAreUsedAgainUnderNewNames() {
        var table = WaitTable()
        XCTAssertTrue(table.isEmpty)
        let first = (0..<100).map { _ in table.add(-1) }
        XCTAssertEqual(first.map(\.index), Array(0..<100))
        XCTAssertFalse(table.isEmpty)
        for token in first { table.remove(token) }
        XCTAssertTrue(table.isEmpty)
        // Giving one back twice does not make two of it.
        table.remove(first[3])
        let second = (0..<100).map { _ in table.add(-1) }
        XCTAssertEqual(Set(second.map(\.index)), Set(0..<100))
        XCTAssertEqual(Set(second.map(\.generation)), [1])
        // An old name does not give back what is another one's now.
        table.remove(first[3])
        XCTAssertFalse(table.isEmpty)
        XCTAssertNil(table.install(waiter(1), second[3], .turn, isBack: false))
    }

    func testOldNamesMeanNothing() {
        withTable { table, receiver, _ in
            let old = table.add(receiver)
            XCTAssertNil(table.install(waiter(1), old, .receive, isBack: false))
            table.remove(old)
            let new = table.add(receiver)
            XCTAssertEqual(new.index, old.index)
            XCTAssertNil(table.install(waiter(2), new, .receive, isBack: false))
            // An event that was under way when the place was given back.
            dispatch(CIP_READABLE, of: old, to: &table)
            XCTAssertNil(table.outcomeHere)
            table.withdraw(TaskIdentity(value: 2), old, .receive, .cancelled)
            table.withdrawSilently(TaskIdentity(value: 2), old, .receive)
            table.close(old, [.receive])
            table.passOn(old, .receive)
            table.passTurn(old)
            XCTAssertEqual(table.install(waiter(3), old, .receive, isBack: false), .closed)
            XCTAssertEqual(table.waiterCount(old), 0)
            XCTAssertNil(table.outcomeHere)
            XCTAssertEqual(table.waiterCount(new), 1)
            // Names that never were.
            dispatch(CIP_READABLE, of: SlotToken(index: 1000, generation: 0), to: &table)
            dispatch(CIP_READABLE, of: new, to: &table)
            XCTAssertEqual(table.takeOutcomeHere(), .ready)
            XCTAssertEqual(table.waiterCount(new), 0)
            table.remove(new)
        }
    }

    func testWhatNobodyWaitsForIsNotWatched() {
        withTable { table, receiver, sender in
            let token = table.add(receiver)
            XCTAssertNil(table.install(waiter(1), token, .receive, isBack: false))
            XCTAssertEqual(eventCount(table), 0)
            var byte: UInt8 = 1
            XCTAssertEqual(cip_pipe_write(sender, &byte, 1, false), 1)
            XCTAssertEqual(eventCount(table), 1)
            dispatch(CIP_READABLE, of: token, to: &table)
            XCTAssertEqual(table.takeOutcomeHere(), .ready)
            // The next one comes soon, most times; if not, one more event is told of, and no more.
            XCTAssertEqual(eventCount(table), 1)
            dispatch(CIP_READABLE, of: token, to: &table)
            XCTAssertEqual(eventCount(table), 0)
            XCTAssertNil(table.outcomeHere)
            // Until somebody waits again.
            XCTAssertNil(table.install(waiter(1), token, .receive, isBack: false))
            XCTAssertEqual(eventCount(table), 1)
            table.remove(token)
            XCTAssertEqual(eventCount(table), 0)
        }
    }

    func testWritersAreWatchedForOnlyWhileTheyWait() {
        withTable { table, _, sender in
            let token = table.add(sender)
            XCTAssertNil(table.install(waiter(1), token, .send, isBack: false))
            XCTAssertNil(table.install(waiter(2), token, .send, isBack: false))
            XCTAssertEqual(eventCount(table), 1)
            dispatch(CIP_WRITABLE, of: token, to: &table)
            XCTAssertEqual(table.takeOutcomeHere(), .readyBeforeOthers)
            XCTAssertEqual(eventCount(table), 0, "the second one's turn has not come")
            table.passOn(token, .send)
            XCTAssertEqual(eventCount(table), 1)
            dispatch(CIP_WRITABLE, of: token, to: &table)
            XCTAssertEqual(table.takeOutcomeHere(), .ready)
            XCTAssertEqual(eventCount(table), 0)
            table.remove(token)
        }
    }

    func testErrorsOfThePollerReachTheWaiter() {
        var table = WaitTable()
        let token = table.add(1 << 20)
        XCTAssertEqual(cip_poller_create(&table.poller), 0)
        XCTAssertEqual(table.install(waiter(1), token, .receive, isBack: false)?.value, -Int64(EBADF))
        XCTAssertEqual(table.waiterCount(token), 0)
        withUnsafePointer(to: table.poller) { cip_poller_destroy($0) }
    }

    /// The one that comes back cannot wait, and so nor can those behind it: all are told.
    func testErrorsOfThePollerReachThoseBehind() {
        withTable { table, receiver, sender in
            let token = table.add(receiver)
            for number in 1...2 { XCTAssertNil(table.install(waiter(UInt(number)), token, .receive, isBack: false)) }
            for _ in 0..<2 { dispatch(CIP_READABLE, of: token, to: &table) }
            XCTAssertEqual(table.takeOutcomeHere(), .readyBeforeOthers)
            let poller = table.poller
            table.poller.queue = -1
            XCTAssertEqual(table.install(waiter(1), token, .receive, isBack: true)?.value, -Int64(EBADF))
            XCTAssertEqual(table.takeOutcomeHere()?.value, -Int64(EBADF))
            XCTAssertEqual(table.waiterCount(token), 0)
            table.poller = poller
            table.remove(token)
        }
    }

    func testTurnsThatNobodyWaitsForAreKept() {
        var table = WaitTable()
        let token = table.add(-1)
        table.passTurn(token)
        table.passTurn(token)
        XCTAssertEqual(table.install(waiter(1), token, .turn, isBack: false), .ready)
        XCTAssertNil(table.install(waiter(1), token, .turn, isBack: false), "one was kept, not two")
        table.passTurn(token)
        XCTAssertEqual(table.takeOutcomeHere(), .ready)
        table.close(token, [.receive, .turn])
        XCTAssertEqual(table.install(waiter(1), token, .turn, isBack: false), .closed)
    }
}
