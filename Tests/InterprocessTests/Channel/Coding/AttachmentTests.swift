// SPDX-License-Identifier: MIT OR Apache-2.0

import CInterprocess
import Foundation
import XCTest

@testable import Interprocess

/// Values that take descriptors along.
final class AttachmentTests: CodingTestCase {
    private struct Parcel: OutgoingAttachment {
        let kind: AttachmentKind
        let descriptor: Int64
    }

    /// The end of a pipe: refers to the descriptor here, and owns it there.
    private final class Carried: Codable {
        static let kind = AttachmentKind(rawValue: 9)
        let descriptor: Int64
        private let isOwned: Bool

        init(_ descriptor: Int64) { (self.descriptor, isOwned) = (descriptor, false) }

        init(from decoder: any Decoder) throws {
            guard let decoder = decoder as? any AttachmentDecoder else { throw CancellationError() }
            descriptor = try decoder.claimAttachment(Self.kind).release()
            isOwned = true
        }

        deinit { if isOwned { _ = OwnedDescriptor(descriptor) } }

        func encode(to encoder: any Encoder) throws {
            guard let encoder = encoder as? any AttachmentEncoder else { throw CancellationError() }
            try encoder.encode(attachment: Parcel(kind: Self.kind, descriptor: descriptor))
        }
    }

    private struct Mail: Codable {
        var first: Carried
        var text = "text"
        var others: [String: [Carried?]]
        var last: Carried?
    }

    private func descriptor() throws -> OwnedDescriptor {
        try OwnedDescriptor(result: Int64(open("/dev/null", O_RDONLY | O_CLOEXEC)), .open, name: nil)
    }

    /// Encodes, and gives the attachments to the receiver as new descriptors.
    private func send<Value: Encodable>(_ value: Value) throws -> (bytes: [UInt8], received: ReceivedDescriptors) {
        try encoder.withMessage(of: value) { bytes, attachments throws(IPCError) in
            var copies: [Int64] = []
            for case let parcel as Parcel in attachments { copies.append(Int64(dup(Int32(parcel.descriptor)))) }
            return (bytes.withUnsafeBytes { [UInt8]($0) }, ReceivedDescriptors(copies))
        }
    }

    private func receive<Value: Decodable>(
        _ type: Value.Type,
        _ bytes: [UInt8],
        _ received: ReceivedDescriptors?
    ) throws -> Value {
        try decoder.decode(type, from: bytes.span.bytes, received)
    }

    func testAttachmentsInAnyNesting() throws {
        let one = try descriptor(), two = try descriptor()
        let (first, second) = (Carried(one.raw), Carried(two.raw))
        let mail = Mail(first: first, others: ["a": [second, nil, first], "b": []], last: second)
        let (bytes, received) = try send(mail)
        let back = try receive(Mail.self, bytes, received)
        let all = [back.first, back.others["a"]?[0], back.others["a"]?[2], back.last].compactMap { $0?.descriptor }
        XCTAssertEqual(Set(all).count, 4)
        for descriptor in all { XCTAssertNotEqual(fcntl(Int32(descriptor), F_GETFD), -1) }
        XCTAssertNil(back.others["a"]?[1])
    }

    func testTheFormat() throws {
        let (bytes, _) = try send([Carried(0), Carried(0)])
        XCTAssertEqual(hex(bytes), "01 42 10 00 00 00 02 00 00 00 30 09 00 00 00 00 30 09 01 00 00 00")
    }

    func testOnlyMessagesOfChannelsHaveThem() throws {
        assertThrows(.encodingFailed, .encode) { try self.encoder.encode([Carried(0)]) }
        let bytes = try send(Carried(0)).bytes
        assertThrows(.decodingFailed, .decode) { try self.decoder.decode(Carried.self, from: bytes) }
        XCTAssertThrowsError(try JSONEncoder().encode([Carried(0)]))
    }

    func testEachIsClaimedOnceAndTheOthersAreClosed() throws {
        let one = try descriptor()
        let before = OpenDescriptors.count
        do {
            let (bytes, received) = try send([Carried(one.raw), Carried(one.raw), Carried(one.raw)])
            // The second is the first again, the third is none, the kind is another, or they never arrived.
            for (offset, byte) in [(18, 0), (24, 3), (11, 8), (12, 255)] as [(Int, UInt8)] {
                var changed = bytes
                changed[offset] = byte
                XCTAssertNotEqual(changed, bytes)
                let (_, attachments) = try send([Carried(one.raw), Carried(one.raw), Carried(one.raw)])
                assertThrows(.decodingFailed) { try self.receive([Carried].self, changed, attachments) }
            }
            assertThrows(.decodingFailed) { try self.receive([Carried].self, bytes, nil) }
            assertThrows(.decodingFailed) { try self.receive([String].self, bytes, received) }
            assertThrows(.decodingFailed) { try self.receive(Carried.self, Array(bytes.dropLast()), received) }
            XCTAssertEqual(OpenDescriptors.count, before + 3, "what nobody claimed is still there")
            XCTAssertEqual(try receive([Carried].self, bytes, received).count, 3)
        }
        XCTAssertEqual(OpenDescriptors.count, before)
    }

    func testLimit() throws {
        encoder.limits.attachments = 3
        XCTAssertEqual(try encoder.withMessage(of: [Carried(0), Carried(0), Carried(0)]) { $1.count }, 3)
        assertThrows(.encodingFailed, .encode) {
            try self.encoder.withMessage(of: Array(repeating: Carried(0), count: 4)) { _, _ in }
        }
        encoder.limits = IPCCodingLimits()
        XCTAssertEqual(try encoder.withMessage(of: Array(repeating: Carried(0), count: 253)) { $1.count }, 253)
        assertThrows(.encodingFailed, .encode) {
            try self.encoder.withMessage(of: Array(repeating: Carried(0), count: 254)) { _, _ in }
        }
    }

    func testWhatCannotBeEncodedLeavesNothingToTheNext() throws {
        struct Failing: Encodable {
            let carried: Carried
            func encode(to encoder: any Encoder) throws {
                var container = encoder.unkeyedContainer()
                try container.encode(carried)
                throw CancellationError()
            }
        }
        assertThrows(.encodingFailed) { try self.encoder.withMessage(of: Failing(carried: Carried(0))) { _, _ in } }
        XCTAssertEqual(try encoder.withMessage(of: Carried(0)) { $1.count }, 1)
        // Also where the value goes on without the part.
        struct Careful: Encodable {
            func encode(to encoder: any Encoder) throws {
                var container = encoder.unkeyedContainer()
                XCTAssertThrowsError(try container.encode(Failing(carried: Carried(0))))
                try container.encode(Carried(0))
            }
        }
        XCTAssertEqual(try encoder.withMessage(of: Careful()) { $1.count }, 1)
    }
}
