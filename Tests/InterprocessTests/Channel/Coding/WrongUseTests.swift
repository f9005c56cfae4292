// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// Types that do what they should not: that throws, and harms nothing.
final class WrongUseTests: CodingTestCase {
    private struct Wrong: Encodable {
        let body: (any Encoder) throws -> Void
        func encode(to encoder: any Encoder) throws { try body(encoder) }
    }

    private struct WrongReader: Decodable {
        nonisolated(unsafe) static var body: (any Decoder) throws -> Void = { _ in }
        init(from decoder: any Decoder) throws { try Self.body(decoder) }
    }

    private enum Keys: CodingKey { case a, b }

    private func assertFails(line: UInt = #line, _ body: @escaping (any Encoder) throws -> Void) throws {
        assertThrows(.encodingFailed, .encode, line: line) { try self.encoder.encode(Wrong(body: body)) }
        assertThrows(.encodingFailed, .encode, line: line) { try self.encoder.encode([Wrong(body: body)]) }
        try assertRoundTrip(TenFields(), line: line)
    }

    func testContainersThatAreWrittenToAfterTheirEnd() throws {
        try assertFails { encoder in
            var container = encoder.container(keyedBy: Keys.self)
            var nested = container.nestedContainer(keyedBy: Keys.self, forKey: .a)
            try container.encode(1, forKey: .b)
            try nested.encode(2, forKey: .a)
        }
        try assertFails { encoder in
            var container = encoder.unkeyedContainer()
            var nested = container.nestedUnkeyedContainer()
            try container.encode(1)
            _ = nested.nestedUnkeyedContainer()
        }
        try assertFails { encoder in
            var container = encoder.container(keyedBy: Keys.self)
            let late = container.superEncoder(forKey: .a)
            var nested = container.nestedUnkeyedContainer(forKey: .b)
            var single = late.singleValueContainer()
            try single.encode(1)
            try nested.encode(1)
        }
    }

    func testTwoValuesInOnePlace() throws {
        try assertFails { encoder in
            var container = encoder.singleValueContainer()
            try container.encode(1)
            try container.encode(2)
        }
        try assertFails { encoder in
            _ = encoder.container(keyedBy: Keys.self)
            _ = encoder.unkeyedContainer()
        }
        try assertFails { encoder in
            _ = encoder.unkeyedContainer()
            var container = encoder.singleValueContainer()
            try container.encode("x")
        }
        try assertFails { encoder in
            var container = encoder.singleValueContainer()
            try container.encode("x")
            var other = encoder.container(keyedBy: Keys.self)
            try other.encode(1, forKey: .a)
        }
    }

    func testContainersThatAreKept() throws {
        var kept: (any UnkeyedEncodingContainer)?
        var keptKeyed: KeyedEncodingContainer<Keys>?
        var keptSingle: (any SingleValueEncodingContainer)?
        _ = try encoder.encode(Wrong { kept = $0.unkeyedContainer() })
        _ = try encoder.encode(Wrong { keptKeyed = $0.container(keyedBy: Keys.self) })
        _ = try encoder.encode(Wrong { keptSingle = $0.singleValueContainer() })
        XCTAssertThrowsError(try kept?.encode(1))
        XCTAssertThrowsError(try keptKeyed?.encode("x", forKey: .a))
        try assertFails { _ in try kept?.encode(2) }
        try assertFails { _ in try keptKeyed?.encode(2, forKey: .a) }
        // Nothing is there, to which this could be written.
        try? keptSingle?.encode(1)
        try assertRoundTrip(TenFields())
    }

    func testEncodersThatOutliveTheirs() throws {
        var kept: (any UnkeyedEncodingContainer)?
        var keptEncoder: (any Encoder)?
        do {
            let encoder = IPCEncoder()
            _ = try encoder.encode(
                Wrong {
                    kept = $0.unkeyedContainer()
                    keptEncoder = $0
                }
            )
        }
        XCTAssertThrowsError(try kept?.encode("x"))
        var container = keptEncoder?.unkeyedContainer()
        try? container?.encode(1)
    }

    func testOuterContainersAreClosedByNothingWithin() throws {
        try assertFails { encoder in
            var container = encoder.unkeyedContainer()
            var list = container.nestedUnkeyedContainer()
            try list.encode(
                Wrong { inner in
                    var other = inner.unkeyedContainer()
                    try container.encode("out of turn")
                    try other.encode(1)
                }
            )
        }
    }

