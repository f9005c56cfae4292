// SPDX-License-Identifier: MIT OR Apache-2.0

#if _endian(big)
#error("messages are little-endian, and memory is copied into them as it is")
#endif

/// The byte that a value in a message begins with.
///
/// The article "The format of encoded messages" says what follows each.
struct Kind: Equatable {
    let rawValue: UInt8

    @inline(__always)
    init(_ rawValue: UInt8) { self.rawValue = rawValue }

    /// The first byte of every message.
    static var version: UInt8 { 1 }

    static var null: Kind { Kind(0x00) }
    static var some: Kind { Kind(0x01) }
    static var bool: Kind { Kind(0x08) }
    static var float16: Kind { Kind(0x21) }
    static var float: Kind { Kind(0x22) }
    static var double: Kind { Kind(0x23) }
    static var attachment: Kind { Kind(0x30) }
    static var name: Kind { Kind(0x31) }
    static var string: Kind { Kind(0x40) }
    static var keyed: Kind { Kind(0x41) }
    static var array: Kind { Kind(0x42) }
    static var dictionary: Kind { Kind(0x43) }
    static var set: Kind { Kind(0x44) }
    static var plain: Kind { Kind(0x45) }
    static var plainArray: Kind { Kind(0x46) }

    static func integer(_ type: (some FixedWidthInteger).Type) -> Kind {
        Kind((type.isSigned ? 0x10 : 0x18) | UInt8(truncatingIfNeeded: (type.bitWidth / 8).trailingZeroBitCount))
    }

    /// The kind of an array of nothing but scalars of this kind.
    @inline(__always)
    var packed: Kind { Kind(rawValue | 0x80) }

    /// Of a packed array: the kind of its elements.
    @inline(__always)
    var element: Kind { Kind(rawValue & 0x7F) }

    @inline(__always)
    var isPacked: Bool { rawValue & 0x80 != 0 && element.isScalar }

    var isScalar: Bool {
        switch rawValue {
        case 0x08, 0x10...0x14, 0x18...0x1C, 0x21...0x23: true
        default: false
        }
    }

    /// Whether the length follows, in four bytes.
    var hasLength: Bool { (0x40...0x46).contains(rawValue) || isPacked }

    /// How many bytes a scalar of this kind has.
    @inline(__always)
    var scalarSize: Int { 1 << Int(rawValue & 7) }
}

extension Kind: CustomStringConvertible {
    var description: String {
        switch rawValue {
        case 0x00: "nil"
        case 0x01: "an optional"
        case 0x08: "a Bool"
        case 0x10...0x14: "an Int\(8 * scalarSize)"
        case 0x18...0x1C: "a UInt\(8 * scalarSize)"
        case 0x21...0x23: "a Float\(8 * scalarSize)"
        case 0x30: "an attachment"
        case 0x31: "a name"
        case 0x40: "a String"
        case 0x41: "a keyed container"
        case 0x42: "an array"
        case 0x43: "a dictionary"
        case 0x44: "a set"
        case 0x45: "plain memory"
        case 0x46: "an array of plain memory"
        default: isPacked ? "an array: each \(element)" : "no known kind (\(rawValue))"
        }
    }
}

/// The hash that stands for names in messages: FNV-1a.
struct NameHash {
    private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    mutating func combine(_ byte: UInt8) { value = (value ^ UInt64(byte)) &* 0x100_0000_01B3 }

    /// The eight bytes of a number, the lowest first.
    mutating func combine(_ number: UInt64) {
        for shift in stride(from: 0, to: 64, by: 8) { combine(UInt8(truncatingIfNeeded: number >> shift)) }
    }

    mutating func combine(_ text: String) { for byte in text.utf8 { combine(byte) } }

    /// The three bytes that stand for a key.
    static func ofKey(_ name: String) -> UInt32 {
        var hash = NameHash()
        hash.combine(name)
        return UInt32(truncatingIfNeeded: hash.value ^ hash.value >> 24 ^ hash.value >> 48) & 0xFF_FFFF
    }
}
