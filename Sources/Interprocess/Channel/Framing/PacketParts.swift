// SPDX-License-Identifier: MIT OR Apache-2.0

#if !canImport(Darwin) && !os(Windows)
internal import CInterprocess

/// The packets that a message is sent in.
struct PacketParts: Sendable {
    private let count: Int
    private let descriptors: [Int64]
    private let isWhole: Bool
    /// By which the parts are known, if it is more than one.
    private let identifier: UInt64
    private var sent = 0
    private(set) var areSent = false

    init(_ count: Int, _ descriptors: [Int64]) {
        self.count = count
        self.descriptors = descriptors
        isWhole = FrameHead(whole: count) != nil
        identifier = isWhole ? 0 : cip_random()
    }

    private var prefix: Int { isWhole ? 0 : sent == 0 ? FrameHead.firstPartPrefix : FrameHead.partPrefix }

    /// How much of the message is in the next packet.
    private var partCount: Int { min(count - sent, FrameHead.maximumPacket - FrameHead.size - prefix) }

    /// Sends the next packet: all of it, or none.
    func send(_ descriptor: Int64, _ bytes: UnsafeRawBufferPointer, wait: Bool) -> Int64 {
        let passed = sent == 0 ? descriptors : []
        let kind = isWhole ? FrameHead.Kind.message : sent == 0 ? .firstPart : .part
        let head = FrameHead(kind, byteCount: prefix + partCount, attachmentCount: passed.count)
        let part = unsafe UnsafeRawBufferPointer(rebasing: bytes[sent..<sent + partCount])
        return unsafe Self.send(descriptor, head, prefix, identifier, UInt64(count), part, passed, wait: wait)
    }

    mutating func advance() {
        sent += partCount
        areSent = sent == count
    }

    /// Lets the receiver forget what has been sent, if that does not take waiting.
    func abandon(_ core: DescriptorCore) {
        guard sent > 0, let lease = core.leaseIfOpen(.send) else { return }
        let head = FrameHead(.abandonment, byteCount: FrameHead.partPrefix, attachmentCount: 0)
        let nothing = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
        _ = unsafe Self.send(core.descriptor, head, FrameHead.partPrefix, identifier, 0, nothing, [], wait: false)
        withExtendedLifetime(lease) {}
    }

    private static func send(
        _ descriptor: Int64,
        _ head: FrameHead,
        _ prefix: Int,
        _ identifier: UInt64,
        _ total: UInt64,
        _ part: UnsafeRawBufferPointer,
        _ descriptors: [Int64],
        wait: Bool
    ) -> Int64 {
        var start = (UInt64(0), identifier.littleEndian, total.littleEndian)
        var descriptors = descriptors
        return unsafe withUnsafeMutableBytes(of: &start) { start in
            let base = unsafe start.baseAddress.unsafelyUnwrapped
            unsafe head.store(to: base)
            var buffers = unsafe (
                cip_buffer(base: base, count: FrameHead.size + prefix),
                cip_buffer(base: UnsafeMutableRawPointer(mutating: part.baseAddress), count: part.count)
            )
            return unsafe withUnsafeMutableBytes(of: &buffers) { buffers in
                unsafe descriptors.withUnsafeMutableBufferPointer { passed in
                    var message = unsafe cip_message()
                    unsafe message.buffers = buffers.assumingMemoryBound(to: cip_buffer.self).baseAddress
                    unsafe message.buffer_count = part.isEmpty ? 1 : 2
                    unsafe message.descriptors = passed.baseAddress
                    unsafe message.descriptor_count = passed.count
                    return System.call(.message) { unsafe cip_send_message(descriptor, &message, wait) }
                }
            }
        }
    }
}
#endif
