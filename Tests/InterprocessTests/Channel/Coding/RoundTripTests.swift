// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

final class RoundTripTests: CodingTestCase {
    private func assertNumbers<Number: FixedWidthInteger & Codable>(_: Number.Type) throws {
        for number in [Number.min, .max, 0, 1, 42] {
            try assertRoundTrip(number)
            try assertRoundTrip(Number?.some(number))
            try assertRoundTrip([number])
            try assertRoundTrip(Pair(number))
        }
        try assertRoundTrip([Number.min, .max, 0, 1, 42])
        try assertRoundTrip([Number?.some(1), nil, 3])
        try assertRoundTrip([Number?.some(1), 3])
        try assertRoundTrip(Set([Number.min, 1, 2]))
        try assertRoundTrip([Number.max: "a", 0: "b"])
    }

    private struct Pair<Value: Codable & Equatable>: Codable, Equatable {
        let value: Value
        let there: Value?
        let missing: Value?
        let again: [Value]

        init(_ value: Value) { (self.value, there, missing, again) = (value, value, nil, [value, value]) }
    }

    func testIntegers() throws {
        try assertNumbers(Int.self)
        try assertNumbers(Int8.self)
        try assertNumbers(Int16.self)
        try assertNumbers(Int32.self)
        try assertNumbers(Int64.self)
        try assertNumbers(Int128.self)
        try assertNumbers(UInt.self)
        try assertNumbers(UInt8.self)
        try assertNumbers(UInt16.self)
        try assertNumbers(UInt32.self)
        try assertNumbers(UInt64.self)
        try assertNumbers(UInt128.self)
    }

    /// In types that name them: Codable's own code takes other functions there.
    func testWideIntegersOfConcreteTypes() throws {
        struct Wide: Codable, Equatable {
            var signed = Int128.min
            var unsigned = UInt128.max
            var optional: Int128? = 1
        }
        struct ByHand: Codable, Equatable {
            var number = UInt128.max
            init() {}
            init(from decoder: any Decoder) throws {
                var container = try decoder.unkeyedContainer()
                _ = try container.decode(Int128.self)
                number = try container.decode(UInt128.self)
            }
            func encode(to encoder: any Encoder) throws {
                var container = encoder.unkeyedContainer()
                try container.encode(Int128(1))
                try container.encode(number)
            }
        }
        struct Single: Codable, Equatable {
            var number: Int128 = 5
            init() {}
            init(from decoder: any Decoder) throws { number = try decoder.singleValueContainer().decode(Int128.self) }
            func encode(to encoder: any Encoder) throws {
                var container = encoder.singleValueContainer()
                try container.encode(number)
            }
        }
        try assertRoundTrip(Wide())
        try assertRoundTrip(ByHand())
        try assertRoundTrip(Single())
    }

    func testFloatingPoint() throws {
        for number in [0, 1, -1.5, .infinity, -.infinity, .greatestFiniteMagnitude, .leastNonzeroMagnitude] as [Double]
        {
            try assertRoundTrip(Pair(number))
            try assertRoundTrip(Pair(Float(number)))
            try assertRoundTrip(Pair(Float16(number)))
        }
    }

    /// Numbers that are no numbers keep all of their bits, and zero its sign.
    func testBitPatterns() throws {
        for bits: UInt64 in [0x7FF8_0000_0000_0000, 0x7FF0_0000_0000_0001, 0xFFF8_DEAD_BEEF_0001, 1 << 63] {
            let number = Double(bitPattern: bits)
            XCTAssertEqual(try transcode(number, as: Double.self).bitPattern, bits)
            XCTAssertEqual(try transcode([number], as: [Double].self)[0].bitPattern, bits)
            XCTAssertEqual(try transcode(Pair(number), as: Pair<Double>.self).value.bitPattern, bits)
        }
        for bits: UInt32 in [0x7FC0_0000, 0xFFC0_BEEF, 0x7F80_0001, 1 << 31] {
            let number = Float(bitPattern: bits)
            XCTAssertEqual(try transcode(number, as: Float.self).bitPattern, bits)
            XCTAssertEqual(try transcode([number], as: [Float].self)[0].bitPattern, bits)
        }
        for bits: UInt16 in [0x7E00, 0xFE01, 0x8000] {
            XCTAssertEqual(try transcode(Float16(bitPattern: bits), as: Float16.self).bitPattern, bits)
        }
    }

    func testStrings() throws {
        let strings = [
            "", "a", "\0", "exactly fifteen", "more than fifteen of them", "e\u{301}", "\u{e9}", "👩‍👩‍👧‍👦🇨🇭", "\u{10FFFF}",
            "\u{FEFF}", String(repeating: "ü", count: 10_000),
        ]
        for string in strings {
            try assertRoundTrip(Pair(string))
            let back = try transcode(string, as: String.self)
            XCTAssertEqual(Array(back.unicodeScalars), Array(string.unicodeScalars))
        }
        try assertRoundTrip(strings)
        try assertRoundTrip(strings.map(Optional.some) + [nil])
    }

