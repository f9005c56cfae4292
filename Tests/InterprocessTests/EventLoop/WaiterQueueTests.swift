// SPDX-License-Identifier: MIT OR Apache-2.0

import XCTest

@testable import Interprocess

/// Who waits for the same thing is served in order, and one at a time.
final class WaiterQueueTests: InterprocessTestCase {
    private func waiter(_ number: UInt, until deadline: Int64 = .max) -> Waiter {
        Waiter(continuation: nil, task: TaskIdentity(value: number), deadline: deadline)
    }

    private func queue(_ numbers: UInt...) -> WaiterQueue {
        var queue = WaiterQueue()
        for number in numbers { queue.append(waiter(number)) }
        return queue
    }

    /// The numbers of those who still wait.
    private func rest(_ queue: WaiterQueue) -> [UInt] {
        var queue = queue
        return queue.removeAll().map(\.task.value)
    }

    func testOneAfterAnother() {
        var queue = queue(1, 2, 3)
        for (number, outcome) in [(UInt(1), WaitOutcome.readyBeforeOthers), (2, .readyBeforeOthers), (3, .ready)] {
            XCTAssertTrue(queue.wantsEvents)
            let served = queue.serve()
            XCTAssertEqual(served?.0.task.value, number)
            XCTAssertEqual(served?.1, outcome)
            if outcome == .ready { break }
            // As long as that one is at it, the next one waits.
            XCTAssertNil(queue.serve())
            XCTAssertFalse(queue.wantsEvents)
            XCTAssertEqual(queue.count, 3 - Int(number))
            queue.finishServing()
        }
        XCTAssertEqual(queue.count, 0)
        XCTAssertFalse(queue.wantsEvents)
        XCTAssertNil(queue.serve())
    }

    func testWhoComesWhileOneIsServedWaits() {
        var queue = queue(1, 2)
        XCTAssertEqual(queue.serve()?.0.task.value, 1)
        queue.append(waiter(3))
        XCTAssertNil(queue.serve())
        queue.finishServing()
        XCTAssertEqual(queue.serve()?.0.task.value, 2)
        queue.finishServing()
        XCTAssertEqual(queue.serve()?.1, .ready)
    }

    func testWhoComesBackIsNext() {
        var queue = queue(1, 2, 3)
        let served = queue.serve()
        queue.finishServing()
        queue.putBack(served!.0)
        XCTAssertEqual(rest(queue), [1, 2, 3])
        XCTAssertTrue(queue.wantsEvents)
        // The same where nobody else waits.
        queue = self.queue(4)
        queue.putBack(queue.serve()!.0)
        XCTAssertEqual(rest(queue), [4])
        XCTAssertTrue(queue.wantsEvents)
        // And where others have come meanwhile.
        let alone = queue.serve()!.0
        queue.append(waiter(5))
        queue.putBack(alone)
        XCTAssertEqual(rest(queue), [4, 5])
    }

    func testRemoval() {
        for (number, left) in [(UInt(1), [UInt(2), 3]), (2, [1, 3]), (3, [1, 2])] {
            var queue = queue(1, 2, 3)
            XCTAssertEqual(queue.remove(TaskIdentity(value: number))?.task.value, number)
            XCTAssertNil(queue.remove(TaskIdentity(value: number)))
            XCTAssertEqual(rest(queue), left)
        }
        var queue = WaiterQueue()
        XCTAssertNil(queue.remove(TaskIdentity(value: 1)))
        XCTAssertEqual(rest(queue), [])
        XCTAssertEqual(rest(self.queue(7)), [7])
    }

    func testExpiry() {
        func expire(_ deadlines: [Int64], at now: Int64) -> (expired: [UInt], earliest: Int64, left: [UInt]) {
            var queue = WaiterQueue()
            for (number, deadline) in deadlines.enumerated() { queue.append(waiter(UInt(number), until: deadline)) }
            var expired: [UInt] = []
            let earliest = queue.expire(now) { expired.append($0.task.value) }
            return (expired, earliest, rest(queue))
        }
        XCTAssert(expire([], at: 5) == ([], .max, []))
        XCTAssert(expire([4], at: 5) == ([0], .max, []))
        XCTAssert(expire([5], at: 5) == ([0], .max, []), "a deadline is over when it has come")
        XCTAssert(expire([6], at: 5) == ([], 6, [0]))
        XCTAssert(expire([9, 3, 7, 5, .max], at: 5) == ([1, 3], 7, [0, 2, 4]))
        XCTAssert(expire([3, .max], at: 5) == ([0], .max, [1]))
        XCTAssert(expire([1, 2, 3], at: 5) == ([0, 1, 2], .max, []))
        XCTAssert(expire([8, 7, 6], at: 5) == ([], 6, [0, 1, 2]))
    }

    func testExpiryWhileOneIsServed() {
        var queue = WaiterQueue()
        queue.append(waiter(1))
        queue.append(waiter(2, until: 5))
        queue.append(waiter(3))
        XCTAssertEqual(queue.serve()?.0.task.value, 1)
        XCTAssertEqual(queue.expire(6) { XCTAssertEqual($0.task.value, 2) }, .max)
        XCTAssertNil(queue.serve(), "another one is still at it")
        queue.finishServing()
        XCTAssertEqual(queue.serve()?.0.task.value, 3)
    }

    func testSuspending() async {
        var queue = queue(1, 2)
        let outcome = await withUnsafeContinuation { continuation in
            XCTAssertTrue(queue.suspend(TaskIdentity(value: 2), continuation))
            XCTAssertFalse(queue.suspend(TaskIdentity(value: 3), continuation), "it does not wait")
            let all = queue.removeAll()
            XCTAssertNil(all[0].continuation)
            all[1].continuation?.resume(returning: WaitOutcome.ready)
        }
        XCTAssertEqual(outcome, .ready)
    }
}
