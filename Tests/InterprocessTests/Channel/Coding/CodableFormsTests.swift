// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// What types do with Codable that write their own code.
final class CodableFormsTests: CodingTestCase {
    // MARK: Order and presence

    private struct Shuffled: Codable, Equatable {
        var a = 1
        var b = "two"
        var c: [Int]? = [3]
        var d: Double?

        enum CodingKeys: CodingKey { case a, b, c, d, kind, missing }

        init() {}

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            XCTAssertTrue(container.contains(.kind))
            XCTAssertFalse(container.contains(.missing))
            XCTAssertNil(try container.decodeIfPresent(String.self, forKey: .missing))
            XCTAssertEqual(try container.decode(String.self, forKey: .kind), "shuffled")
            d = try container.decodeIfPresent(Double.self, forKey: .d)
            b = try container.decode(String.self, forKey: .b)
            XCTAssertEqual(try container.decode(String.self, forKey: .b), b, "the second time")
            c = try container.decodeIfPresent([Int].self, forKey: .c)
            a = try container.decode(Int.self, forKey: .a)
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(a, forKey: .a)
            try container.encode(b, forKey: .b)
            if let c { try container.encode(c, forKey: .c) }
            if let d { try container.encode(d, forKey: .d) } else { try container.encodeNil(forKey: .d) }
            try container.encode("shuffled", forKey: .kind)
        }
    }

    func testFieldsAreFoundInAnyOrderAndMayBeAbsent() throws {
        var value = Shuffled()
        for c in [nil, [], [1]] as [[Int]?] {
            for d in [nil, 2.5] as [Double?] {
                (value.c, value.d) = (c, d)
                try assertRoundTrip(value)
                try assertRoundTrip([value, value])
            }
        }
    }

    func testNilIsToldInEveryWay() throws {
        struct Explicit: Codable, Equatable {
            var value: Int?
            var text: String?
            enum CodingKeys: CodingKey { case value, text }

            init(_ value: Int?, _ text: String?) { (self.value, self.text) = (value, text) }

            init(from decoder: any Decoder) throws {
                let container = try decoder.container(keyedBy: CodingKeys.self)
                value = try container.decodeNil(forKey: .value) ? nil : container.decode(Int.self, forKey: .value)
                text = try container.decodeIfPresent(String.self, forKey: .text)
            }

            func encode(to encoder: any Encoder) throws {
                var container = encoder.container(keyedBy: CodingKeys.self)
                try container.encode(value, forKey: .value)
                try container.encode(text, forKey: .text)
            }
        }
        try assertRoundTrip(Explicit(nil, nil))
        try assertRoundTrip(Explicit(1, "text"))
    }

    func testAllKeys() throws {
        struct Listed: Codable, Equatable {
            enum CodingKeys: String, CodingKey, CaseIterable { case a, b, c = "see" }
            init() {}

            init(from decoder: any Decoder) throws {
                let container = try decoder.container(keyedBy: CodingKeys.self)
                XCTAssertEqual(container.allKeys, [.c, .a])
                for key in container.allKeys { _ = try container.decode(Int.self, forKey: key) }
            }

            func encode(to encoder: any Encoder) throws {
                var container = encoder.container(keyedBy: CodingKeys.self)
                try container.encode(1, forKey: .c)
                try container.encode(1, forKey: .a)
            }
        }
        try assertRoundTrip(Listed())

        struct Unlisted: Codable {
            enum CodingKeys: CodingKey { case a }
            init() {}
            init(from decoder: any Decoder) throws {
                XCTAssertEqual(try decoder.container(keyedBy: CodingKeys.self).allKeys, [])
            }
            func encode(to encoder: any Encoder) throws {
                var container = encoder.container(keyedBy: CodingKeys.self)
                try container.encode(1, forKey: .a)
            }
        }
        assertThrows(.decodingFailed) { try self.transcode(Unlisted(), as: Unlisted.self) }
    }

    private struct AnyKey: CodingKey {
        let stringValue: String
        var intValue: Int? { Int(stringValue) }
        init(stringValue: String) { self.stringValue = stringValue }
        init(intValue: Int) { stringValue = String(intValue) }
    }

    func testKeysOfAnyName() throws {
        struct Open: Codable, Equatable {
            var fields: [String: Int]
            init(_ fields: [String: Int]) { self.fields = fields }

            init(from decoder: any Decoder) throws {
                let container = try decoder.container(keyedBy: AnyKey.self)
                fields = [:]
                for key in container.allKeys.reversed() {
                    fields[key.stringValue] = try container.decode(Int.self, forKey: key)
                }
                XCTAssertFalse(container.contains(AnyKey(stringValue: "none")))
            }

            func encode(to encoder: any Encoder) throws {
                var container = encoder.container(keyedBy: AnyKey.self)
                for (key, value) in fields.sorted(by: <) {
                    try container.encode(value, forKey: AnyKey(stringValue: key))
                }
            }
        }
        try assertRoundTrip(Open([:]))
        try assertRoundTrip(Open(["": 0, "ü": 1, "a much longer name than most": 2, "17": 3]))
        // Also by a type whose keys are those names.
        struct Closed: Decodable { let a: Int, b: Int? }
        XCTAssertEqual(try transcode(Open(["a": 5]), as: Closed.self).a, 5)
    }

    // MARK: Nested containers and superclasses

    func testNestedContainers() throws {
        struct Nesting: Codable, Equatable {
            enum CodingKeys: CodingKey { case first, list, last }
            enum Inner: CodingKey { case x, deep }
            init() {}

            init(from decoder: any Decoder) throws {
                let container = try decoder.container(keyedBy: CodingKeys.self)
                var list = try container.nestedUnkeyedContainer(forKey: .list)
                let first = try container.nestedContainer(keyedBy: Inner.self, forKey: .first)
                XCTAssertEqual(try list.decode(Int.self), 1)
                XCTAssertEqual(try first.decode(String.self, forKey: .x), "x")
                var inner = try list.nestedUnkeyedContainer()
                let keyed = try list.nestedContainer(keyedBy: Inner.self)
                XCTAssertTrue(list.isAtEnd)
                XCTAssertEqual(try inner.decode(Bool.self), true)
                XCTAssertEqual(try keyed.decode(Int.self, forKey: .x), 2)
                XCTAssertEqual(try container.decode(Int.self, forKey: .last), 9)
                var deep = try first.nestedContainer(keyedBy: Inner.self, forKey: .deep)
                    .nestedUnkeyedContainer(forKey: .deep)
                XCTAssertTrue(deep.isAtEnd)
                XCTAssertThrowsError(try deep.decode(Int.self))
            }

            func encode(to encoder: any Encoder) throws {
                var container = encoder.container(keyedBy: CodingKeys.self)
                var first = container.nestedContainer(keyedBy: Inner.self, forKey: .first)
                try first.encode("x", forKey: .x)
                var deep = first.nestedContainer(keyedBy: Inner.self, forKey: .deep)
                _ = deep.nestedUnkeyedContainer(forKey: .deep)
                var list = container.nestedUnkeyedContainer(forKey: .list)
                try list.encode(1)
                var inner = list.nestedUnkeyedContainer()
                try inner.encode(true)
                var keyed = list.nestedContainer(keyedBy: Inner.self)
                try keyed.encode(2, forKey: .x)
                try container.encode(9, forKey: .last)
            }
        }
        try assertRoundTrip(Nesting())
        try assertRoundTrip([Nesting(), Nesting()])
    }

    private class Base: Codable {
        var name = "base"
        init() {}
    }

    /// Shares its container with its superclass.
    private final class Sharing: Base {
        var more = 1
        enum CodingKeys: CodingKey { case more }
        override init() { super.init() }

        required init(from decoder: any Decoder) throws {
            more = try decoder.container(keyedBy: CodingKeys.self).decode(Int.self, forKey: .more)
            try super.init(from: decoder)
        }

        override func encode(to encoder: any Encoder) throws {
            try super.encode(to: encoder)
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(more, forKey: .more)
        }
    }

    /// Gives its superclass a place of its own.
    private final class Apart: Base {
        var list: [String] = ["x"]
        enum CodingKeys: CodingKey { case list, parent }
        private let isNamed: Bool

        init(isNamed: Bool) {
            self.isNamed = isNamed
            super.init()
        }

        required init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            list = try container.decode([String].self, forKey: .list)
            isNamed = container.contains(.parent)
            try super.init(from: isNamed ? container.superDecoder(forKey: .parent) : container.superDecoder())
        }

        override func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try super.encode(to: isNamed ? container.superEncoder(forKey: .parent) : container.superEncoder())
            try container.encode(list, forKey: .list)
        }
    }

    /// Is an array, of which its superclass is an element.
    private final class Listed: Base {
        override init() { super.init() }

        required init(from decoder: any Decoder) throws {
            var container = try decoder.unkeyedContainer()
            XCTAssertEqual(try container.decode(Int.self), 1)
            try super.init(from: container.superDecoder())
            XCTAssertTrue(container.isAtEnd)
        }

        override func encode(to encoder: any Encoder) throws {
            var container = encoder.unkeyedContainer()
            try container.encode(1)
            try super.encode(to: container.superEncoder())
        }
    }

    func testClasses() throws {
        let sharing = Sharing()
        (sharing.name, sharing.more) = ("shared", 2)
        let shared = try transcode([sharing, Sharing()], as: [Sharing].self)
        XCTAssertEqual(shared.map(\.name), ["shared", "base"])
        XCTAssertEqual(shared.map(\.more), [2, 1])
        for isNamed in [true, false] {
            let apart = Apart(isNamed: isNamed)
            apart.name = "apart"
            XCTAssertEqual(try transcode([apart], as: [Apart].self).map(\.name), ["apart"])
        }
        let listed = Listed()
        listed.name = "listed"
        XCTAssertEqual(try transcode(["k": listed], as: [String: Listed].self)["k"]?.name, "listed")
        XCTAssertEqual(try transcode(listed, as: Listed.self).name, "listed")
        XCTAssertEqual(try transcode(sharing as Base, as: Sharing.self).name, "shared")
    }

    func testUnionsOfTypesThatAreTried() throws {
        struct One: Codable, Equatable { var a = 1, b = "b" }
        struct Two: Codable, Equatable { var a = 1, c = [1, 2] }
        enum Either: Codable, Equatable {
            case one(One), two(Two)
            init(from decoder: any Decoder) throws {
                if let one = try? One(from: decoder) { self = .one(one) } else { self = .two(try Two(from: decoder)) }
            }
            func encode(to encoder: any Encoder) throws {
                switch self {
                case .one(let one): try one.encode(to: encoder)
                case .two(let two): try two.encode(to: encoder)
                }
            }
        }
        try assertRoundTrip([Either.one(One()), .two(Two()), .one(One())])
    }

    func testAnElementThatFailsIsStillTheNextOne() throws {
        struct Mixed: Codable, Equatable {
            init() {}
            init(from decoder: any Decoder) throws {
                var container = try decoder.unkeyedContainer()
                XCTAssertThrowsError(try container.decode(Int.self))
                XCTAssertThrowsError(try container.decode([Int].self))
                XCTAssertFalse(try container.decodeNil())
                XCTAssertEqual(try container.decode(String.self), "s")
                XCTAssertTrue(try container.decodeNil())
                XCTAssertEqual(container.currentIndex, 2)
                XCTAssertEqual(try container.decode(Double.self), 1)
                XCTAssertEqual(container.count, 3)
            }
            func encode(to encoder: any Encoder) throws {
                var container = encoder.unkeyedContainer()
                try container.encode("s")
                try container.encodeNil()
                try container.encode(1.0)
            }
        }
        try assertRoundTrip(Mixed())
    }

    func testAPartThatFailsLeavesNothing() throws {
        struct Failing: Codable, Equatable {
            func encode(to encoder: any Encoder) throws {
                var container = encoder.unkeyedContainer()
                try container.encode("text")
                var nested = container.nestedUnkeyedContainer()
                try nested.encode(1)
                throw CancellationError()
            }
        }
        struct Careful: Codable, Equatable {
            init() {}
            init(from decoder: any Decoder) throws {
                var container = try decoder.unkeyedContainer()
                XCTAssertEqual(try container.decode(Int.self), 1)
                XCTAssertEqual(try container.decode([String: Int].self), ["a": 1])
                XCTAssertTrue(container.isAtEnd)
            }
            func encode(to encoder: any Encoder) throws {
                var container = encoder.unkeyedContainer()
                XCTAssertThrowsError(try container.encode(Failing()))
                try container.encode(1)
                XCTAssertThrowsError(try container.encode([Failing()]))
                XCTAssertThrowsError(try container.encode(["a": Failing()]))
                try container.encode(["a": 1])
            }
        }
        try assertRoundTrip(Careful())
        try assertRoundTrip([Careful()])
    }

    // MARK: User info

    func testUserInfo() throws {
        let key = try XCTUnwrap(CodingUserInfoKey(rawValue: "key"))
        struct Asking: Codable, Equatable {
            init() {}
            init(from decoder: any Decoder) throws { XCTAssertEqual(decoder.userInfo.values.first as? Int, 2) }
            func encode(to encoder: any Encoder) throws { XCTAssertEqual(encoder.userInfo.values.first as? Int, 1) }
        }
        encoder.userInfo[key] = 1
        decoder.userInfo[key] = 2
        XCTAssertThrowsError(try decoder.decode(Int.self, from: encoder.encode(Asking())))
        _ = try transcode(EmptyStruct(), as: EmptyStruct.self)
    }

    private struct EmptyStruct: Codable {}
}
