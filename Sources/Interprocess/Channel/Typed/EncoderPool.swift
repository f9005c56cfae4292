// SPDX-License-Identifier: MIT OR Apache-2.0

/// A value on its way out.
struct EncodedMessage {
    let bytes: [UInt8]
    let descriptors: OutgoingDescriptors
}

/// Encoders, which keep their memory from message to message: as many as are used at the same time.
struct EncoderPool: ~Copyable, Sendable {
    struct Entry: @unchecked Sendable {
        // Whoever has taken it out of the pool has it alone.
        let encoder: IPCEncoder
    }

    private let idle = Locked<[Entry]>([])

    func withEncoder<Value>(limit: Int, _ body: (IPCEncoder) throws(IPCError) -> Value) throws(IPCError) -> Value {
        let entry = idle.withLock { $0.popLast() } ?? Entry(encoder: IPCEncoder(limit: limit))
        defer { idle.withLock { $0.append(entry) } }
        return try body(entry.encoder)
    }
}

extension IPCEncoder {
    fileprivate convenience init(limit: Int) {
        var limits = IPCCodingLimits()
        limits.bytes = limit
        self.init(limits: limits)
    }
}
