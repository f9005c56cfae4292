// SPDX-License-Identifier: MIT OR Apache-2.0

import XCTest

@testable import Interprocess

/// Receivers that are sent to somebody else with what they have received ahead.
final class MovingReceiverTests: InterprocessTestCase {
    /// What has come with another message in one packet.
    func testTheRestOfAPacketGoesAlong() throws {
        let (sender, receiver) = try packet(of: [1, 2, 3])
        XCTAssertEqual(try receiver.receive(), 1)
        let moved = try moving(receiver)
        assertThrows(.endpointMoved) { try receiver.receive() }
        try sender.send(4)
        for number in 2...4 { XCTAssertEqual(try moved.receive(timeout: .seconds(20)), number) }

        // And on from there.
        sender.close()
        let last = try moving(moved)
        assertThrows(.disconnected) { try last.receive(timeout: .seconds(20)) }
    }

    /// Parts of several messages at once.
    func testPartsOfMessagesGoAlong() throws {
        let (sender, receiver) = try IPCChannel.make(of: [UInt8].self)
        let core = sender.packets.core
        let messages = try [UInt8(1), 2].map { number in
            try IPCEncoder().encode([UInt8](repeating: number, count: Int(number) << 20))
        }
        var parts = messages.map { PacketParts($0.count, []) }
        func sendPart(of index: Int) {
            let result = messages[index].withUnsafeBytes { bytes in
                parts[index].send(core, bytes, wait: true, Patience(isNonblocking: false, deadline: .never))
            }
            XCTAssertGreaterThan(result, 0)
            parts[index].advance()
        }
        for index in [0, 1, 0] { sendPart(of: index) }
        XCTAssertNil(try receiver.tryReceive())
        let moved = try moving(moving(receiver))
        for index in [1, 0] {
            while !parts[index].areSent {
                sendPart(of: index)
                let isWhole = parts[index].areSent
                XCTAssertEqual(try moved.tryReceive()?.count, isWhole ? (index + 1) << 20 : nil)
            }
        }
    }

    func testWhatCannotBeSentKeepsIt() throws {
        let (_, receiver) = try packet(of: [1, 2])
        XCTAssertEqual(try receiver.receive(), 1)
        let (carrier, carried) = try IPCChannel.make(of: [IPCReceiver<Int>].self)
        assertThrows(.busy) { try carrier.send([receiver, receiver]) }
        carried.close()
        assertThrows(.disconnected) { try carrier.send([receiver]) }
        XCTAssertEqual(try receiver.tryReceive(), 2)
    }

    /// A group need not wait for what has come already.
    func testAGroupGetsIt() throws {
        let (_, receiver) = try packet(of: [1, 2, 3])
        XCTAssertEqual(try receiver.receive(), 1)
        let group = try IPCReceiverGroup()
        let member = try group.add(try moving(receiver))
        for number in 2...3 {
            guard case .message(member, let message) = try group.next(timeout: .seconds(20)) else {
                return XCTFail("no message")
            }
            XCTAssertEqual(try message.decode(as: Int.self), number)
        }
    }

    func testNonsenseIsAnError() throws {
        typealias Partial = ReceivedAhead.PartialMessage
        let whole = Partial(identifier: 1, total: 3, bytes: [1, 2, 3])
        let begun = Partial(identifier: 2, total: 3, bytes: [1])
        let large = Partial(identifier: 3, total: 1 << 20, bytes: [1])
        let negative = Partial(identifier: 4, total: -1, bytes: [])
        let many = (0...UInt64(Assemblies.most)).map { Partial(identifier: $0, total: 3, bytes: [1]) }
        let packet = [UInt8](repeating: 0, count: FrameHead.maximumPacket + 1)
        for (ahead, code) in [
            (ReceivedAhead(messages: [whole]), IPCError.Code.protocolViolation),
            (ReceivedAhead(messages: [begun, begun]), .protocolViolation),
            (ReceivedAhead(messages: [negative]), .protocolViolation),
            (ReceivedAhead(messages: [large]), .messageTooLarge),
            (ReceivedAhead(packet: packet), .protocolViolation),
            (ReceivedAhead(messages: many), .protocolViolation),
        ] {
            let (sender, receiver) = try PacketTransport.makePair()
            assertThrows(code) { _ = try PacketReceiver(receiver, limit: 1 << 16, ahead) }
            sender.close()
            receiver.close()
        }
        // What is no frame is a failure of the packet, and the channel goes on.
        let (sender, core) = try PacketTransport.makePair()
        let receiver = try PacketReceiver(core, limit: 1 << 16, ReceivedAhead(packet: [9, 9, 9]))
        assertThrows(.protocolViolation) { _ = try receiver.tryTake() }
        XCTAssertNil(try receiver.tryTake())
        sender.close()
        receiver.close()
    }

    /// A channel with messages that have come in one packet.
    private func packet(of numbers: [Int]) throws -> (IPCSender<Int>, IPCReceiver<Int>) {
        let (sender, receiver) = try IPCChannel.make(of: Int.self)
        try sender.send(contentsOf: numbers)
        return (sender, receiver)
    }

    private func moving<Message>(_ receiver: IPCReceiver<Message>) throws -> IPCReceiver<Message> {
        let (carrier, carried) = try IPCChannel.make(of: IPCReceiver<Message>.self)
        let mover = Running { try carrier.send(receiver) }
        let moved = try carried.receive(timeout: .seconds(20))
        try mover.value()
        return moved
    }
}
