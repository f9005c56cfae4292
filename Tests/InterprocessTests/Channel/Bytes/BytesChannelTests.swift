// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

private func pattern(_ count: Int, _ seed: Int = 0) -> [UInt8] {
    // Of a period that no part's size is a multiple of.
    let period = (0..<251).map { UInt8(truncatingIfNeeded: ($0 &+ seed) &* 31) }
    var bytes: [UInt8] = []
    while bytes.count < count { bytes += period }
    return Array(bytes.prefix(count))
}

final class BytesChannelTests: InterprocessTestCase {
    /// Around what fits one packet, two, and many.
    private let sizes = [0, 1, 64, 65_527, 65_528, 65_529, 131_000, 1 << 20, (4 << 20) + 3]

    func testMessagesOfEverySize() throws {
        let (sender, receiver) = try IPCChannel.makeBytes()
        for size in sizes {
            let message = pattern(size)
            let sending = Running { try sender.send(message) }
            XCTAssertEqual(try receiver.receive(), message, "\(size)")
            try sending.value()
        }
        for size in sizes.prefix(6) {
            try sender.send(pattern(size).span.bytes)
            XCTAssertEqual(try receiver.withMessage { (bytes) throws(IPCError) in bytes.byteCount }, size)
        }
    }

    func testAwaitedMessagesOfEverySize() async throws {
        let (sender, receiver) = try IPCChannel.makeBytes()
        let sending = start { [sizes] in for size in sizes { try await sender.send(pattern(size)) } }
        for size in sizes {
            let message = try await receiver.receive()
            XCTAssertEqual(message, pattern(size), "\(size)")
        }
        try await sending.value
    }

    func testDisconnect() throws {
        let (sender, receiver) = try IPCChannel.makeBytes()
        try sender.send([1])
        sender.close()
        XCTAssertEqual(try receiver.receive(), [1])
        assertThrows(.disconnected) { try receiver.receive() }
        assertThrows(.disconnected) { try receiver.tryReceive() }
        let (other, gone) = try IPCChannel.makeBytes()
        gone.close()
        assertThrows(.disconnected) { try other.send([1]) }
    }

    func testAwaitedDisconnect() async throws {
        let (sender, receiver) = try IPCChannel.makeBytes()
        sender.close()
        await assertThrows(.disconnected) { try await receiver.receive() }
        let (other, gone) = try IPCChannel.makeBytes()
        gone.close()
        await assertThrows(.disconnected) { try await other.send([1]) }
    }

    func testIteration() async throws {
        let (sender, receiver) = try IPCChannel.makeBytes()
        for number in 0..<10 { try await sender.send([UInt8(number)]) }
        sender.close()
        var received: [UInt8] = []
        for try await message in receiver {
            received += message
            if received.count == 3 { break }
        }
        for try await message in receiver { received += message }
        XCTAssertEqual(received, Array(0..<10))
    }

    func testNothingThere() throws {
        let (sender, receiver) = try IPCChannel.makeBytes()
        XCTAssertNil(try receiver.tryReceive())
        assertThrows(.timedOut) { try receiver.receive(timeout: .milliseconds(1)) }
        try sender.trySend([7])
        XCTAssertEqual(try receiver.tryReceive(), [7])
    }

    func testFullChannel() async throws {
        let (sender, receiver) = try IPCChannel.makeBytes()
        let message = pattern(1000)
        var sent = 0
        assertThrows(.wouldBlock) { while true { try sender.trySend(message); sent += 1 } }
        XCTAssertGreaterThan(sent, 10)
        assertThrows(.timedOut) { try sender.send(message, timeout: .milliseconds(1)) }
        await assertThrows(.timedOut) { try await sender.send(message, timeout: .milliseconds(1)) }
        let waiting = RunningTask { try await sender.send(message) }
        await waitUntilAwaited(sender)
        waiting.cancel()
        await assertThrows(.cancelled) { try await waiting.value() }
        let blocked = Running { try sender.send(message) }
        blocked.waitUntilBlocked()
        for _ in 0...sent {
            let received = try await receiver.receive()
            XCTAssertEqual(received, message)
        }
        try blocked.value()
        XCTAssertNil(try receiver.tryReceive())
    }

