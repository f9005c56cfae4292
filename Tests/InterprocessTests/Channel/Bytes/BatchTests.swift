// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

/// Many messages by one call go in few packets.
final class BatchTests: InterprocessTestCase {
    private let messages = (0..<3000).map { number in
        [UInt8](repeating: UInt8(number % 251), count: number % 500 == 499 ? 70_000 : number % 97)
    }

    func testOnePacketForManyMessages() throws {
        let (sender, receiver) = try IPCChannel.makeBytes()
        try sender.send(contentsOf: (0..<50).map { [$0] })
        try sender.send(contentsOf: [])
        var packet = [UInt8](repeating: 0, count: 1 << 16)
        let count = try receiver.withUnsafeDescriptor { recv($0, &packet, packet.count, Int32(MSG_PEEK)) }
        XCTAssertEqual(count, 50 * 9)
        for number in 0..<50 { XCTAssertEqual(try receiver.receive(), [UInt8(number)]) }
        XCTAssertNil(try receiver.tryReceive())
    }

    func testAllOfThemArriveInOrder() throws {
        let (sender, receiver) = try IPCChannel.makeBytes()
        let sending = Running { [messages] in
            try sender.send([1])
            try sender.send(contentsOf: messages)
            try sender.send([2])
        }
        XCTAssertEqual(try receiver.receive(), [1])
        for message in messages { XCTAssertEqual(try receiver.receive(), message) }
        XCTAssertEqual(try receiver.receive(), [2])
        try sending.value()
    }

    func testAwaited() async throws {
        try await onEachExecutor {
            let (sender, receiver) = try IPCChannel.makeBytes()
            let sending = start { [messages] in
                try await sender.send([1])
                try await sender.send(contentsOf: messages)
                try await sender.send([2])
                try await sender.flush()
            }
            var received: [[UInt8]] = []
            while received.count < messages.count + 2 { received.append(try await receiver.receive()) }
            XCTAssertEqual(received, [[1]] + messages + [[2]])
            try await sending.value
        }
    }

    private struct Item: Codable, Sendable {
        var number: Int
        var way: IPCSender<Int>?
    }

    func testValues() throws {
        let (sender, receiver) = try IPCChannel.make(of: Item.self)
        let (back, replies) = try IPCChannel.make(of: Int.self)
        let items = (0..<2000).map { Item(number: $0, way: $0 % 400 == 7 ? back : nil) }
        let sending = Running { try sender.send(contentsOf: items) }
        for number in 0..<2000 { try reply(to: receiver.receive(), number) }
        try sending.value()
        for number in stride(from: 7, to: 2000, by: 400) { XCTAssertEqual(try replies.tryReceive(), number) }
    }

    func testAwaitedValues() async throws {
        let (sender, receiver) = try IPCChannel.make(of: Item.self)
        let (back, replies) = try IPCChannel.make(of: Int.self)
        let items = (0..<2000).map { Item(number: $0, way: $0 % 400 == 7 ? back : nil) }
        let sending = start { try await sender.send(contentsOf: items) }
        for number in 0..<2000 { try reply(to: await receiver.receive(), number) }
        try await sending.value
        for number in stride(from: 7, to: 2000, by: 400) { XCTAssertEqual(try replies.tryReceive(), number) }
    }

    private func reply(to item: Item, _ number: Int) throws {
        XCTAssertEqual(item.number, number)
        if number % 400 == 7 { try XCTUnwrap(item.way).send(number) }
    }

    /// What cannot be encoded or is too large ends the batch; nothing that follows it is sent.
    func testAFailureInTheMiddle() throws {
        var options = IPCChannel.Options()
        options.maximumMessageSize = 10
        let (sender, receiver) = try IPCChannel.makeBytes(options)
        assertThrows(.messageTooLarge) {
            try sender.send(contentsOf: [[1], [UInt8](repeating: 2, count: 11), [3]])
        }
        try sender.send([4])
        var received = try receiver.receive()
        if received == [1] { received = try receiver.receive() }
        XCTAssertEqual(received, [4])
    }

    /// What arrives of a batch that is not sent in time is its beginning, and the channel goes on.
    func testTimeLimit() async throws {
        for isAwaited in [false, true] {
            let (sender, receiver) = try IPCChannel.makeBytes()
            let batch = (0..<20_000).map { number in
                withUnsafeBytes(of: number) { [UInt8]($0) } + [UInt8](repeating: 0, count: 992)
            }
            if isAwaited {
                await assertThrows(.timedOut) { try await sender.send(contentsOf: batch, timeout: .milliseconds(20)) }
            } else {
                assertThrows(.timedOut) { try sender.send(contentsOf: batch, timeout: .milliseconds(20)) }
            }
            var count = 0
            while let message = try receiver.tryReceive() {
                XCTAssertEqual(message, batch[count])
                count += 1
            }
            XCTAssertGreaterThan(count, 0)
            try sender.trySend([7])
            XCTAssertEqual(try receiver.tryReceive(), [7])
        }
    }

    func testEndsThatAreGone() async throws {
        let (sender, receiver) = try IPCChannel.makeBytes()
        receiver.close()
        assertThrows(.disconnected) { try sender.send(contentsOf: [[1], [2]]) }
        await assertThrows(.disconnected) { try await sender.send(contentsOf: [[1], [2]]) }
        sender.close()
        assertThrows(.closed) { try sender.send(contentsOf: [[1]]) }
        await assertThrows(.closed) { try await sender.send(contentsOf: [[1]]) }
    }

    func testCancelling() async throws {
        let (sender, receiver) = try IPCChannel.makeBytes()
        let sending = start {
            try await sender.send(contentsOf: [[UInt8]](repeating: [UInt8](repeating: 1, count: 60_000), count: 100))
        }
        await waitUntilAwaited(sender)
        sending.cancel()
        await assertThrows(.cancelled) { try await sending.value }
        receiver.close()
    }
}
