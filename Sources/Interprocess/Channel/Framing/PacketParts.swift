// SPDX-License-Identifier: MIT OR Apache-2.0

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
    ///
    /// How long it may wait is said as `PacketTransport.send` has it.
    func send(
        _ core: DescriptorCore,
        _ bytes: UnsafeRawBufferPointer,
        wait: Bool,
        _ patience: Patience? = nil
    ) -> Int64 {
        // With the last part, so that a message which does not end keeps none: one may be the sender of this channel.
        let passed = sent + partCount == count ? descriptors : []
        let kind = isWhole ? FrameHead.Kind.message : sent == 0 ? .firstPart : .part
        let head = FrameHead(kind, byteCount: prefix + partCount, attachmentCount: passed.count)
        let part = unsafe UnsafeRawBufferPointer(rebasing: bytes[sent..<sent + partCount])
        return unsafe Self.send(core, head, prefix, identifier, UInt64(count), part, passed, wait: wait, patience)
    }

    mutating func advance() {
        sent += partCount
        areSent = sent == count
    }

    /// Gives the message up, and has the receiver forget what has been sent of it.
    func abandon(_ sender: PacketSender) {
        PacketTransport.takeBack(descriptors, by: sender.core)
        if sent > 0 { sender.abandon(identifier) }
    }

    private static func send(
        _ core: DescriptorCore,
        _ head: FrameHead,
        _ prefix: Int,
        _ identifier: UInt64,
        _ total: UInt64,
        _ part: UnsafeRawBufferPointer,
        _ descriptors: [Int64],
        wait: Bool,
        _ patience: Patience?
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
                    return System.call(.message) { unsafe PacketTransport.send(core, &message, wait: wait, patience) }
                }
            }
        }
    }
}
