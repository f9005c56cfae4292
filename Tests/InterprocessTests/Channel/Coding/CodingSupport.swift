// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

class CodingTestCase: InterprocessTestCase {
    let encoder = IPCEncoder()
    let decoder = IPCDecoder()

    /// Expects a value to come back as it was.
    @discardableResult
    func assertRoundTrip<Value: Codable & Equatable>(
        _ value: Value,
        file: StaticString = #filePath,
        line: UInt = #line
    ) throws -> [UInt8] {
        let bytes = try encoder.encode(value)
        XCTAssertEqual(try decoder.decode(Value.self, from: bytes), value, file: file, line: line)
        XCTAssertEqual(try IPCEncoder().encode(value), bytes, "the same value, other bytes", file: file, line: line)
        return bytes
    }

    /// Expects a value to be certain bytes, written as hexadecimal numbers.
    func assertBytes<Value: Codable & Equatable>(
        _ value: Value,
        _ expected: String,
        file: StaticString = #filePath,
        line: UInt = #line
    ) throws {
        XCTAssertEqual(hex(try assertRoundTrip(value, file: file, line: line)), expected, file: file, line: line)
    }

    func hex(_ bytes: [UInt8]) -> String { bytes.map { String(format: "%02x", $0) }.joined(separator: " ") }

    /// Bytes from hexadecimal numbers.
    func bytes(_ hex: String) -> [UInt8] { hex.split(separator: " ").compactMap { UInt8($0, radix: 16) } }

    /// Encodes a value, and decodes it as one of another type.
    func transcode<Value: Encodable, Other: Decodable>(_ value: Value, as type: Other.Type) throws -> Other {
        try decoder.decode(type, from: encoder.encode(value))
    }
}

/// Ten fields of the usual kinds.
struct TenFields: Codable, Equatable {
    var id: UInt64 = 1
    var sequence: UInt32 = 2
    var flag = true
    var time = 3.5
    var kind: UInt8 = 4
    var x: Int32 = -5
    var name = "a name of twenty chr"
    var tag = "tag"
    var option: Int? = 42
    var values = [1, 2, 3, 4, 5, 6, 7, 8]
}

enum Shape: Codable, Equatable {
    case empty
    case text(String)
    case circle(x: Double, y: Double, radius: Double)
    indirect case group([Shape], name: String?)
}

enum Weekday: String, Codable { case monday, tuesday }
enum Level: Int, Codable { case low = -1, high = 1 }

/// Any of several kinds of values, told apart by trying.
indirect enum Json: Codable, Equatable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([Json])
    case object([String: Json])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([Json].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: Json].self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .array(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }
}

struct Sample: IPCPlain, Equatable {
    var time: UInt64 = 7
    var x: Float = 1.5
    var y: Float = -2
    static let layout = IPCPlainLayout(\Sample.time, \.x, \.y)
}
