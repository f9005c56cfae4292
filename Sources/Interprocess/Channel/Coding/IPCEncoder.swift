// SPDX-License-Identifier: MIT OR Apache-2.0

/// Turns values into bytes: fast, the same for equal values, and described byte by byte in <doc:MessageFormat>.
///
/// It keeps its memory from message to message; use one for many, from one thread or task at a time.
///
/// ```swift
/// struct Order: Codable {
///     var item: String
///     var count: Int
/// }
///
/// let bytes = try IPCEncoder().encode(Order(item: "bolts", count: 12))
/// let order = try IPCDecoder().decode(Order.self, from: bytes)
/// print(order.item)
/// ```
///
/// Everything that `Codable` can do works, with one restriction: a nested container must not be written to any more once
/// something was written to one around it. That throws.
public final class IPCEncoder {
    let core: EncodingCore
    let root: ValueEncoder

    /// Creates an encoder.
    ///
    /// - Parameter limits: What messages may have at most.
    public init(limits: IPCCodingLimits = IPCCodingLimits()) {
        core = EncodingCore(limits)
        root = ValueEncoder(core)
    }

    /// What messages may have at most.
    public var limits: IPCCodingLimits {
        get { core.limits }
        set { core.limits = newValue }
    }

    /// What values see of the world around them while they are encoded, as with other encoders.
    public var userInfo: [CodingUserInfoKey: any Sendable] {
        get { core.userInfo }
        set { core.userInfo = newValue }
    }

    /// Encodes a value.
    ///
    /// - Parameter value: The value.
    /// - Returns: The message.
    /// - Throws: ``IPCError/Code/encodingFailed``, with what the value's own code threw, or with the limit that is
    ///   exceeded; ``IPCError/Code/messageTooLarge``; ``IPCError/Code/busy`` during another call of this encoder.
    public func encode<Value: Encodable>(_ value: Value) throws(IPCError) -> [UInt8] {
        try withEncoding(of: value) { bytes in unsafe bytes.withUnsafeBytes { unsafe [UInt8]($0) } }
    }

    /// Encodes a value, and lends the message.
    ///
    /// - Parameters:
    ///   - value: The value.
    ///   - body: What to do with the message, which is the encoder's.
    /// - Returns: What `body` returns.
    /// - Throws: As `encode(_:)` does, and what `body` throws.
    public func withEncoding<Value: Encodable, Result>(
        of value: Value,
        _ body: (RawSpan) throws(IPCError) -> Result
    ) throws(IPCError) -> Result {
        try withMessage(of: value) { bytes, attachments throws(IPCError) in
            if !attachments.isEmpty {
                let failure = CodingFailure("it has attachments, which only channels take along")
                throw IPCError(failure, .encode, type: Value.self)
            }
            return try body(bytes)
        }
    }

    /// Encodes a value, and lends the message and what goes along with it.
    func withMessage<Value: Encodable, Result>(
        of value: Value,
        _ body: (RawSpan, [any OutgoingAttachment]) throws(IPCError) -> Result
    ) throws(IPCError) -> Result {
        try core.start(Value.self)
        defer { core.end() }
        do {
            try root.encode(value)
            try core.finish()
        } catch { throw IPCError(error, .encode, type: Value.self) }
        return try body(unsafe core.memory.bytes.bytes, core.attachments)
    }
}

/// Plain structs, written where they are known to be such: their encoding is a head, and their memory.
extension IPCEncoder {
    /// Encodes a plain struct, and lends the message.
    ///
    /// - Parameters:
    ///   - value: The value.
    ///   - body: What to do with the message, which is the encoder's.
    /// - Returns: What `body` returns.
    /// - Throws: As for other values, and what `body` throws.
    @inlinable
    public func withEncoding<Value: IPCPlain, Result>(
        of value: Value,
        _ body: (RawSpan) throws(IPCError) -> Result
    ) throws(IPCError) -> Result {
        let memory = unsafe try beginPlain(Value.layout, Value.self, MemoryLayout<Value>.size)
        defer { endPlain() }
        unsafe memory.baseAddress.unsafelyUnwrapped.storeBytes(
            of: value,
            toByteOffset: memory.count - MemoryLayout<Value>.size,
            as: Value.self
        )
        return try body(unsafe UnsafeRawBufferPointer(memory).bytes)
    }

    /// Begins a message, and returns all of it, at whose end the memory of the value goes.
    @usableFromInline
    func beginPlain(
        _ layout: IPCPlainLayout,
        _ type: Any.Type,
        _ size: Int
    ) throws(IPCError) -> UnsafeMutableRawBufferPointer {
        try core.start(type)
        do {
            try layout.check(type)
            try core.memory.append(head: layout, size)
            core.memory.position += size
            try core.memory.finish()
            return unsafe core.memory.mutableBytes
        } catch {
            core.end()
            throw IPCError(error, .encode, type: type)
        }
    }

    @usableFromInline
    func endPlain() { core.end() }
}
