// SPDX-License-Identifier: MIT OR Apache-2.0

import XCTest

@testable import Interprocess

/// What an event loop keeps its work in.
final class LoopCollectionsTests: InterprocessTestCase {
    func testTimersComeInOrder() {
        for size in [0, 1, 2, 3, 10, 1000] {
            var heap = TimerHeap()
            // Few different ones, so that some are equal.
            let times = (0..<size).map { _ in Int64.random(in: 0...Int64(size / 2)) }
            for slot in (0..<size).shuffled() { heap.set(times[slot], for: slot) }
            XCTAssertEqual(heap.count, size)
            var taken: [Int] = []
            for time in times.sorted() {
                XCTAssertEqual(heap.earliest, time)
                XCTAssertNil(heap.removeFirst(notAfter: time - 1))
                guard let slot = heap.removeFirst(notAfter: time) else { return XCTFail("there is none") }
                XCTAssertEqual(times[slot], time)
                taken.append(slot)
            }
            XCTAssertEqual(taken.sorted(), Array(0..<size), "one twice")
            XCTAssertEqual(heap.earliest, .max)
            XCTAssertNil(heap.removeFirst(notAfter: .max))
        }
    }

    /// Setting, changing and removing at random, against an array that is sorted each time.
    func testTimersAgainstASortedArray() {
        var heap = TimerHeap()
        var model: [Int: Int64] = [:]
        for round in 0..<20_000 {
            let slot = Int.random(in: 0..<100)
            switch Int.random(in: 0..<4) {
            case 0, 1:
                let time = Int64.random(in: 0...1000)
                heap.set(time, for: slot)
                model[slot] = time
            case 2:
                heap.remove(slot)
                model[slot] = nil
            default:
                let limit = Int64.random(in: 0...200)
                let first = heap.removeFirst(notAfter: limit)
                let sorted = model.values.sorted()
                XCTAssertEqual(first.flatMap { model[$0] }, sorted.first.flatMap { $0 <= limit ? $0 : nil })
                if let first { model[first] = nil }
            }
            XCTAssertEqual(heap.earliest, model.values.min() ?? .max, "round \(round)")
            XCTAssertEqual(heap.count, model.count)
        }
        let left = model.sorted { $0.value < $1.value }.map(\.value)
        XCTAssertEqual(left, left.map { _ in heap.removeFirst(notAfter: .max).flatMap { model[$0] } })
    }

    /// A job, which is only carried around here, told from others by a number.
    private func job(_ number: Int) -> UnownedJob { unsafeBitCast(number, to: UnownedJob.self) }

    private func number(_ job: UnownedJob) -> Int { unsafeBitCast(job, to: Int.self) }

    func testJobsComeInOrderHoweverTheRingTurns() {
        // Round and round in the first piece of memory, at every fill; then growing from every place.
        for offset in [0, 1, 31, 63, 64, 65, 200] {
            for size in [0, 1, 63, 64, 65, 128, 129, 1000] {
                var ring = JobRing()
                for number in 0..<offset {
                    ring.append(job(number))
                    XCTAssertEqual(self.number(ring.removeFirst()), number)
                }
                XCTAssertTrue(ring.isEmpty)
                for number in 0..<size { ring.append(job(number)) }
                XCTAssertEqual(ring.count, size)
                for number in 0..<size { XCTAssertEqual(self.number(ring.removeFirst()), number) }
                XCTAssertTrue(ring.isEmpty)
            }
        }
    }

    func testJobsAgainstAnArray() {
        var ring = JobRing()
        var model: [Int] = []
        for number in 0..<20_000 {
            // More come than go, and then more go than come.
            if Int.random(in: 0..<10) < (number % 4000 < 2000 ? 6 : 4) {
                ring.append(job(number))
                model.append(number)
            } else if !model.isEmpty {
                XCTAssertEqual(self.number(ring.removeFirst()), model.removeFirst())
            }
            XCTAssertEqual(ring.count, model.count)
            XCTAssertEqual(ring.isEmpty, model.isEmpty)
        }
    }

    func testBufferKeepsOrderAndIsEmptyAfterwards() {
        var buffer = Buffer<Int>()
        for size in [0, 1, 15, 16, 17, 32, 33, 1000, 5] {
            for number in 0..<size { buffer.append(number) }
            XCTAssertEqual(buffer.count, size)
            var drained: [Int] = []
            buffer.drain { drained.append($0) }
            XCTAssertEqual(drained, Array(0..<size))
            XCTAssertEqual(buffer.count, 0)
        }
    }

    private final class Element: Sendable {}

    /// Each element is released once: when it is taken out, or with the buffer.
    func testBufferOwnsItsElements() {
        weak var early: Element?
        weak var late: Element?
        do {
            var buffer = Buffer<Element>()
            for _ in 0..<40 { buffer.append(Element()) }
            do {
                let element = Element()
                early = element
                buffer.append(element)
            }
            XCTAssertNotNil(early)
            buffer.drain { _ in }
            XCTAssertNil(early)
            do {
                let element = Element()
                late = element
                buffer.append(element)
            }
            XCTAssertNotNil(late)
        }
        XCTAssertNil(late)
    }
}
