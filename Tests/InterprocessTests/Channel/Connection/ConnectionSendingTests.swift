// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

/// Sending where there is no room, and where somebody gives up in the middle.
final class ConnectionSendingTests: InterprocessTestCase {
    private typealias Bytes = IPCConnection<[UInt8], [UInt8]>

    /// Fills the kernel's buffer; returns how many messages that took.
    private func fill(_ connection: Bytes, _ size: Int = 1000) throws -> Int {
        var count = 0
        do throws(IPCError) {
            while true {
                try connection.trySend(pattern(size))
                count += 1
            }
        } catch { XCTAssertEqual(error.code, .wouldBlock, "\(error)") }
        return count
    }

    func testWithoutRoom() throws {
        let (one, other) = try Bytes.pair()
        let count = try fill(one)
        XCTAssertGreaterThan(count, 10)
        assertThrows(.timedOut) { try one.send(pattern(1000), timeout: .milliseconds(5)) }
        // Those, and no others, arrive whole.
        for _ in 0..<count { XCTAssertEqual(try other.receive(timeout: .seconds(20)), pattern(1000)) }
        XCTAssertNil(try other.tryReceive())
        try one.send([7])
        XCTAssertEqual(try other.receive(), [7])
    }

    /// The limit is the largest size that arrives, in one frame or in several.
    func testMessagesOfJustTheLimit() throws {
        for count in [1000, 200_000] {
            let limit = try encoded(pattern(count)).count
            let (one, other) = try Bytes.pair(connectionOptions { $0.maximumMessageSize = limit })
            let sending = Running { try one.send(pattern(count)) }
            XCTAssertEqual(try other.receive(timeout: .seconds(20)), pattern(count))
            try sending.value()
            assertThrows(.messageTooLarge) { try one.send(pattern(count + 1)) }
        }
    }

    /// A large message that is given up in the middle leaves the connection as it was.
    func testALargeMessageIsGivenUp() throws {
        let (one, other) = try Bytes.pair()
        assertThrows(.timedOut) { try one.send(pattern(8 << 20), timeout: .milliseconds(20)) }
        assertThrows(.wouldBlock) { try one.trySend(pattern(8 << 20)) }
        let sending = Running { try one.send([1]) }
        XCTAssertEqual(try other.receive(timeout: .seconds(20)), [1])
        try sending.value()
        let large = Running { try one.send(pattern(1 << 20)) }
        XCTAssertEqual(try other.receive(timeout: .seconds(20)), pattern(1 << 20))
        try large.value()
    }

    func testALargeMessageIsCancelled() async throws {
        try await onEachExecutor {
            let (one, other) = try Bytes.pair()
            for _ in 0..<3 {
                let sending = start { try await one.send(pattern(8 << 20)) }
                // What was given up before may wait, too.
                await self.waits(one, atLeast: 1)
                sending.cancel()
                await self.assertThrows(.cancelled) { try await sending.value }
            }
            let last = start { try await one.send([1]) }
            let received = try await other.receive(timeout: .seconds(20))
            XCTAssertEqual(received, [1])
            try await last.value
        }
    }

    /// Many threads and tasks send messages of all sizes, some of which are given up; what arrives is whole, and in the
    /// order of its sender.
    func testManySendersAtOnce() async throws {
        let (one, other) = try Bytes.pair()
        let sizes = [5, 300, 20_000, 70_000, 300_000]
        let threads = (0..<4).map { thread in
            Running {
                for number in 0..<100 {
                    let head = [UInt8(thread), UInt8(number)]
                    try one.send(head + pattern(sizes[number % sizes.count]))
                    if number % 10 == 0 { _ = try? one.send(pattern(5 << 20), timeout: .microseconds(300)) }
                }
            }
        }
        let tasks = (4..<8).map { task in
            RunningTask(on: task % 2 == 0 ? nil : EventLoop.shared) {
                for number in 0..<100 {
                    let head = [UInt8(task), UInt8(number)]
                    try await one.send(head + pattern(sizes[number % sizes.count]))
                    if number % 10 == 0 { _ = try? await one.send(pattern(5 << 20), timeout: .microseconds(300)) }
                }
            }
        }
        var next = [UInt8](repeating: 0, count: 8)
        var count = 0
        while count < 800 {
            let message = try await other.receive(timeout: .seconds(60))
            if message.count == 5 << 20 { continue }
            XCTAssertEqual(message[1], next[Int(message[0])])
            next[Int(message[0])] += 1
            XCTAssertEqual(Array(message[2...]), pattern(sizes[Int(message[1]) % sizes.count]))
            count += 1
        }
        one.close()
        for thread in threads { _ = try? await onThread { try thread.value() } }
        for task in tasks { _ = try? await task.value() }
    }

    /// Once a part of a message has gone, whoever stops waiting leaves the rest to go by itself.
    func testTheRestOfAFrameGoesByItself() throws {
        let (one, other) = try Bytes.pair()
        let count = try fill(one, 60_000)
        assertThrows(.wouldBlock) { try one.trySend([1]) }
        // Nobody sends any more, and all of it arrives.
        for _ in 0..<count { XCTAssertEqual(try other.receive(timeout: .seconds(20)), pattern(60_000)) }
        XCTAssertNil(try other.tryReceive())
    }

