// SPDX-License-Identifier: MIT OR Apache-2.0

/// A number or Bool: a kind, and as many bytes as its bits need.
protocol CodedScalar: Codable, BitwiseCopyable {
    /// What its bytes are those of.
    associatedtype Wire: BitwiseCopyable

    static var kind: Kind { get }
    var wire: Wire { get }
    init?(wire: Wire)

    /// Copies the memory of numbers.
    static func array(_ bytes: UnsafeRawBufferPointer) -> [Self]
}

extension CodedScalar {
    /// A requirement, so that each number has one that is compiled for it.
    static func array(_ bytes: UnsafeRawBufferPointer) -> [Self] {
        let count = bytes.count / MemoryLayout<Self>.size
        // The standard library would write to the memory that all empty arrays share, as the thread sanitizer sees.
        if count == 0 { return [] }
        return unsafe [Self](unsafeUninitializedCapacity: count) { elements, initialized in
            unsafe UnsafeMutableRawBufferPointer(elements).copyMemory(from: bytes)
            initialized = count
        }
    }
}

extension CodedScalar where Wire == Self {
    @inline(__always)
    var wire: Self { self }

    @inline(__always)
    init?(wire: Self) { self = wire }
}

extension CodedScalar where Self: FixedWidthInteger, Wire: FixedWidthInteger {
    @inline(__always)
    static var kind: Kind { .integer(Wire.self) }
}

extension Bool: CodedScalar {
    static var kind: Kind { .bool }

    @inline(__always)
    var wire: UInt8 { self ? 1 : 0 }

    @inline(__always)
    init?(wire: UInt8) {
        if wire > 1 { return nil }
        self = wire == 1
    }
}

extension Int: CodedScalar {
    @inline(__always)
    var wire: Int64 { Int64(self) }

    @inline(__always)
    init?(wire: Int64) { self.init(exactly: wire) }
}

extension UInt: CodedScalar {
    @inline(__always)
    var wire: UInt64 { UInt64(self) }

    @inline(__always)
    init?(wire: UInt64) { self.init(exactly: wire) }
}

extension Int8: CodedScalar { typealias Wire = Int8 }
extension Int16: CodedScalar { typealias Wire = Int16 }
extension Int32: CodedScalar { typealias Wire = Int32 }
extension Int64: CodedScalar { typealias Wire = Int64 }
extension Int128: CodedScalar { typealias Wire = Int128 }
extension UInt8: CodedScalar { typealias Wire = UInt8 }
extension UInt16: CodedScalar { typealias Wire = UInt16 }
extension UInt32: CodedScalar { typealias Wire = UInt32 }
extension UInt64: CodedScalar { typealias Wire = UInt64 }
extension UInt128: CodedScalar { typealias Wire = UInt128 }

// Not a number that Intel's Macs have.
#if !((os(macOS) || targetEnvironment(macCatalyst)) && arch(x86_64))
extension Float16: CodedScalar {
    typealias Wire = Float16
    static var kind: Kind { .float16 }
}
#endif

extension Float: CodedScalar {
    typealias Wire = Float
    static var kind: Kind { .float }
}

extension Double: CodedScalar {
    typealias Wire = Double
    static var kind: Kind { .double }
}
