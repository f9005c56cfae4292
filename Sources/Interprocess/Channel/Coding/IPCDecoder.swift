// SPDX-License-Identifier: MIT OR Apache-2.0

/// Makes values from the messages of an ``IPCEncoder``.
///
/// What comes can be anything: a message that is cut short, changed, or made to do harm gives a value of the type, or an
/// error, and neither a crash, nor a long wait, nor more memory than its length and the limits account for. A message of
/// another type is an error, too: in it every field has its name's hash and its kind.
///
/// It keeps its memory from message to message; use one for many, from one thread or task at a time.
public final class IPCDecoder {
    /// What messages may have at most.
    public var limits: IPCCodingLimits
    private let core = DecodingCore()
    private let root: ValueDecoder
    private var isBusy = false

    /// Creates a decoder.
    ///
    /// - Parameter limits: What messages may have at most.
    public init(limits: IPCCodingLimits = IPCCodingLimits()) {
        self.limits = limits
        root = ValueDecoder(core)
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
        unsafe try decode(type, from: bytes.span.bytes)
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
        _ attachments: ReceivedAttachments?
    ) throws(IPCError) -> Value {
        if isBusy { throw IPCError(.busy, operation: .decode, name: String(describing: type)) }
        isBusy = true
        core.attachments = attachments
        defer {
            core.end()
            isBusy = false
        }
        let result: Swift.Result<Value, any Error> = unsafe bytes.withUnsafeBytes { bytes in
            Swift.Result { unsafe try decode(type, bytes) }
        }
        do { return try result.get() } catch { throw IPCError(error, .decode, type: type) }
    }

    private func decode<Value: Decodable>(_ type: Value.Type, _ bytes: UnsafeRawBufferPointer) throws -> Value {
        let place = unsafe try core.memory.start(bytes, limits)
        if try core.memory.end(of: place) != place.end { throw CodingFailure("bytes follow the value") }
        let value = try root.decode(type, at: place)
        if let failure = core.failure { throw failure }
        return value
    }
}
