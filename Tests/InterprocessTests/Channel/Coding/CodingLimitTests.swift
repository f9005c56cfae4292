// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

final class CodingLimitTests: CodingTestCase {
    private indirect enum Chain: Codable, Equatable {
        case end
        case link(Chain)

        static func of(_ length: Int) -> Chain { (0..<length).reduce(.end) { chain, _ in .link(chain) } }
    }

    private final class Node: Codable {
        var next: Node?
        init(_ next: Node?) { self.next = next }
    }

    func testBytes() throws {
        let values: [any Codable] = [
            String(repeating: "a", count: 100), [UInt8](repeating: 1, count: 100), [Sample(), Sample()], TenFields(),
            Data(repeating: 1, count: 100), ["key": "value"], Set([1, 2, 3]), 5, true, Int128(1), [1.5: "x"],
            Array(repeating: "element", count: 20), Shape.circle(x: 1, y: 2, radius: 3), Date(),
        ]
        for value in values { try assertExactLimit(value) }
    }

    private func assertExactLimit<Value: Codable>(_ value: Value) throws {
        let bytes = try IPCEncoder().encode(value)
        encoder.limits.bytes = bytes.count
        decoder.limits.bytes = bytes.count
        XCTAssertEqual(try encoder.encode(value), bytes, "\(value)")
        _ = try decoder.decode(Value.self, from: bytes)
        for limit in 0..<bytes.count {
            encoder.limits.bytes = limit
            assertThrows(.messageTooLarge, .encode) { try self.encoder.encode(value) }
        }
        decoder.limits.bytes = bytes.count - 1
        assertThrows(.messageTooLarge, .decode) { try self.decoder.decode(Value.self, from: bytes) }
    }

    func testLargeMessages() throws {
        let value = [UInt8](repeating: 7, count: 5 << 20)
        try assertRoundTrip(value)
        try assertRoundTrip(Array(repeating: value, count: 3))
        encoder.limits.bytes = .max
        try assertRoundTrip(value)
        encoder.limits.bytes = -1
        assertThrows(.messageTooLarge) { try self.encoder.encode(1) }
    }

    func testDepth() throws {
        func assertDepth<Value: Codable>(_ value: Value, _ depth: Int, line: UInt = #line) throws {
            let bytes = try IPCEncoder(limits: limits(depth: depth)).encode(value)
            _ = try IPCDecoder(limits: limits(depth: depth)).decode(Value.self, from: bytes)
            assertThrows(.encodingFailed, line: line) {
                try IPCEncoder(limits: self.limits(depth: depth - 1)).encode(value)
            }
            assertThrows(.decodingFailed, line: line) {
                try IPCDecoder(limits: self.limits(depth: depth - 1)).decode(Value.self, from: bytes)
            }
        }
        try assertDepth([["a"]], 2)
        try assertDepth(["a": ["b": 1]], 2)
        try assertDepth(Node(Node(nil)), 2)
        try assertDepth([Node(Node(nil))], 3)
    }

    private func limits(depth: Int) -> IPCCodingLimits {
        var limits = IPCCodingLimits()
        limits.depth = depth
        return limits
    }

    func testValuesThatAreNestedDeeply() throws {
        assertThrows(.encodingFailed) { try self.encoder.encode(Chain.of(1000)) }
        var node = Node(nil)
        for _ in 0..<1000 { node = Node(node) }
        assertThrows(.encodingFailed) { try self.encoder.encode(node) }
        // What a peer without limits would send: arrays of one array.
        var bytes: [UInt8] = []
        for level in (0..<200_000).reversed() {
            bytes.append(0x42)
            bytes += littleEndian(UInt32(4 + 9 * level))
            bytes += littleEndian(level == 0 ? 0 : 1)
        }
        struct Nest: Decodable {
            init(from decoder: any Decoder) throws {
                var container = try decoder.unkeyedContainer()
                while !container.isAtEnd { _ = try container.decode(Nest.self) }
            }
        }
        struct NestApart: Decodable {
            init(from decoder: any Decoder) throws {
                try Self.read(decoder.unkeyedContainer())
            }
            static func read(_ container: any UnkeyedDecodingContainer) throws {
                var container = container
                while !container.isAtEnd { try read(container.nestedUnkeyedContainer()) }
            }
        }
        struct NestBySupers: Decodable {
            init(from decoder: any Decoder) throws { try Self.read(decoder) }
            static func read(_ decoder: any Decoder) throws {
                var container = try decoder.unkeyedContainer()
                while !container.isAtEnd { try read(container.superDecoder()) }
            }
        }
        assertThrows(.decodingFailed) { try self.decoder.decode(Nest.self, from: [1] + bytes) }
        assertThrows(.decodingFailed) { try self.decoder.decode(NestApart.self, from: [1] + bytes) }
        assertThrows(.decodingFailed) { try self.decoder.decode(NestBySupers.self, from: [1] + bytes) }
        assertThrows(.decodingFailed) {
            try self.decoder.decode(Int?.self, from: [1] + [UInt8](repeating: 1, count: 1 << 20) + [0])
        }
    }

    private func littleEndian(_ number: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }

    func testElements() throws {
        encoder.limits.elements = 10
        decoder.limits.elements = 10
        try assertRoundTrip(Array(repeating: "s", count: 10))
        try assertRoundTrip([UInt8](repeating: 1, count: 1000))
        try assertRoundTrip(Data(repeating: 1, count: 1000))
        try assertRoundTrip([Sample](repeating: Sample(), count: 1000))
        let many: [any Codable] = [
            Array(repeating: "s", count: 11), [["a", "b", "c"], ["a", "b", "c"], ["a", "b"]], Set(0..<11),
            Dictionary(uniqueKeysWithValues: (0..<11).map { ($0, $0) }),
        ]
        for value in many { try assertTooManyElements(value) }
    }

    private func assertTooManyElements<Value: Codable>(_ value: Value) throws {
        assertThrows(.encodingFailed) { try self.encoder.encode(value) }
        let bytes = try IPCEncoder().encode(value)
        assertThrows(.decodingFailed) { try self.decoder.decode(Value.self, from: bytes) }
    }
}
