// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

private struct Order: Codable, Sendable, Equatable {
    var item: String
    var counts: [Int]
    var note: String?
}

/// One that cannot be encoded when it is told so, or decoded.
private struct Stubborn: Codable, Sendable {
    struct Refusal: Error {}
    var refuses = false
    var breaks = false

    init(refuses: Bool = false, breaks: Bool = false) {
        self.refuses = refuses
        self.breaks = breaks
    }

    init(from decoder: any Decoder) throws {
        breaks = try decoder.singleValueContainer().decode(Bool.self)
        if breaks { throw Refusal() }
    }

    func encode(to encoder: any Encoder) throws {
        if refuses { throw Refusal() }
        var container = encoder.singleValueContainer()
        try container.encode(breaks)
    }
}

final class TypedChannelTests: InterprocessTestCase {
    private let orders = [
        Order(item: "bolts", counts: [1, 2, 3], note: nil),
        Order(item: "", counts: [], note: "none"),
        Order(item: String(repeating: "long ", count: 100_000), counts: Array(0..<10_000), note: "large"),
    ]

    func testValues() throws {
        let (sender, receiver) = try IPCChannel.make(of: Order.self)
        let sending = Running { [orders] in for order in orders { try sender.send(order) } }
        for order in orders { XCTAssertEqual(try receiver.receive(), order) }
        try sending.value()
        XCTAssertNil(try receiver.tryReceive())
        try sender.trySend(orders[1])
        XCTAssertEqual(try receiver.tryReceive(), orders[1])
        sender.close()
        assertThrows(.disconnected) { try receiver.receive() }
    }

    /// Arrays of some sizes are sent from where they are: what arrives is what the coder says.
    func testLargeArrays() throws {
        struct Point: IPCPlain {
            var x: Float
            var y: Float
            static let layout = IPCPlainLayout(\Point.x, \.y)
        }
        let packet = FrameHead.maximumPacket
        for size in [0, 8, 4088, 4096, 4104, 65_536, packet - 72, packet - 64, packet - 56, packet, 100_000] {
            try check([UInt8](repeating: 7, count: size))
            try check([Float](repeating: 7.5, count: size / 4))
            try check([Point](repeating: Point(x: 1, y: 2), count: size / 8))
        }
    }

    private func check<Element: IPCPlain>(_ array: [Element]) throws {
        let (sender, receiver) = try IPCChannel.make(of: [Element].self)
        let sending = Running { try sender.send(array) }
        XCTAssertEqual(try IPCBytesReceiver(receiver.packets).receive(), try IPCEncoder().encode(array))
        try sending.value()
        var options = IPCChannel.Options()
        options.maximumMessageSize = max(1, array.count)
        let narrow = try IPCChannel.make(of: [Element].self, options)
        assertThrows(.messageTooLarge) { try narrow.sender.send(array) }
        XCTAssertNil(try narrow.receiver.tryReceive())
    }

    func testAwaitedValues() async throws {
        let (sender, receiver) = try IPCChannel.make(of: Order.self)
        let sending = start { [orders] in
            for order in orders { try await sender.send(order) }
            try await sender.flush()
            sender.close()
        }
        var received: [Order] = []
        for try await order in receiver { received.append(order) }
        XCTAssertEqual(received, orders)
        try await sending.value
    }

    /// On a loop's thread they are collected; elsewhere they are not.
    func testOnALoop() async throws {
        let (sender, receiver) = try IPCChannel.make(of: [Int].self)
        let sending = Task(executorPreference: EventLoop.shared) {
            await Task.yield()
            for number in 0..<500 { try await sender.send([number]) }
            try await sender.send(Array(0..<100_000))
            sender.close()
        }
        for number in 0..<500 {
            let received = try await receiver.receive()
            XCTAssertEqual(received, [number])
        }
        let last = try await receiver.receive()
        XCTAssertEqual(last, Array(0..<100_000))
        try await sending.value
        await assertThrows(.disconnected) { try await receiver.receive() }
    }

    func testFailuresOfTheCoderLeaveTheChannelUsable() throws {
        let (sender, receiver) = try IPCChannel.make(of: Stubborn.self)
        assertThrows(.encodingFailed) { try sender.send(Stubborn(refuses: true)) }
        XCTAssertNil(try receiver.tryReceive())
        try sender.send(Stubborn(breaks: true))
        try sender.send(Stubborn())
        assertThrows(.decodingFailed) { try receiver.receive() }
        XCTAssertEqual(try receiver.receive().breaks, false)
    }

    func testAnotherTypeIsAnError() throws {
        let (sender, receiver) = try IPCChannel.make(of: Order.self)
        let other = IPCSender<[String]>(
            try PacketTransport.adopt(OwnedDescriptor(dup(sender)), toReceive: false, isShared: true),
            limit: 1 << 20
        )
        try other.send(["not", "an", "order"])
        assertThrows(.decodingFailed) { try receiver.receive() }
        let bytes = try IPCBytesSender(adopting: IPCDescriptor(adopting: RawDescriptor(dup(sender))))
        for garbage in [[], [1], [UInt8](repeating: 255, count: 1000)] as [[UInt8]] {
            try bytes.send(garbage)
            assertThrows(.decodingFailed) { try receiver.receive() }
        }
        try sender.send(orders[0])
        XCTAssertEqual(try receiver.receive(), orders[0])
    }

    private func dup(_ owner: any DescriptorOwner) throws -> Int64 {
        Int64(try owner.withUnsafeDescriptor { Foundation.dup($0) })
    }

    func testTooLarge() throws {
        var options = IPCChannel.Options()
        options.maximumMessageSize = 1000
        let (sender, receiver) = try IPCChannel.make(of: [UInt8].self, options)
        assertThrows(.messageTooLarge) { try sender.send([UInt8](repeating: 0, count: 1000)) }
        try sender.send([1])
        XCTAssertEqual(try receiver.receive(), [1])
    }

    func testManyThreads() throws {
        let (sender, receiver) = try IPCChannel.make(of: [Int].self)
        let threads = (0..<4).map { thread in Running { for number in 0..<500 { try sender.send([thread, number]) } } }
        var next = [0, 0, 0, 0]
        for _ in 0..<2000 {
            let value = try receiver.receive()
            XCTAssertEqual(value[1], next[value[0]])
            next[value[0]] += 1
        }
        for thread in threads { try thread.value() }
    }
}
