// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// A message of another type is an error, even where its bytes would do.
final class TypeMismatchTests: CodingTestCase {
    private struct Sent: Codable {
        var x: Int32 = 1
        var y: Int32 = 2
    }

    private func assertMismatch<Value: Encodable, Other: Decodable>(
        _ value: Value,
        _ type: Other.Type,
        line: UInt = #line
    ) {
        assertThrows(.decodingFailed, .decode, line: line) { try self.transcode(value, as: type) }
        assertThrows(.decodingFailed, .decode, line: line) { try self.transcode([value], as: [Other].self) }
    }

    func testFieldsThatDiffer() throws {
        struct Renamed: Decodable { var x: Int32, z: Int32 }
        struct Retyped: Decodable { var x: Int32, y: UInt32 }
        struct Float32s: Decodable { var x: Float, y: Float }
        struct Wider: Decodable { var x: Int64, y: Int32 }
        struct Fewer: Decodable { var x: Int32 }
        struct More: Decodable { var x: Int32, y: Int32, z: Int32 }
        struct Optionals: Decodable { var x: Int32?, y: Int32?, z: Int32? }
        struct Swapped: Decodable { var y: Int32, x: Int32 }
        assertMismatch(Sent(), Renamed.self)
        assertMismatch(Sent(), Retyped.self)
        assertMismatch(Sent(), Float32s.self)
        assertMismatch(Sent(), Wider.self)
        assertMismatch(Sent(), Fewer.self)
        assertMismatch(Sent(), More.self)
        XCTAssertEqual(try transcode(Sent(), as: Optionals.self).y, 2)
        let swapped = try transcode(Sent(), as: Swapped.self)
        XCTAssertEqual([swapped.x, swapped.y], [1, 2], "found by their names")
    }

    func testValuesThatDiffer() throws {
        assertMismatch(1 as Int32, UInt32.self)
        assertMismatch(1 as Int32, Float.self)
        assertMismatch(1 as Int64, Double.self)
        assertMismatch(1 as Int8, Bool.self)
        assertMismatch(true, UInt8.self)
        assertMismatch("text", [UInt8].self)
        assertMismatch([UInt8](1...3), String.self)
        assertMismatch([1, 2, 3], [Double].self)
        assertMismatch([1, 2, 3], Set<Int>.self)
        assertMismatch(["a": 1], Sent.self)
        assertMismatch(Sent(), [String: Int32].self)
        assertMismatch(Int?.none, Int.self)
        assertMismatch(Shape.empty, Weekday.self)
        assertMismatch(Shape.text(""), Sent.self)
        XCTAssertEqual(try transcode(7 as Int, as: Int64.self), 7)
        XCTAssertEqual(try transcode([7] as [Int64], as: [Int].self), [7])
    }

    func testCasesThatDiffer() throws {
        enum Other: Decodable { case empty, text(Int), square(x: Double, y: Double, radius: Double) }
        guard case .empty = try transcode(Shape.empty, as: Other.self) else { return XCTFail("another case") }
        assertMismatch(Shape.text("t"), Other.self)
        assertMismatch(Shape.circle(x: 1, y: 2, radius: 3), Other.self)
    }

    // MARK: Plain structs

    private struct Gap: IPCPlain {
        var small: UInt8 = 1
        var large: UInt32 = 2
        static let layout = IPCPlainLayout(\Gap.small, \.large)
    }

    private struct Tail: IPCPlain {
        var large: UInt32 = 2
        var small: UInt8 = 1
        static let layout = IPCPlainLayout(\Tail.large, \.small)
    }

    private struct Forgetful: IPCPlain {
        var x: UInt32 = 1
        var y: UInt32 = 2
        static let layout = IPCPlainLayout(\Forgetful.x)
    }

    private struct Disordered: IPCPlain {
        var x: UInt32 = 1
        var y: UInt32 = 2
        static let layout = IPCPlainLayout(\Disordered.y, \.x)
    }

    private struct Repetitive: IPCPlain {
        var x: UInt32 = 1
        var y: UInt32 = 2
        static let layout = IPCPlainLayout(\Repetitive.x, \.x)
    }

    private struct Computed: IPCPlain {
        var x: UInt32 = 1
        var y: UInt32 { x }
        static let layout = IPCPlainLayout(\Computed.y)
    }

