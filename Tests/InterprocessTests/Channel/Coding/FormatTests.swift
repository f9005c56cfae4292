// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// The format, byte by byte, as its description has it.
final class FormatTests: CodingTestCase {
    private struct Order: Codable, Equatable {
        var item: String
        var count: Int32
        var note: String?
    }

    private struct Point: Codable, Equatable { var x: Int8, y: Int8 }

    func testTheExampleOfTheDescription() throws {
        let bytes = """
            01 41 17 00 00 00 f1 19 76 40 03 00 00 00 6e 75 74 d5 9d 9b 12 0c 00 00 00 f4 fd a3 00
            """
        try assertBytes(Order(item: "nut", count: 12, note: nil), bytes)
    }

    func testScalars() throws {
        try assertBytes(true, "01 08 01")
        try assertBytes(false, "01 08 00")
        try assertBytes(Int8(-2), "01 10 fe")
        try assertBytes(Int16(-2), "01 11 fe ff")
        try assertBytes(Int32(0x0102_0304), "01 12 04 03 02 01")
        try assertBytes(Int64(-1), "01 13 ff ff ff ff ff ff ff ff")
        try assertBytes(Int(1), "01 13 01 00 00 00 00 00 00 00")
        try assertBytes(Int128(1) << 120, "01 14 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 01")
        try assertBytes(UInt8(200), "01 18 c8")
        try assertBytes(UInt16(0x1234), "01 19 34 12")
        try assertBytes(UInt32(1), "01 1a 01 00 00 00")
        try assertBytes(UInt64(2), "01 1b 02 00 00 00 00 00 00 00")
        try assertBytes(UInt(3), "01 1b 03 00 00 00 00 00 00 00")
        try assertBytes(UInt128(4), "01 1c 04 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00")
        try assertBytes(Float16(1), "01 21 00 3c")
        try assertBytes(Float(1), "01 22 00 00 80 3f")
        try assertBytes(Double(1), "01 23 00 00 00 00 00 00 f0 3f")
    }

    func testStrings() throws {
        try assertBytes("", "01 40 00 00 00 00")
        try assertBytes("ü", "01 40 02 00 00 00 c3 bc")
    }

    func testOptionals() throws {
        try assertBytes(Int8?.none, "01 00")
        try assertBytes(Int8?.some(5), "01 10 05")
        try assertBytes(Int8??.some(.none), "01 01 00")
        try assertBytes(Int8???.some(.some(.none)), "01 01 01 00")
        try assertBytes(Int8???.some(.some(5)), "01 10 05")
    }

    func testArrays() throws {
        try assertBytes([Int8](), "01 42 04 00 00 00 00 00 00 00")
        try assertBytes([String](), "01 42 04 00 00 00 00 00 00 00")
        try assertBytes(Data(), "01 42 04 00 00 00 00 00 00 00")
        try assertBytes([Int8](1...3), "01 90 03 00 00 00 01 02 03")
        try assertBytes([UInt16](1...2), "01 99 04 00 00 00 01 00 02 00")
        try assertBytes([Int(1)], "01 93 08 00 00 00 01 00 00 00 00 00 00 00")
        try assertBytes([true, false], "01 88 02 00 00 00 01 00")
        try assertBytes(["a"], "01 42 0a 00 00 00 01 00 00 00 40 01 00 00 00 61")
        try assertBytes([Int8?.some(1), nil], "01 42 07 00 00 00 02 00 00 00 10 01 00")
        let point = "41 0a 00 00 00 e2 f4 f7 10 01 b1 f6 f6 10 02"
        try assertBytes([Point(x: 1, y: 2)], "01 42 13 00 00 00 01 00 00 00 \(point)")
    }