    func testACoderAtWork() throws {
        let encoder = self.encoder
        assertThrows(.busy) {
            try encoder.withEncoding(of: 1) { (_) throws(IPCError) in _ = try encoder.encode(2) }
        }
        assertThrows(.busy) { try encoder.encode(Wrong { _ in _ = try encoder.encode(1) }) }
        try assertRoundTrip(1)
    }

    func testDecodersThatAreKept() throws {
        let array = try encoder.encode(["a", "b"])
        let keyed = try encoder.encode(["a": "b"])
        let structure = try encoder.encode(TenFields())
        var list: (any UnkeyedDecodingContainer)?
        var keptDecoder: (any Decoder)?
        var single: (any SingleValueDecodingContainer)?
        WrongReader.body = { decoder in
            list = try decoder.unkeyedContainer()
            keptDecoder = decoder
            single = try decoder.singleValueContainer()
            _ = try list?.decode(String.self)
            _ = try list?.decode(String.self)
        }
        _ = try decoder.decode(WrongReader.self, from: array)
        func assertGone() {
            XCTAssertEqual(list?.isAtEnd, true)
            XCTAssertNil(list?.count)
            XCTAssertThrowsError(try list?.decode(String.self))
            XCTAssertThrowsError(try list?.nestedUnkeyedContainer())
            XCTAssertThrowsError(try keptDecoder?.unkeyedContainer())
            XCTAssertThrowsError(try single?.decode(String.self))
            XCTAssertEqual(single?.decodeNil(), false)
        }
        assertGone()
        WrongReader.body = { decoder in
            _ = try decoder.singleValueContainer()
            XCTAssertThrowsError(try list?.decode(String.self))
            XCTAssertThrowsError(try single?.decode(String.self))
        }
        _ = try decoder.decode(WrongReader.self, from: keyed)
        _ = try decoder.decode(TenFields.self, from: structure)
        assertGone()
    }

    func testTypesThatReadTooLittleOrTooMuch() throws {
        let array = try encoder.encode(["a", "b"])
        let bodies: [(any Decoder) throws -> Void] = [
            { _ in }, { _ = try $0.unkeyedContainer() },
            { decoder in
                var container = try decoder.unkeyedContainer()
                for _ in 0..<3 { _ = try container.decode(String.self) }
            },
            { _ = try $0.container(keyedBy: Keys.self) },
        ]
        for body in bodies {
            WrongReader.body = body
            assertThrows(.decodingFailed) { try self.decoder.decode(WrongReader.self, from: array) }
        }
        let structure = try encoder.encode(TenFields())
        WrongReader.body = { _ = try $0.container(keyedBy: TenFieldKeys.self).decode(String.self, forKey: .name) }
        assertThrows(.decodingFailed) { try self.decoder.decode(WrongReader.self, from: structure) }
    }

    private enum TenFieldKeys: CodingKey { case name }

    // MARK: Errors

    func testWhatTheTypesOwnCodeThrowsIsTold() throws {
        struct Complaint: Error, CustomStringConvertible { let description = "the moon is full" }
        struct Outer<Value: Encodable>: Encodable { let list: [[String: Value]] }
        let value = Outer(list: [[:], ["key": Wrong { _ in throw Complaint() }]])
        let error = assertThrows(.encodingFailed, .encode) { try self.encoder.encode(value) }
        XCTAssertEqual(error?.description, "cannot encode Outer<Wrong>.list[1].key: the moon is full")
        let coding = EncodingError.invalidValue(1, .init(codingPath: [], debugDescription: "no such value"))
        let other = assertThrows(.encodingFailed) { try self.encoder.encode(Wrong { _ in throw coding }) }
        XCTAssertEqual(other?.description.hasSuffix("no such value"), true)
        WrongReader.body = { _ in throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: "bad")) }
        let bytes = try encoder.encode([1: "x"])
        assertThrows(.decodingFailed) { try self.decoder.decode([Int: WrongReader].self, from: bytes) }
        // The library's own errors stay what they are.
        let moved = IPCError(.endpointMoved, operation: .write)
        assertThrows(.endpointMoved, .write) { try self.encoder.encode(["k": [Wrong { _ in throw moved }]]) }
    }

    func testMismatchesNameTheField() throws {
        struct One: Encodable { var inner = [Inner()]; struct Inner: Encodable { var count = 1 } }
        struct Two: Decodable { var inner: [Inner]; struct Inner: Decodable { var count: Double } }
        let error = assertThrows(.decodingFailed) { try self.transcode(One(), as: Two.self) }
        XCTAssertEqual(
            error?.description,
            "cannot decode Two.inner[0].count: there is an Int64 where a Float64 should be"
        )
    }
}