    private struct Borrowed: IPCPlain {
        var time: UInt64 = 1
        var x: Float = 1
        var y: Float = 1
        static let layout = Sample.layout
    }

    private struct Nested: IPCPlain, Equatable {
        var sample = Sample()
        var gap: Int = 3
        static let layout = IPCPlainLayout(\Nested.sample, \.gap)
    }

    private struct FlawedWithin: IPCPlain {
        var forgetful = Forgetful()
        static let layout = IPCPlainLayout(\FlawedWithin.forgetful)
    }

    private func assertFlawed<Plain: IPCPlain>(_ value: Plain, line: UInt = #line) {
        assertThrows(.encodingFailed, .encode, line: line) { try self.encoder.encode(value) }
        assertThrows(.encodingFailed, .encode, line: line) { try self.encoder.encode([value]) }
        assertThrows(.encodingFailed, .encode, line: line) { try self.encoder.encode(["key": value]) }
        let size = UInt8(8 + MemoryLayout<Plain>.size)
        let message = [1, 0x45, size, 0, 0, 0] + [UInt8](repeating: 0, count: Int(size))
        assertThrows(.decodingFailed, .decode, line: line) { try self.decoder.decode(Plain.self, from: message) }
    }

    func testLayoutsThatDoNotCoverTheMemory() throws {
        assertFlawed(Gap())
        assertFlawed(Tail())
        assertFlawed(Forgetful())
        assertFlawed(Disordered())
        assertFlawed(Repetitive())
        assertFlawed(Computed())
        assertFlawed(Borrowed())
        assertFlawed(FlawedWithin())
        try assertRoundTrip(Nested())
        try assertRoundTrip([Nested(), Nested(gap: 4)])
    }

    private enum Elsewhere {
        struct Sample: IPCPlain {
            var time: UInt64 = 0
            var a: Float = 0
            var b: Float = 0
            static let layout = IPCPlainLayout(\Sample.time, \.a, \.b)
        }

        struct Swapped: IPCPlain {
            var a: Float = 0
            var b: Float = 0
            var time: UInt64 = 0
            static let layout = IPCPlainLayout(\Swapped.a, \.b, \.time)
        }

        struct Point: IPCPlain {
            var time: UInt64 = 0
            var a: Float = 0
            var b: Float = 0
            static let layout = IPCPlainLayout(\Point.time, \.a, \.b)
        }
    }

    func testPlainStructsThatDiffer() throws {
        assertMismatch(Sample(), Elsewhere.Swapped.self)
        assertMismatch(Sample(), Elsewhere.Point.self)
        assertMismatch(Sample(), Nested.self)
        assertMismatch(Sample(), UInt64.self)
        XCTAssertEqual(try transcode(Sample(), as: Elsewhere.Sample.self).time, 7)
        XCTAssertEqual(try transcode([Sample()], as: [Elsewhere.Sample].self).map(\.b), [-2])
    }

    func testPlainStructsAreOrdinaryOnesToOtherCoders() throws {
        let json = try JSONEncoder().encode(Sample())
        XCTAssertEqual(try JSONDecoder().decode(Sample.self, from: json), Sample())
        XCTAssertTrue(String(decoding: json, as: UTF8.self).contains("\"time\""))
    }

    // MARK: Bytes

    private struct Blob: IPCBytes, Equatable {
        var bytes: [UInt8]
        var startIndex: Int { 0 }
        var endIndex: Int { bytes.count }

        init<Bytes: Sequence<UInt8>>(_ bytes: Bytes) { self.bytes = Array(bytes) }
        init(from decoder: any Decoder) throws { throw CancellationError() }
        func encode(to encoder: any Encoder) throws { throw CancellationError() }
        func index(after index: Int) -> Int { index + 1 }
        subscript(index: Int) -> UInt8 { bytes[index] }
    }

    func testBytesAreCopied() throws {
        for count in [0, 1, 1000] {
            let blob = Blob((0..<count).map { UInt8(truncatingIfNeeded: $0) })
            try assertRoundTrip(blob)
            try assertRoundTrip(["key": blob])
            XCTAssertEqual(try transcode(blob, as: Data.self), Data(blob.bytes))
            XCTAssertEqual(try transcode(Data(blob.bytes), as: Blob.self), blob)
        }
        assertMismatch(Blob([1]), String.self)
        assertMismatch([Int8](1...2), Blob.self)
    }
}