    /// What is the same is the same bytes, whatever made it.
    func testPackedArraysAreTheSameHoweverTheyAreMade() throws {
        struct Elementwise: Codable, Equatable {
            var bytes: [UInt8]

            init(bytes: [UInt8]) { self.bytes = bytes }

            init(from decoder: any Decoder) throws {
                var container = try decoder.unkeyedContainer()
                bytes = []
                while !container.isAtEnd { bytes.append(try container.decode(UInt8.self)) }
            }

            func encode(to encoder: any Encoder) throws {
                var container = encoder.unkeyedContainer()
                for (index, byte) in bytes.enumerated() {
                    XCTAssertEqual(container.count, index)
                    try container.encode(byte)
                }
            }
        }
        enum Raw: UInt8, Codable { case one = 1, two, three }
        let bytes = "01 98 03 00 00 00 01 02 03"
        try assertBytes([UInt8](1...3), bytes)
        try assertBytes(Data(1...3), bytes)
        try assertBytes(ContiguousArray<UInt8>(1...3), bytes)
        try assertBytes([UInt8?](arrayLiteral: 1, 2, 3), bytes)
        try assertBytes([Raw.one, .two, .three], bytes)
        try assertBytes(Elementwise(bytes: [1, 2, 3]), bytes)
        XCTAssertEqual(try transcode(Data(1...3), as: [UInt8].self), [1, 2, 3])
        XCTAssertEqual(try transcode([UInt8](1...3), as: Data.self), Data(1...3))
    }

    func testPackedArraysThatGoOnWithOthers() throws {
        struct Mixed: Codable, Equatable {
            init() {}

            init(from decoder: any Decoder) throws {
                var container = try decoder.unkeyedContainer()
                for byte: UInt8 in 1...4 { XCTAssertEqual(try container.decode(UInt8.self), byte) }
                XCTAssertEqual(try container.decode(String.self), "")
            }

            func encode(to encoder: any Encoder) throws {
                var container = encoder.unkeyedContainer()
                try container.encode(contentsOf: [1, 2] as [UInt8])
                try container.encode(contentsOf: [3] as [UInt8])
                try container.encode(4 as UInt8)
                try container.encode("")
                XCTAssertEqual(container.count, 5)
            }
        }
        try assertBytes(Mixed(), "01 42 11 00 00 00 05 00 00 00 18 01 18 02 18 03 18 04 40 00 00 00 00")
    }

    func testEnums() throws {
        let name = "63 55 61 31 04 00 00 00 74 65 78 74"
        try assertBytes(Shape.text(""), "01 41 19 00 00 00 \(name) 41 08 00 00 00 \(hash("_0")) 40 00 00 00 00")
    }

    func testDictionariesAndSetsAreInOrder() throws {
        try assertBytes(
            ["b": Int8(1), "a": 2, "ab": 3, "": 4],
            "01 43 24 00 00 00 04 00 00 00 40 00 00 00 00 10 04 40 01 00 00 00 61 10 02 "
                + "40 01 00 00 00 62 10 01 40 02 00 00 00 61 62 10 03"
        )
        try assertBytes(Set<UInt8>([200, 3, 100]), "01 44 0a 00 00 00 03 00 00 00 18 03 18 64 18 c8")
        try assertBytes([Int: Int](), "01 43 04 00 00 00 00 00 00 00")
        for _ in 0..<20 {
            // Their order in memory depends on their capacity, too.
            var other = Dictionary<String, Int>(minimumCapacity: .random(in: 0...5000))
            for key in (0..<100).shuffled() { other["\(key)"] = key }
            let expected = try encoder.encode(Dictionary(uniqueKeysWithValues: (0..<100).map { ("\($0)", $0) }))
            XCTAssertEqual(try encoder.encode(other), expected)
        }
    }

    func testPlainStructs() throws {
        let print = fingerprint([UInt8]("Sample".utf8) + [0] + [0x1B, 0x22, 0x22].flatMap { fingerprint([$0]) })
        let memory = "07 00 00 00 00 00 00 00 00 00 c0 3f 00 00 00 c0"
        try assertBytes(Sample(), "01 45 18 00 00 00 \(hex(print)) \(memory)")
        try assertBytes([Sample()], "01 46 1c 00 00 00 \(hex(print)) 10 00 00 00 \(memory)")
    }

    /// FNV-1a, written once more.
    private func fingerprint(_ bytes: [UInt8]) -> [UInt8] {
        let hash = bytes.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        return (0..<8).map { UInt8(truncatingIfNeeded: hash >> (8 * $0)) }
    }

    private func hash(_ name: String) -> String {
        let bytes = fingerprint([UInt8](name.utf8)) + [0]
        return hex((0..<3).map { index in bytes[index] ^ bytes[index + 3] ^ bytes[index + 6] })
    }
}
