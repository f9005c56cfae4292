// SPDX-License-Identifier: MIT OR Apache-2.0

import CInterprocess
import Foundation
import XCTest

@testable import Interprocess

/// Senders that send what no sender of this library does.
final class HostilePacketTests: InterprocessTestCase {
    /// Of messages that never get whole, the oldest is given up for the next one.
    func testMessagesInPartAreFew() throws {
        var assemblies = Assemblies()
        let part: [UInt8] = [1]
        try part.withUnsafeBytes { part in
            for number in 0...UInt64(Assemblies.most) {
                XCTAssertEqual(try assemblies.begin(number, 2, part), number == Assemblies.most, "\(number)")
            }
            XCTAssertNil(try assemblies.add(part, to: 0))
            for number in 1...UInt64(Assemblies.most) {
                XCTAssertEqual(try assemblies.add(part, to: number)?.count, 2, "\(number)")
            }
        }
        XCTAssertTrue(assemblies.partialMessages.isEmpty)
    }

    private var enemy: Int32 = -1
    private var receiver: IPCBytesReceiver!

    override func setUpWithError() throws {
        try super.setUpWithError()
        var ends: [Int64] = [-1, -1]
        XCTAssertEqual(cip_socket_pair(Int64(CIP_SEQUENCED_PACKETS), &ends), 0)
        enemy = Int32(ends[0])
        let core = DescriptorCore(OwnedDescriptor(ends[1]), name: "a channel", waker: .shutdown)
        receiver = IPCBytesReceiver(core, limit: 1 << 20)
    }

    override func tearDownWithError() throws {
        close(enemy)
        receiver = nil
        try super.tearDownWithError()
    }

    private func head(_ length: Int, _ kind: UInt8, _ attachments: UInt8 = 0, _ rest: UInt16 = 0) -> [UInt8] {
        bytes(UInt32(length)) + [kind, attachments] + bytes(rest)
    }

