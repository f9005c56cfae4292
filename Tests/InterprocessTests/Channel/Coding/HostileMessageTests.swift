// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// Messages that are cut short, changed, or made up: an error or a value, soon, with no more memory than they account for.
final class HostileMessageTests: CodingTestCase {
    override var timeLimit: TimeInterval { 120 }

    private struct Everything: Codable, Equatable {
        var ten = TenFields()
        var shapes = [Shape.empty, .text("t"), .circle(x: 1, y: 2, radius: 3), .group([.empty], name: "g")]
        var optionals: [Int??] = [1, .some(nil), nil]
        var strings = ["", "ä", "a string that is not so short any more"]
        var dictionary = ["a": [1.5], "b": []]
        var pairs = [Weekday.monday: Level.low]
        var set: Set<UInt16> = [1, 2, 300]
        var samples = [Sample(), Sample(time: 9)]
        var sample: Sample? = Sample()
        var json = Json.object(["k": .array([.null, .bool(true), .number(0), .string("s")])])
        var data = Data([1, 2, 3])
        var date = Date(timeIntervalSince1970: 1)
        var url = URL(string: "https://example.org")
        var duration = Duration.seconds(1)
    }

    /// Something to be decoded as a type, and whatever comes of it.
    private struct Attempt {
        let message: [UInt8]
        let decode: (IPCDecoder, [UInt8]) throws -> Void
    }

    private func attempt<Value: Codable & Equatable>(_ value: Value) throws -> Attempt {
        Attempt(message: try encoder.encode(value)) { decoder, bytes in
            let value = try decoder.decode(Value.self, from: bytes)
            // What was made is sound.
            _ = try decoder.decode(Value.self, from: IPCEncoder().encode(value))
        }
    }

    private func attempts() throws -> [Attempt] {
        [
            try attempt(Everything()), try attempt(TenFields()), try attempt(Everything().shapes),
            try attempt(Everything().json), try attempt(Everything().dictionary), try attempt(["k": 1, "l": 2]),
            try attempt(Everything().set), try attempt(Everything().samples), try attempt(Sample()),
            try attempt(Everything().optionals), try attempt(["a", "b"]), try attempt("ä"), try attempt(5),
            try attempt(true), try attempt(Data([1, 2, 3])), try attempt([1, 2, 3]), try attempt([true, false]),
            try attempt([[1], []]), try attempt(1..<3), try attempt(Everything().url), try attempt(UUID()),
            try attempt(Decimal(12.5)), try attempt(Set(["x", "yy"])), try attempt([1.5: [2: "z"]]),
        ]
    }

    func testEveryMessageCutShortAtEveryByte() throws {
        for attempt in try attempts() {
            try attempt.decode(decoder, attempt.message)
            for length in 0..<attempt.message.count {
                assertThrows(.decodingFailed, .decode) {
                    try attempt.decode(self.decoder, Array(attempt.message.prefix(length)))
                }
            }
            assertThrows(.decodingFailed) { try attempt.decode(self.decoder, attempt.message + [0]) }
        }
    }

    func testEveryByteReplacedByEachOfSeveral() throws {
        for attempt in try attempts() {
            for index in attempt.message.indices {
                // With a sanitizer the fuzzer does it, and faster.
                for byte: UInt8 in Sanitizer.isPresent
                    ? [1, 0x42, 0xFF] : [0, 1, 0x31, 0x41, 0x42, 0x43, 0x7F, 0x80, 0x98, 0xFF]
                {
                    var message = attempt.message
                    message[index] = byte
                    tryIt(attempt, message)
                }
            }
        }
    }

    func testChangesByChance() throws {
        var generator = SplitMix64(seed: 42)
        let attempts = try attempts()
        for round in 0..<(Sanitizer.isPresent ? 4000 : 20_000) {
            var message = attempts[round % attempts.count].message
            for _ in 0..<Int.random(in: 1...4, using: &generator) { change(&message, &generator) }
            // Mostly as what it was, at times as something else.
            let other = Int.random(in: 0..<4, using: &generator) == 0
            tryIt(
                attempts[other ? Int.random(in: 0..<attempts.count, using: &generator) : round % attempts.count],
                message
            )
        }
    }

