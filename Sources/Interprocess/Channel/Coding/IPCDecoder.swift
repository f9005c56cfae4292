// SPDX-License-Identifier: MIT OR Apache-2.0

/// Makes values from the messages of an ``IPCEncoder``.
///
/// What comes can be anything: a message that is cut short, changed, or made to do harm gives a value of the type, or an
/// error, and neither a crash, nor a long wait, nor more memory than its length and the limits account for. A message of
/// another type is an error, too: in it every field has its name's hash and its kind.
///
/// It keeps its memory from message to message; use one for many, from one thread or task at a time.
public final class IPCDecoder {
    private let core: DecodingCore
    private let root: ValueDecoder

    /// Creates a decoder.
    ///
    /// - Parameter limits: What messages may have at most.
    public init(limits: IPCCodingLimits = IPCCodingLimits()) {
        core = DecodingCore(limits)
        root = ValueDecoder(core)
        core.memory.decoder = root
    }

    deinit { core.memory.decoder = nil }

    /// What messages may have at most.
    public var limits: IPCCodingLimits {
        get { core.limits }
        set { core.limits = newValue }
    }

    /// What values see of the world around them while they are decoded, as with other decoders.
    public var userInfo: [CodingUserInfoKey: any Sendable] {
        get { core.userInfo }
        set { core.userInfo = newValue }
    }

    /// Decodes a value.
    ///
    /// - Parameters:
    ///   - type: The value's type.
    ///   - bytes: The message, and nothing after it.
    /// - Returns: The value.
    /// - Throws: ``IPCError/Code/decodingFailed``, with what is wrong with the message, or what the value's own code
    ///   threw; ``IPCError/Code/messageTooLarge``; ``IPCError/Code/busy`` during another call of this decoder.
    public func decode<Value: Decodable>(_ type: Value.Type, from bytes: [UInt8]) throws(IPCError) -> Value {
        unsafe try bytes.withUnsafeBufferPointer { bytes throws(IPCError) in
            unsafe try decode(type, from: UnsafeRawBufferPointer(bytes).bytes)
        }
    }

    /// Decodes a value.
    ///
    /// - Parameters:
    ///   - type: The value's type.
    ///   - bytes: The message, and nothing after it.
    /// - Returns: The value.
    /// - Throws: As `decode(_:from:)` for arrays does.
    public func decode<Value: Decodable>(_ type: Value.Type, from bytes: RawSpan) throws(IPCError) -> Value {
        try decode(type, from: bytes, nil)
    }

    /// Decodes a value that may have taken descriptors along.
    func decode<Value: Decodable>(
        _ type: Value.Type,
        from bytes: RawSpan,
        _ attachments: ReceivedDescriptors?
    ) throws(IPCError) -> Value {
        try core.start(type, attachments)
        defer { core.end() }
        do {
            return unsafe try bytes.withUnsafeBytes { unsafe try decode(type, $0) }
        } catch { throw IPCError(error, .decode, type: type) }
    }

    private func decode<Value: Decodable>(_ type: Value.Type, _ bytes: UnsafeRawBufferPointer) throws -> Value {
        let place = unsafe try core.memory.start(bytes, core.limits)
        if try core.memory.end(of: place) != place.end { throw CodingFailure("bytes follow the value") }
        let value = try root.decode(type, at: place)
        try core.throwNoted()
        return value
    }
}

/// Plain structs, read where they are known to be such.
extension IPCDecoder {
    /// Decodes a plain struct.
    ///
    /// - Parameters:
    ///   - type: The value's type.
    ///   - bytes: The message, and nothing after it.
    /// - Returns: The value.
    /// - Throws: As for other values.
    @inlinable
    public func decode<Value: IPCPlain>(_ type: Value.Type, from bytes: [UInt8]) throws(IPCError) -> Value {
        unsafe try bytes.withUnsafeBufferPointer { bytes throws(IPCError) in
            unsafe try decode(type, from: UnsafeRawBufferPointer(bytes).bytes)
        }
    }

    /// Decodes a plain struct.
    ///
    /// - Parameters:
    ///   - type: The value's type.
    ///   - bytes: The message, and nothing after it.
    /// - Returns: The value.
    /// - Throws: As for other values.
    @inlinable
    public func decode<Value: IPCPlain>(_ type: Value.Type, from bytes: RawSpan) throws(IPCError) -> Value {
        try checkPlain(Value.layout, type, MemoryLayout<Value>.size, bytes)
        // The memory is what the message ends with.
        return unsafe bytes.unsafeLoadUnaligned(
            fromByteOffset: bytes.byteCount - MemoryLayout<Value>.size,
            as: Value.self
        )
    }

    /// Looks whether a message is a plain struct or number of a layout.
    @usableFromInline
    func checkPlain(_ layout: IPCPlainLayout, _ type: Any.Type, _ size: Int, _ bytes: RawSpan) throws(IPCError) {
        try core.start(type, nil)
        defer { core.end() }
        do {
            try layout.check(type)
            try unsafe bytes.withUnsafeBytes { bytes in
                let place = unsafe try core.memory.start(bytes, core.limits)
                if try core.memory.plainMemory(layout, size, at: place).offset != bytes.count - size {
                    throw CodingFailure("bytes follow the value")
                }
            }
        } catch { throw IPCError(error, .decode, type: type) }
    }
}