    private func bytes<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
        withUnsafeBytes(of: number.littleEndian) { Array($0) }
    }

    private func begin(_ identifier: UInt64, _ total: UInt64, _ part: [UInt8]) -> [UInt8] {
        head(16 + part.count, 1) + bytes(identifier) + bytes(total) + part
    }

    private func part(_ identifier: UInt64, _ part: [UInt8]) -> [UInt8] {
        head(8 + part.count, 2) + bytes(identifier) + part
    }

    private func send(_ packet: [UInt8], file: StaticString = #filePath, line: UInt = #line) {
        XCTAssertEqual(Foundation.send(enemy, packet, packet.count, 0), packet.count, file: file, line: line)
    }

    private func sendWithDescriptors(_ packet: [UInt8], _ count: Int) {
        var descriptors = [Int64](repeating: 0, count: count)
        var packet = packet
        let sent = packet.withUnsafeMutableBytes { packet in
            var buffer = cip_buffer(base: packet.baseAddress, count: packet.count)
            return withUnsafeMutablePointer(to: &buffer) { buffer in
                descriptors.withUnsafeMutableBufferPointer { descriptors in
                    var message = cip_message()
                    message.buffers = buffer
                    message.buffer_count = 1
                    message.descriptors = descriptors.baseAddress
                    message.descriptor_count = count
                    return cip_send_message(Int64(enemy), &message, true)
                }
            }
        }
        XCTAssertEqual(sent, Int64(packet.count))
    }

    /// The channel goes on.
    private func assertWorks(file: StaticString = #filePath, line: UInt = #line) {
        send(head(2, 0) + [4, 2])
        XCTAssertEqual(try receiver.receive(timeout: .seconds(10)), [4, 2], file: file, line: line)
    }

    func testMalformedPackets() throws {
        let packets: [(String, [UInt8])] = [
            ("less than a head", [1]),
            ("less than a head", Array(head(0, 0).dropLast())),
            ("less than it says", head(2, 0) + [1]),
            ("far less than it says", head(0x7fff_ffff, 0)),
            ("a negative length", [255, 255, 255, 255, 0, 0, 0, 0]),
            ("an unknown kind", head(0, 4)),
            ("something where nothing may be", head(0, 0, 0, 1)),
            ("attachments that did not come", head(0, 0, 1)),
            ("a beginning without its numbers", head(15, 1) + [UInt8](repeating: 0, count: 15)),
            ("a part without its number", head(7, 2) + [UInt8](repeating: 0, count: 7)),
            ("an abandonment without its number", head(0, 3)),
            ("an abandonment with more", head(9, 3) + [UInt8](repeating: 0, count: 9)),
            ("a beginning of nothing", begin(1, 0, [])),
            ("a beginning that is all", begin(1, 3, [1, 2, 3])),
            ("a beginning that is more", begin(1, 2, [1, 2, 3])),
            ("a part with attachments that did not come", head(8, 2, 1) + bytes(UInt64(1))),
            ("more than a packet has", [UInt8](repeating: 0, count: FrameHead.maximumPacket + 1)),
        ]
        for (name, packet) in packets {
            send(packet)
            assertThrows(.protocolViolation) { try receiver.receive() }
            // What was in the same packet goes with it, and nothing else.
            XCTAssertNil(try receiver.tryReceive(), name)
            assertWorks()
        }
    }

    func testSeveralMessagesInAPacket() throws {
        send(head(1, 0) + [1] + head(0, 0) + head(2, 0) + [2, 3])
        XCTAssertEqual(try receiver.receive(), [1])
        XCTAssertEqual(try receiver.receive(), [])
        XCTAssertEqual(try receiver.receive(), [2, 3])
        XCTAssertNil(try receiver.tryReceive())
        send(head(1, 0) + [1] + [9])
        XCTAssertEqual(try receiver.receive(), [1])
        assertThrows(.protocolViolation) { try receiver.receive() }
        assertWorks()
    }

    func testTooLargeToBeTrue() throws {
        for total in [UInt64(1) << 20 + 1, 1 << 40, .max] {
            send(begin(1, total, [1]))
            assertThrows(.messageTooLarge) { try receiver.receive() }
            // What follows of it is passed over.
            send(part(1, [1]))
            assertWorks()
        }
    }

    func testParts() throws {
        send(begin(7, 5, [1, 2]))
        send(begin(8, 2, [9]))
        // A number that is in use begins nothing.
        send(begin(7, 5, [1, 2]))
        assertThrows(.protocolViolation) { try receiver.receive() }
        send(part(7, [3, 4]))
        send(part(99, [3, 4]))
        send(part(8, [8]))
        XCTAssertEqual(try receiver.receive(), [9, 8])
        send(part(7, [5]))
        XCTAssertEqual(try receiver.receive(), [1, 2, 3, 4, 5])
        // More than was announced ends the message; so does a part of nothing, which would never end it.
        for wrong in [[], [1, 2, 3]] as [[UInt8]] {
            send(begin(7, 3, [1]))
            send(part(7, wrong))
            assertThrows(.protocolViolation) { try receiver.receive() }
            send(part(7, [2, 3]))
            XCTAssertNil(try receiver.tryReceive())
        }
        send(begin(7, 3, [1]))
        send(head(8, 3) + bytes(UInt64(7)))
        send(part(7, [2, 3]))
        assertWorks()
    }

    /// Senders that begin messages and do not go on cost the receiver little, and those that do go on nothing.
    func testManyBeginnings() throws {
        send(begin(1000, 3, [1]))
        for identifier in 0..<UInt64(Assemblies.most) - 1 { send(begin(identifier, 1 << 20, [1])) }
        send(part(1000, [2]))
        XCTAssertNil(try receiver.tryReceive())
        // The one that has waited longest goes, and that is told.
        send(begin(2000, 1 << 20, [1]))
        assertThrows(.resourcesExhausted) { try receiver.receive() }
        send(part(0, [2]))
        send(part(1000, [3]))
        XCTAssertEqual(try receiver.receive(), [1, 2, 3])
        assertWorks()
    }

    func testDescriptorsThatNobodyWants() throws {
        // They are closed, as the test's end finds out.
        sendWithDescriptors(head(1, 0, 3) + [7], 3)
        XCTAssertEqual(try receiver.receive(), [7])
        for (packet, count) in [(head(1, 0, 2) + [7], 3), (head(1, 0, 4) + [7], 3), ([1], 253)] {
            sendWithDescriptors(packet, count)
            assertThrows(.protocolViolation) { try receiver.receive() }
        }
        sendWithDescriptors(head(1, 0) + [7], 253)
        XCTAssertEqual(try receiver.receive(), [7])
        assertWorks()
    }

    /// They come with the last part: those that come before cost the message.
    func testDescriptorsOfMessagesInParts() throws {
        sendWithDescriptors(head(17, 1, 1) + bytes(UInt64(1)) + bytes(UInt64(5)) + [1], 1)
        assertThrows(.protocolViolation) { try receiver.receive() }
        send(part(1, [2, 3, 4, 5]))
        XCTAssertNil(try receiver.tryReceive())
        send(begin(2, 3, [1]))
        sendWithDescriptors(head(9, 2, 1) + bytes(UInt64(2)) + [2], 1)
        assertThrows(.protocolViolation) { try receiver.receive() }
        send(part(2, [3]))
        XCTAssertNil(try receiver.tryReceive())
        // More came than it says: the message is lost, too.
        send(begin(3, 2, [1]))
        sendWithDescriptors(head(9, 2, 1) + bytes(UInt64(3)) + [2], 2)
        assertThrows(.protocolViolation) { try receiver.receive() }
        send(part(3, [2]))
        XCTAssertNil(try receiver.tryReceive())
        send(begin(4, 2, [1]))
        sendWithDescriptors(head(9, 2, 2) + bytes(UInt64(4)) + [2], 2)
        let message = try receiver.receiveMessage()
        XCTAssertEqual(message.bytes, [1, 2])
        XCTAssertEqual(message.descriptorCount, 2)
        assertWorks()
    }

    /// A packet of nothing is not the end that it looks like.
    func testPacketsOfNothing() async throws {
        for isAwaited in [false, true] {
            send([])
            send([])
            sendWithDescriptors([], 2)
            for _ in 0..<3 {
                if isAwaited {
                    await assertThrows(.protocolViolation) { try await self.receiver.receive() }
                } else {
                    assertThrows(.protocolViolation) { try receiver.receive() }
                }
            }
            XCTAssertNil(try receiver.tryReceive())
            assertWorks()
        }
        let group = try IPCReceiverGroup()
        let id = try group.add(receiver)
        send([])
        guard case .failed(id, _) = try await group.next(timeout: .seconds(10)) else {
            return XCTFail("it has left the group")
        }
        send(head(1, 0) + [5])
        guard case .message(id, let message) = try await group.next(timeout: .seconds(10)) else {
            return XCTFail("there is no message")
        }
        XCTAssertEqual(message.bytes, [5])
        group.close()
        send([])
        shutdown(enemy, Int32(SHUT_WR))
        assertThrows(.disconnected) { try receiver.receive() }
    }

    /// Somebody who sends without end what is no message keeps no call longer than it may wait.
    func testEndlessPackets() async throws {
        let packet = Array(repeatElement(head(8, 3) + bytes(UInt64(1)), count: 4000).joined())
        let enemy = enemy
        let flooding = (0..<3).map { _ in
            Running { while Foundation.send(enemy, packet, packet.count, Int32(MSG_NOSIGNAL)) > 0 {} }
        }
        for call in flooding { call.waitUntilBlocked() }
        XCTAssertNil(try receiver.tryReceive())
        assertThrows(.timedOut) { try receiver.receive(timeout: .milliseconds(20)) }
        await assertThrows(.timedOut) { try await self.receiver.receive(timeout: .milliseconds(20)) }
        let group = try IPCReceiverGroup()
        try group.add(receiver)
        XCTAssertNil(try group.tryNext())
        await assertThrows(.timedOut) { try await group.next(timeout: .milliseconds(20)) }
        receiver.close()
        for call in flooding { try await onThread { try call.value() } }
    }

    func testRandomPackets() throws {
        var random = SplitMix64(seed: 1)
        for _ in 0..<20_000 {
            var packet: [UInt8] = []
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let count = Int.random(in: 0...40, using: &random)
                let payload = (0..<count).map { _ in UInt8.random(in: 0...3, using: &random) }
                packet += head(payload.count, UInt8.random(in: 0...4, using: &random)) + payload
            }
            if Bool.random(using: &random), let place = packet.indices.randomElement(using: &random) {
                packet[place] = .random(in: 0...255, using: &random)
            }
            if Int.random(in: 0...3, using: &random) == 0 { packet.removeLast(min(packet.count - 1, 3)) }
            send(packet)
            while true {
                do throws(IPCError) {
                    if try receiver.tryReceive() == nil { break }
                } catch {
                    XCTAssertTrue([.protocolViolation, .messageTooLarge, .resourcesExhausted].contains(error.code))
                }
            }
        }
        assertWorks()
    }
}
