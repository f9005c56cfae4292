// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

/// Messages that just fit a packet, and that just do not, with endpoints beside them.
final class PacketSizeTests: InterprocessTestCase {
    override var timeLimit: TimeInterval { 120 }
    /// The largest that goes in one packet.
    private let full = FrameHead.maximumPacket - FrameHead.size

    private func message(_ count: Int) -> [UInt8] {
        Array(unsafeUninitializedCapacity: count) { memory, filled in
            for index in 0..<count { memory[index] = UInt8(truncatingIfNeeded: index &* 7 &+ index >> 8) }
            filled = count
        }
    }

    /// Each endpoint that arrives is the right one, and takes a message of its own.
    private func assertTravels(_ size: Int, endpoints count: Int, line: UInt = #line) throws {
        let (sender, receiver) = try IPCChannel.makeBytes()
        let channels = try (0..<count).map { _ in try IPCChannel.makeBytes() }
        let message = message(size)
        let sending = Running { try sender.send(message, with: channels.map { $0.sender }) }
        let received = try receiver.receiveMessage(timeout: .seconds(30))
        try sending.value()
        XCTAssertEqual(received.bytes, message, line: line)
        XCTAssertEqual(received.descriptorCount, count, line: line)
        let packet = self.message(full)
        for (index, channel) in channels.enumerated() {
            channel.sender.close()
            let endpoint = try IPCBytesSender(adopting: received.takeDescriptor(index))
            try endpoint.trySend(packet)
            XCTAssertEqual(try channel.receiver.receive(), packet, line: line)
            endpoint.close()
            assertThrows(.disconnected) { try channel.receiver.receive() }
        }
    }

    /// Around the size up to which a packet is put together before it is sent.
    func testSmallPackets() throws {
        let (sender, receiver) = try IPCChannel.makeBytes()
        for size in Array(0...3) + Array(500...525) {
            try sender.send(message(size))
            XCTAssertEqual(try receiver.receive(), message(size), "\(size)")
        }
    }

    func testAFullPacketWithEndpoints() throws {
        for count in [0, 1, 2, 3, 4, 5, 6, 64] { try assertTravels(full, endpoints: count) }
    }

    func testAByteMoreThanAPacketWithEndpoints() throws {
        for count in [0, 63, 64, 253] { try assertTravels(full + 1, endpoints: count) }
    }

    func testNothingWithEndpoints() throws {
        for count in [0, 1, 253] { try assertTravels(0, endpoints: count) }
    }

    func testAMebibyteWithEndpoints() throws {
        for count in 0...6 { try assertTravels(1 << 20, endpoints: count) }
    }

    /// By one thread: all of it is in the kernel at once.
    func testAFullPacketFits() throws {
        let (sender, receiver) = try IPCChannel.makeBytes()
        for count in [full, 7, full] {
            try sender.trySend(message(count))
            XCTAssertEqual(try receiver.tryReceive(), message(count))
        }
    }

    /// Memory of many sizes comes and goes.
    func testTensOfMebibytes() throws {
        let (sender, receiver) = try IPCChannel.makeBytes()
        let sizes = [50, 46, 49, 47, 48].map { ($0 << 20) + 1 }
        let sending = Running {
            for size in sizes { try sender.send([UInt8](repeating: UInt8(size >> 20), count: size)) }
        }
        for size in sizes {
            let isRight = try receiver.withMessage(timeout: .seconds(60)) { (bytes) throws(IPCError) in
                bytes.byteCount == size
                    && bytes.withUnsafeBytes { [first = UInt8(size >> 20)] bytes in
                        bytes[0] == first && memcmp(bytes.baseAddress!, bytes.baseAddress! + 1, size - 1) == 0
                    }
            }
            XCTAssertTrue(isRight)
        }
        try sending.value()
    }
}