    func testTooLarge() throws {
        var options = IPCChannel.Options()
        options.maximumMessageSize = 100
        let (sender, receiver) = try IPCChannel.makeBytes(options)
        assertThrows(.messageTooLarge) { try sender.send(pattern(101)) }
        try sender.send(pattern(100))
        XCTAssertEqual(try receiver.receive().count, 100)
    }

    /// Large messages of several senders arrive in parts, between one another.
    func testSendersDoNotMixUp() throws {
        let (sender, receiver) = try IPCChannel.makeBytes()
        let threads = (0..<8).map { number in
            Running {
                for round in 0..<4 { try sender.send(pattern(300_000 + number, number * 100 + round)) }
            }
        }
        var rounds = [Int](repeating: 0, count: 8)
        for _ in 0..<32 {
            let message = try receiver.receive()
            let number = message.count - 300_000
            XCTAssertEqual(message, pattern(300_000 + number, number * 100 + rounds[number]))
            rounds[number] += 1
        }
        for thread in threads { try thread.value() }
    }

    func testReceiversShareTheMessages() async throws {
        let (sender, receiver) = try IPCChannel.makeBytes()
        let tasks = (0..<4).map { _ in
            start { () async throws -> [UInt8] in
                var got: [UInt8] = []
                for try await message in receiver { got += message }
                return got
            }
        }
        let thread = Running { () throws -> [UInt8] in
            var got: [UInt8] = []
            while true {
                do { got += try receiver.receive() } catch let error as IPCError where error.code == .disconnected {
                    return got
                }
            }
        }
        for number in 0..<200 { try await sender.send([UInt8(number)]) }
        sender.close()
        var all = try thread.value()
        for task in tasks { all += try await task.value }
        XCTAssertEqual(all.sorted(), (0..<200).map { UInt8($0) })
    }

    func testCloseEndsWaits() async throws {
        let (sender, receiver) = try IPCChannel.makeBytes()
        let blocked = Running { try receiver.receive() }
        blocked.waitUntilBlocked()
        receiver.close()
        assertThrows(.closed) { try blocked.value() }
        let (other, awaited) = try IPCChannel.makeBytes()
        let waiting = RunningTask { try await awaited.receive() }
        await waitUntilAwaited(awaited)
        awaited.close()
        await assertThrows(.closed) { try await waiting.value() }
        sender.close()
        other.close()
        await assertThrows(.closed) { try await other.send([]) }
    }

    func testCloseEndsSendersThatWait() async throws {
        let message = pattern(60_000)
        for blocks in [true, false] {
            let (sender, receiver) = try IPCChannel.makeBytes()
            while (try? sender.trySend(message)) != nil {}
            if blocks {
                let blocked = Running { try sender.send(message) }
                blocked.waitUntilBlocked()
                sender.close()
                assertThrows(.closed) { try blocked.value() }
            } else {
                let waiting = RunningTask { try await sender.send(message) }
                await waitUntilAwaited(sender)
                sender.close()
                await assertThrows(.closed) { try await waiting.value() }
            }
            // What was sent before arrives.
            let received = try await receiver.receive()
            XCTAssertEqual(received, message)
        }
    }

    /// Not one of them shall delay the others: what has begun is given up, or done later.
    func testAnAbandonedMessage() throws {
        let (sender, receiver) = try IPCChannel.makeBytes()
        // More than the kernel keeps: it begins, and then there is no room.
        let error = assertThrows(.timedOut) { try sender.send(pattern(8 << 20), timeout: .milliseconds(10)) }
        XCTAssertNotNil(error)
        XCTAssertNil(try receiver.tryReceive())
        try sender.send([5])
        XCTAssertEqual(try receiver.receive(), [5])
        assertThrows(.wouldBlock) { try sender.trySend(pattern(8 << 20)) }
        XCTAssertNil(try receiver.tryReceive())
        try sender.send([6])
        XCTAssertEqual(try receiver.receive(), [6])
    }
}