    private func change(_ message: inout [UInt8], _ generator: inout SplitMix64) {
        guard let index = message.indices.randomElement(using: &generator) else { return }
        switch Int.random(in: 0..<6, using: &generator) {
        case 0: message[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 1: message[index] = .random(in: 0...255, using: &generator)
        case 2: message.remove(at: index)
        case 3: message.insert(.random(in: 0...255, using: &generator), at: index)
        case 4:
            // A length, maybe, that is too large.
            let value = [UInt32.max, 1 << 31, 1 << 30, 65_536, UInt32(message.count)].randomElement(using: &generator)
            for (offset, byte) in withUnsafeBytes(of: value ?? 0, Array.init).enumerated().prefix(4)
            where index + offset < message.count { message[index + offset] = byte }
        default:
            // Something from elsewhere in it.
            let start = Int.random(in: 0...index, using: &generator)
            message.replaceSubrange(start..<index, with: message[index...].prefix(9))
        }
    }

    func testNoise() throws {
        var generator = SplitMix64(seed: 7)
        for attempt in try attempts() {
            for _ in 0..<200 {
                let count = Int.random(in: 0..<64, using: &generator)
                let noise = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
                tryIt(attempt, [1] + noise)
            }
        }
    }

    private func tryIt(_ attempt: Attempt, _ message: [UInt8]) {
        do {
            try attempt.decode(decoder, message)
        } catch let error as IPCError {
            XCTAssertTrue(error.code == .decodingFailed || error.code == .messageTooLarge, "\(error)")
        } catch {
            XCTFail("\(error)")
        }
    }

    /// A type that asks how much it is going to be.
    private struct Counted: Decodable {
        nonisolated(unsafe) static var largest = 0

        init(from decoder: any Decoder) throws {
            var container = try decoder.unkeyedContainer()
            Self.largest = max(Self.largest, container.count ?? 0)
            while !container.isAtEnd { _ = try container.decode(Bool?.self) }
        }
    }

    func testCountsAreOnesThatTheBytesCanHold() throws {
        let start = [1, 0x42] as [UInt8]
        for count: [UInt8] in [[0xFF, 0xFF, 0xFF, 0xFF], [0, 0, 0, 0x80], [5, 0, 0, 0]] {
            let message = start + [8, 0, 0, 0] + count + [0, 0, 0, 0]
            assertThrows(.decodingFailed) { try self.decoder.decode(Counted.self, from: message) }
            assertThrows(.decodingFailed) { try self.decoder.decode([Bool?].self, from: message) }
            for kind: UInt8 in [0x43, 0x44] {
                let message = [1, kind, 8, 0, 0, 0] + count + [0, 0, 0, 0]
                assertThrows(.decodingFailed) { try self.decoder.decode([Int?: Int?].self, from: message) }
                assertThrows(.decodingFailed) { try self.decoder.decode(Set<Int?>.self, from: message) }
            }
            // One byte after each length.
            for kind: UInt8 in [0x40, 0x41, 0x45, 0x46, 0x98] {
                assertThrows(.decodingFailed) { try self.decoder.decode(String.self, from: [1, kind] + count + [0]) }
                assertThrows(.decodingFailed) { try self.decoder.decode([UInt8].self, from: [1, kind] + count + [0]) }
                assertThrows(.decodingFailed) { try self.decoder.decode(Sample.self, from: [1, kind] + count + [0]) }
            }
        }
        XCTAssertEqual(Counted.largest, 0)
        _ = try decoder.decode(Counted.self, from: start + [8, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0])
        XCTAssertEqual(Counted.largest, 4)
    }

    /// What a reader need not accept, because no encoder writes it.
    func testOtherEncodingsOfAValueAreRefused() throws {
        func assertRefused<Value: Decodable>(_ type: Value.Type, _ hex: String, line: UInt = #line) {
            assertThrows(.decodingFailed, line: line) { try self.decoder.decode(type, from: self.bytes(hex)) }
        }
        assertRefused(Bool.self, "01 08 02")
        assertRefused([Bool].self, "01 88 01 00 00 00 02")
        assertRefused(Int.self, "02 13 00 00 00 00 00 00 00 00")
        assertRefused(Int?.self, "01 01 13 00 00 00 00 00 00 00 00")
        assertRefused(Int?.self, "01 01 00")
        assertRefused([UInt8].self, "01 98 00 00 00 00")
        assertRefused([UInt16].self, "01 99 03 00 00 00 01 02 03")
        assertRefused([String].self, "01 42 05 00 00 00 00 00 00 00 00")
        assertRefused(String.self, "01 40 02 00 00 00 c0 80")
        assertRefused(String.self, "01 40 03 00 00 00 ed a0 80")
        assertRefused(String.self, "01 40 01 00 00 00 ff")
        // Out of order, twice, and longer than it says.
        assertRefused(Set<UInt8>.self, "01 44 08 00 00 00 02 00 00 00 18 02 18 01")
        assertRefused(Set<UInt8>.self, "01 44 08 00 00 00 02 00 00 00 18 01 18 01")
        assertRefused(Set<UInt8>.self, "01 44 08 00 00 00 01 00 00 00 18 01 18 02")
        assertRefused([UInt8: Bool].self, "01 43 0c 00 00 00 02 00 00 00 18 01 08 01 18 01 08 00")
        assertRefused([UInt8: Bool].self, "01 43 0c 00 00 00 02 00 00 00 18 02 08 01 18 01 08 00")
        assertRefused(TenFields.self, "01 41 00 00 00 00")
        // An array that is not packed is read.
        XCTAssertEqual(
            try decoder.decode(ContiguousArray<UInt8>.self, from: bytes("01 42 06 00 00 00 01 00 00 00 18 05")),
            [5]
        )
    }

    func testStringsThatAreEqualAndHaveOtherBytesAreOneKey() throws {
        let twice = "01 43 16 00 00 00 02 00 00 00 40 02 00 00 00 c3 a9 00 40 03 00 00 00 65 cc 81 00"
        var message = bytes(twice)
        message[2] = UInt8(message.count - 6)
        // In order, "e" comes first.
        let sorted = Array(message[..<10] + message[18...] + message[10..<18])
        assertThrows(.decodingFailed) { try self.decoder.decode([String: Int?].self, from: sorted) }
        assertThrows(.decodingFailed) { try self.decoder.decode([String: Int?].self, from: message) }
    }

    func testASearchForFieldsHasAnEnd() throws {
        struct Key: CodingKey {
            let stringValue: String
            var intValue: Int? { nil }
            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { return nil }
        }
        struct Backwards: Codable {
            let count: Int
            init(count: Int) { self.count = count }
            init(from decoder: any Decoder) throws {
                let container = try decoder.container(keyedBy: Key.self)
                let keys = container.allKeys
                count = keys.count
                for key in keys.reversed() { _ = try container.decode(Bool.self, forKey: key) }
            }
            func encode(to encoder: any Encoder) throws {
                var container = encoder.container(keyedBy: Key.self)
                for number in 0..<count { try container.encode(true, forKey: Key(stringValue: "\(number)")) }
            }
        }
        XCTAssertEqual(try transcode(Backwards(count: 500), as: Backwards.self).count, 500)
        assertThrows(.decodingFailed) { try self.transcode(Backwards(count: 4000), as: Backwards.self) }
    }
}