    /// What tasks on a loop's thread have sent goes when the turn ends, and closing waits for it.
    func testClosingSendsWhatIsCollected() async throws {
        let (one, other) = try Bytes.pair()
        let sending = Task(executorPreference: EventLoop.shared) {
            await Task.yield()
            for number in 0..<100 { try await one.send([UInt8(number)]) }
            one.close()
        }
        for number in 0..<100 {
            let received = try await other.receive(timeout: .seconds(20))
            XCTAssertEqual(received, [UInt8(number)])
        }
        await assertThrows(.disconnected) { try await other.receive(timeout: .seconds(20)) }
        try await sending.value
    }

    /// The same where there is no room at first.
    func testClosingSendsWhatThereIsNoRoomFor() async throws {
        let (one, other) = try Bytes.pair()
        let count = try fill(one)
        let sending = Task(executorPreference: EventLoop.shared) {
            await Task.yield()
            for number in 0..<50 { try await one.send([UInt8(number)]) }
            one.close()
        }
        try await sending.value
        await assertThrows(.closed) { try await one.send([1]) }
        await assertThrows(.closed) { try await one.receive() }
        for _ in 0..<count { _ = try await other.receive(timeout: .seconds(20)) }
        for number in 0..<50 {
            let received = try await other.receive(timeout: .seconds(20))
            XCTAssertEqual(received, [UInt8(number)])
        }
        await assertThrows(.disconnected) { try await other.receive(timeout: .seconds(20)) }
    }

    /// The same where a task waits for room already, to send what nobody waits for.
    func testClosingLeavesTimeForWhatGoesByItself() async throws {
        let (one, other) = try Bytes.pair()
        let count = try fill(one)
        try await Task(executorPreference: EventLoop.shared) {
            await Task.yield()
            for number in 0..<50 { try await one.send([UInt8(number)]) }
        }.value
        await waits(one, atLeast: 1)
        one.close()
        for _ in 0..<count { _ = try await other.receive(timeout: .seconds(20)) }
        for number in 0..<50 {
            let received = try await other.receive(timeout: .seconds(20))
            XCTAssertEqual(received, [UInt8(number)])
        }
        await assertThrows(.disconnected) { try await other.receive(timeout: .seconds(20)) }
    }

    /// A peer that is gone ends sending, wherever it waits.
    func testThePeerLeaves() async throws {
        for large in [false, true] {
            let (one, other) = try Bytes.pair()
            let sending = Running { while true { try one.send(pattern(large ? 1 << 20 : 100)) } }
            let waiting = Running { while true { try one.send(pattern(large ? 1 << 20 : 100)) } }
            let task = RunningTask(on: EventLoop.shared) { while true { try await one.send(pattern(1 << 20)) } }
            sending.waitUntilBlocked()
            waiting.waitUntilBlocked()
            other.close()
            await assertThrows(.disconnected) { try await onThread { try sending.value() } }
            await assertThrows(.disconnected) { try await onThread { try waiting.value() } }
            await assertThrows(.disconnected) { try await task.value() }
        }
    }

    /// Closing ends calls that wait for room, or for their turn, or for something to come.
    func testClosingEndsEveryWait() async throws {
        try await onEachExecutor {
            let (one, other) = try Bytes.pair()
            let sending = start { while true { try await one.send(pattern(1 << 20)) } }
            let behind = start { while true { try await one.send(pattern(1 << 20)) } }
            let receiving = start { _ = try await one.receive() }
            let requests = (0..<3).map { _ in start { _ = try await one.request([1]) } }
            // One waits for room, one reads; how many others wait for room, or for those two, depends on where they run.
            await self.waits(one, atLeast: 2)
            one.close()
            for task in [sending, behind] + [receiving] + requests {
                await self.assertThrows(.closed) { try await task.value }
            }
            other.close()
        }
    }

    func testClosingEndsBlockedCalls() throws {
        let (one, other) = try Bytes.pair()
        let sending = Running { while true { try one.send(pattern(1 << 20)) } }
        sending.waitUntilBlocked()
        let behind = Running { while true { try one.send(pattern(1 << 20)) } }
        let reading = Running { _ = try one.receive() }
        let alsoReading = Running { _ = try one.receive() }
        for call in [behind] { call.waitUntilBlocked() }
        for call in [reading, alsoReading] { call.waitUntilBlocked() }
        one.close()
        assertThrows(.closed) { try sending.value() }
        assertThrows(.closed) { try behind.value() }
        assertThrows(.closed) { try reading.value() }
        assertThrows(.closed) { try alsoReading.value() }
        other.close()
    }

    /// A peer that never reads does not keep a closed connection for ever.
    func testAPeerThatNeverReads() async throws {
        let (one, other) = try Bytes.pair()
        _ = try fill(one)
        let descriptors = OpenDescriptors.count
        try await Task(executorPreference: EventLoop.shared) {
            await Task.yield()
            try await one.send([1])
            one.close()
        }.value
        await eventually("the descriptor is closed", within: .seconds(20)) { OpenDescriptors.count < descriptors }
        withExtendedLifetime(other) {}
    }

    private func waits(_ connection: Bytes, atLeast count: Int) async {
        await eventually("it waits") {
            (connection.descriptorCore.attached as? Registration)?.waiterCount ?? 0 >= count
        }
    }
}
