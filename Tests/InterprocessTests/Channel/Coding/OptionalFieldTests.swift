// SPDX-License-Identifier: MIT OR Apache-2.0

import Interprocess
import XCTest

/// Optional fields are coded by a form for each type, and those of generic types by one for all: which has to be the same.
final class OptionalFieldTests: CodingTestCase {
    private struct Fields: Codable, Equatable {
        var bool: Bool?
        var string: String?
        var double: Double?
        var float: Float?
        var int: Int?
        var int8: Int8?
        var int16: Int16?
        var int32: Int32?
        var int64: Int64?
        var int128: Int128?
        var uint: UInt?
        var uint8: UInt8?
        var uint16: UInt16?
        var uint32: UInt32?
        var uint64: UInt64?
        var uint128: UInt128?

        enum CodingKeys: CodingKey {
            case bool, string, double, float, int, int8, int16, int32, int64, int128
            case uint, uint8, uint16, uint32, uint64, uint128
        }

        static let least = Fields(
            bool: false,
            string: "",
            double: -.greatestFiniteMagnitude,
            float: -.infinity,
            int: .min,
            int8: .min,
            int16: .min,
            int32: .min,
            int64: .min,
            int128: .min,
            uint: 0,
            uint8: 0,
            uint16: 0,
            uint32: 0,
            uint64: 0,
            uint128: 0
        )
        static let most = Fields(
            bool: true,
            string: "text",
            double: .pi,
            float: .leastNonzeroMagnitude,
            int: .max,
            int8: .max,
            int16: .max,
            int32: .max,
            int64: .max,
            int128: .max,
            uint: .max,
            uint8: .max,
            uint16: .max,
            uint32: .max,
            uint64: .max,
            uint128: .max
        )
    }

    /// The same fields, each coded as whatever it is.
    private struct GenericFields: Codable {
        var fields: Fields

        init(_ fields: Fields) { self.fields = fields }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Fields.CodingKeys.self)
            func put<Value: Encodable>(_ value: Value?, _ key: Fields.CodingKeys) throws {
                try container.encodeIfPresent(value, forKey: key)
            }
            try put(fields.bool, .bool)
            try put(fields.string, .string)
            try put(fields.double, .double)
            try put(fields.float, .float)
            try put(fields.int, .int)
            try put(fields.int8, .int8)
            try put(fields.int16, .int16)
            try put(fields.int32, .int32)
            try put(fields.int64, .int64)
            try put(fields.int128, .int128)
            try put(fields.uint, .uint)
            try put(fields.uint8, .uint8)
            try put(fields.uint16, .uint16)
            try put(fields.uint32, .uint32)
            try put(fields.uint64, .uint64)
            try put(fields.uint128, .uint128)
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Fields.CodingKeys.self)
            func take<Value: Decodable>(_ key: Fields.CodingKeys) throws -> Value? {
                try container.decodeIfPresent(Value.self, forKey: key)
            }
            fields = Fields(
                bool: try take(.bool),
                string: try take(.string),
                double: try take(.double),
                float: try take(.float),
                int: try take(.int),
                int8: try take(.int8),
                int16: try take(.int16),
                int32: try take(.int32),
                int64: try take(.int64),
                int128: try take(.int128),
                uint: try take(.uint),
                uint8: try take(.uint8),
                uint16: try take(.uint16),
                uint32: try take(.uint32),
                uint64: try take(.uint64),
                uint128: try take(.uint128)
            )
        }
    }

    func testEachTypeIsCodedAsAnyTypeIs() throws {
        for fields in [Fields(), .least, .most] {
            let bytes = try assertRoundTrip(fields)
            XCTAssertEqual(try encoder.encode(GenericFields(fields)), bytes)
            XCTAssertEqual(try decoder.decode(GenericFields.self, from: bytes).fields, fields)
        }
    }

    /// A field that is there is not taken for one of another width, be its value small.
    func testFieldsOfOtherTypesAreRefused() throws {
        struct Narrow: Codable { var field: Int8? = 1 }
        struct Wide: Codable { var field: Int64? = 1 }
        struct Unsigned: Codable { var field: UInt64? = 1 }
        struct Number: Codable { var field: Float? = 1 }
        struct Larger: Codable { var field: Double? = 1 }
        assertThrows(.decodingFailed) { try self.transcode(Wide(), as: Narrow.self) }
        assertThrows(.decodingFailed) { try self.transcode(Narrow(), as: Unsigned.self) }
        assertThrows(.decodingFailed) { try self.transcode(Larger(), as: Number.self) }
        // One that is not there is none of any type.
        XCTAssertNil(try transcode(Wide(field: nil), as: Narrow.self).field)
        XCTAssertNil(try transcode(Number(field: nil), as: Unsigned.self).field)
    }
}
