// SPDX-License-Identifier: MIT OR Apache-2.0

/// A struct of nothing but numbers, without gaps between them: its memory is its encoding.
///
/// Values, and arrays of them, are copied into messages and out of them at the speed of memory, on their own and inside
/// other values. The layout says which properties make up the memory, and is checked when the type is first used: they
/// must cover all of it, once, so that whatever bytes come are a valid value, and no byte of padding gives away what
/// was in memory before.
///
/// ```swift
/// struct Sample: IPCPlain {
///     var time: UInt64
///     var x: Float
///     var y: Float
///     static let layout = IPCPlainLayout(\Sample.time, \.x, \.y)
/// }
/// ```
///
/// Numbers can be properties, and other plain structs; Bool, enums, and references cannot, for they have invalid bit
/// patterns. Both sides must agree on the type's name, and on the kinds
/// and order of the numbers: that is the layout's fingerprint, which is compared. Other coders see an ordinary
/// `Codable` struct.
public protocol IPCPlain: BitwiseCopyable, Codable, Sendable {
    /// Which properties make up the memory: `static let layout = IPCPlainLayout(\Self.first, \.second)`, with the type's
    /// name for `Self`.
    static var layout: IPCPlainLayout { get }
}

/// The properties that make up the memory of a plain struct.
public struct IPCPlainLayout: Sendable {
    private let type: ObjectIdentifier
    /// Of the name, and of the properties' layouts in order.
    let fingerprint: UInt64
    /// The kind, if it is a number itself.
    let scalar: Kind?
    /// What is wrong with it.
    private let flaw: String?

    /// Describes a struct by its stored properties.
    ///
    /// Whether they cover its memory is found out at first use: encoding and decoding then throw.
    ///
    /// - Parameter properties: Every stored property, in the order of declaration.
    public init<Root: IPCPlain, each Property: IPCPlain>(_ properties: repeat KeyPath<Root, each Property>) {
        var end = 0
        var flaw: String?
        var hash = NameHash()
        hash.combine(String(describing: Root.self))
        hash.combine(0 as UInt8)
        for (offset, size, layout) in repeat (
            MemoryLayout<Root>.offset(of: each properties), MemoryLayout<each Property>.size, (each Property).layout
        ) {
            if offset == nil { flaw = flaw ?? "its layout has a property that is not stored" }
            if offset != end { flaw = flaw ?? "its layout leaves a gap, or is not in the order of declaration" }
            flaw = flaw ?? layout.flaw
            hash.combine(layout.fingerprint)
            end += size
        }
        if end != MemoryLayout<Root>.stride { flaw = flaw ?? "its layout does not cover all of its memory" }
        if end == 0 { flaw = flaw ?? "it has no memory" }
        self.init(Root.self, fingerprint: hash.value, scalar: nil, flaw: flaw)
    }

    private init(_ type: Any.Type, fingerprint: UInt64, scalar: Kind?, flaw: String?) {
        self.type = ObjectIdentifier(type)
        self.fingerprint = fingerprint
        self.scalar = scalar
        self.flaw = flaw
    }

    fileprivate init(_ type: (some CodedScalar).Type) {
        var hash = NameHash()
        hash.combine(type.kind.rawValue)
        self.init(type, fingerprint: hash.value, scalar: type.kind, flaw: nil)
    }

    /// - Throws: A failure, where the layout is not one of the type, or has a flaw.
    func check(_ plain: Any.Type) throws {
        if type != ObjectIdentifier(plain) { throw CodingFailure("the layout is that of another type") }
        if let flaw { throw CodingFailure(flaw.description) }
    }
}

extension Int8: IPCPlain {
    /// The number itself.
    public static let layout = IPCPlainLayout(Int8.self)
}
extension Int16: IPCPlain {
    /// The number itself.
    public static let layout = IPCPlainLayout(Int16.self)
}
extension Int32: IPCPlain {
    /// The number itself.
    public static let layout = IPCPlainLayout(Int32.self)
}
extension Int64: IPCPlain {
    /// The number itself.
    public static let layout = IPCPlainLayout(Int64.self)
}
extension Int128: IPCPlain {
    /// The number itself.
    public static let layout = IPCPlainLayout(Int128.self)
}
extension UInt8: IPCPlain {
    /// The number itself.
    public static let layout = IPCPlainLayout(UInt8.self)
}
extension UInt16: IPCPlain {
    /// The number itself.
    public static let layout = IPCPlainLayout(UInt16.self)
}
extension UInt32: IPCPlain {
    /// The number itself.
    public static let layout = IPCPlainLayout(UInt32.self)
}
extension UInt64: IPCPlain {
    /// The number itself.
    public static let layout = IPCPlainLayout(UInt64.self)
}
extension UInt128: IPCPlain {
    /// The number itself.
    public static let layout = IPCPlainLayout(UInt128.self)
}
extension Float: IPCPlain {
    /// The number itself.
    public static let layout = IPCPlainLayout(Float.self)
}
extension Double: IPCPlain {
    /// The number itself.
    public static let layout = IPCPlainLayout(Double.self)
}
#if !((os(macOS) || targetEnvironment(macCatalyst)) && arch(x86_64))
extension Float16: IPCPlain {
    /// The number itself.
    public static let layout = IPCPlainLayout(Float16.self)
}
#endif
// In messages they have 64 bits.
#if _pointerBitWidth(_64)
extension Int: IPCPlain {
    /// The number itself.
    public static let layout = IPCPlainLayout(Int.self)
}
extension UInt: IPCPlain {
    /// The number itself.
    public static let layout = IPCPlainLayout(UInt.self)
}
#endif