    func testBools() throws {
        try assertRoundTrip(Pair(true))
        try assertRoundTrip(Pair(false))
        try assertRoundTrip([true, false, true])
    }

    func testOptionalsOfOptionals() throws {
        for value: Int??? in [.none, .some(.none), .some(.some(.none)), 5] {
            try assertRoundTrip(value)
            try assertRoundTrip([value, value])
            try assertRoundTrip(Pair(value))
            try assertRoundTrip([1: value])
        }
        for value: Shape??? in [.none, .some(.none), .some(.some(.none)), .empty] { try assertRoundTrip(Pair(value)) }
    }

    func testStructsAndEnums() throws {
        try assertRoundTrip(TenFields())
        try assertRoundTrip(TenFields(option: nil, values: []))
        for shape in [Shape.empty, .text("t"), .circle(x: 1, y: 2, radius: 3), .group([.empty, .text("")], name: nil)] {
            try assertRoundTrip(shape)
            try assertRoundTrip([shape, .empty])
            try assertRoundTrip(Pair(shape))
        }
        try assertRoundTrip([Weekday.monday, .tuesday])
        try assertRoundTrip(Pair(Weekday.monday))
        try assertRoundTrip([Level.low, .high])
        try assertRoundTrip([Weekday.monday: Level.high, .tuesday: .low])
    }

    func testCollections() throws {
        try assertRoundTrip([[Int]]())
        try assertRoundTrip([[1], [], [2, 3]])
        try assertRoundTrip([["a"], [], ["b", ""]])
        try assertRoundTrip(ContiguousArray([1, 2, 3]))
        try assertRoundTrip(Set(["x", "y", "z"]))
        try assertRoundTrip(Set([[1], [], [2]]))
        try assertRoundTrip(["a": [1], "b": [], "": [3]])
        try assertRoundTrip([1: "one", -1: "minus"])
        try assertRoundTrip([1.5: Shape.empty, -0.5: .text("x")])
        try assertRoundTrip([[1]: ["a": ["b": 1]]])
        try assertRoundTrip([String: Int]())
        try assertRoundTrip(Dictionary(uniqueKeysWithValues: (0..<1000).map { ("key \($0)", $0) }))
    }

    func testRanges() throws {
        try assertRoundTrip(1..<5)
        try assertRoundTrip(1...5)
        try assertRoundTrip("a"..."z")
        try assertRoundTrip(Duration.seconds(3) + .nanoseconds(7))
        try assertRoundTrip(SIMD4<Float>(1, 2, 3, 4))
        try assertRoundTrip(CollectionOfOne(9).first)
    }

    func testFoundation() throws {
        try assertRoundTrip(Date(timeIntervalSince1970: 1_234_567.875))
        try assertRoundTrip(UUID())
        try assertRoundTrip(try XCTUnwrap(Decimal(string: "-123456789.000000000000000001")))
        try assertRoundTrip(Data())
        try assertRoundTrip(Data(0...255))
        try assertRoundTrip(try XCTUnwrap(URL(string: "https://example.org/a?b=c")))
        try assertRoundTrip(try XCTUnwrap(URL(string: "b", relativeTo: URL(string: "https://example.org/a/"))))
        try assertRoundTrip([Pair(Date.distantPast), Pair(.distantFuture)])
        try assertRoundTrip([try XCTUnwrap(URL(string: "x:y")): Data([1, 2])])
        try assertRoundTrip(DateComponents(timeZone: TimeZone(secondsFromGMT: 3600), year: 2020, month: 2))
        try assertRoundTrip(IndexSet([1, 2, 3, 9]))
        try assertRoundTrip(Locale(identifier: "de_CH"))
        try assertRoundTrip(CGRect(x: 1, y: 2, width: 3, height: 4))
    }

    func testUntaggedUnions() throws {
        try assertRoundTrip(
            Json.object([
                "a": .array([.null, .bool(true), .number(1), .string("s")]), "b": .object([:]), "c": .array([]),
                "d": .array([.number(1), .number(2)]), "e": .array([.bool(false)]),
            ])
        )
    }

    func testPlainStructs() throws {
        try assertRoundTrip(Sample())
        try assertRoundTrip([Sample(), Sample(time: 1)])
        try assertRoundTrip([Sample]())
        try assertRoundTrip(Pair(Sample()))
        try assertRoundTrip(["a": Sample()])
    }

    func testTheCodersAreReusedAfterFailures() throws {
        struct Stubborn: Encodable { func encode(to encoder: any Encoder) throws { throw CancellationError() } }
        for _ in 0..<3 {
            assertThrows(.encodingFailed, .encode) { try self.encoder.encode([1: Stubborn()]) }
            assertThrows(.decodingFailed, .decode) { try self.decoder.decode(Int.self, from: []) }
            try assertRoundTrip(TenFields())
        }
    }
}
