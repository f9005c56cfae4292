// SPDX-License-Identifier: MIT OR Apache-2.0

internal import Synchronization

/// A value on its way out.
struct EncodedMessage {
    let bytes: [UInt8]
    let descriptors: OutgoingDescriptors
}

/// An encoder, which keeps its memory from message to message; of several threads that send at the same time, the others
/// make encoders of their own.
@safe
struct EncoderPool: ~Copyable, Sendable {
    /// One that nobody uses: a reference, as a number; 0 is none.
    private let idle = Atomic<UInt>(0)

    deinit { unsafe Self.encoder(idle.load(ordering: .acquiring))?.release() }

    func withEncoder<Value>(limit: Int, _ body: (IPCEncoder) throws(IPCError) -> Value) throws(IPCError) -> Value {
        let kept = unsafe Self.encoder(idle.exchange(0, ordering: .acquiring))
        let encoder = unsafe kept?.takeRetainedValue() ?? IPCEncoder(limit: limit)
        defer {
            let number = unsafe UInt(bitPattern: Unmanaged.passRetained(encoder).toOpaque())
            unsafe Self.encoder(idle.exchange(number, ordering: .acquiringAndReleasing))?.release()
        }
        return try body(encoder)
    }

    private static func encoder(_ number: UInt) -> Unmanaged<IPCEncoder>? {
        unsafe UnsafeRawPointer(bitPattern: number).map { unsafe Unmanaged.fromOpaque($0) }
    }
}

extension IPCEncoder {
    fileprivate convenience init(limit: Int) {
        var limits = IPCCodingLimits()
        limits.bytes = limit
        self.init(limits: limits)
    }
}
