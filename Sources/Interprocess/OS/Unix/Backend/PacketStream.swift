// SPDX-License-Identifier: MIT OR Apache-2.0

#if canImport(Darwin) || INTERPROCESS_STREAM_CHANNELS
internal import CInterprocess

/// What a stream needs to carry packets: the rest of one that was sent in part, and what has come of a frame.
///
/// Should the kernel take a part of a packet after all, the packet counts as sent: its rest goes before anything else that
/// this process sends by the same end, and by itself, even when that is closed. Another process that sends meanwhile, or the
/// end of this one, would spoil the stream, which its receiver is told.
@safe
final class PacketStream: DescriptorAttachment, @unchecked Sendable {
    private let rest = Locked<[UInt8]>([])
    /// Belongs to whoever has the turn to receive.
    private var incoming = IncomingFrames()

    /// Sends a packet, if that takes no waiting.
    func send(_ core: DescriptorCore, _ message: inout cip_message) -> Int64 {
        let total = unsafe UnsafeBufferPointer(start: message.buffers, count: message.buffer_count)
            .reduce(0) { unsafe $0 + $1.count }
        let (result, isShort) = rest.withLock { rest -> (Int64, Bool) in
            if case let result = Self.push(&rest, core.descriptor), result < 0 { return (result, false) }
            let result = unsafe cip_send_message(core.descriptor, &message, false)
            if result < 0 || result == total { return (result, false) }
            rest = unsafe Self.bytes(of: message, from: Int(result))
            return (Int64(total), true)
        }
        if isShort { sendRest(of: core) }
        return result
    }

    private static func bytes(of message: cip_message, from sent: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        for index in 0..<(unsafe message.buffer_count) {
            let piece = unsafe message.buffers.unsafelyUnwrapped[index]
            unsafe bytes += UnsafeRawBufferPointer(start: piece.base, count: piece.count)
        }
        return Array(bytes[sent...])
    }

    /// - Returns: 0 when nothing is left; or a negated error code.
    private static func push(_ rest: inout [UInt8], _ descriptor: Int64) -> Int64 {
        while !rest.isEmpty {
            let result = unsafe rest.withUnsafeBytes {
                unsafe cip_send(descriptor, $0.baseAddress.unsafelyUnwrapped, $0.count, false)
            }
            if result == -cip_codes.interrupted { continue }
            if result < 0 { return result }
            rest.removeFirst(Int(result))
        }
        return 0
    }

    /// Sees to it that the rest goes, by a descriptor that is not closed before.
    private func sendRest(of core: DescriptorCore) {
        let made = System.call(.duplicate) { cip_duplicate(core.descriptor) }
        let copy = made < 0 ? core : DescriptorCore(OwnedDescriptor(made), name: core.name, waker: .poll)
        Task { [self] in
            _ = await copy.awaiting(.send, until: .never, waitsFirst: true) {
                rest.withLock { Self.push(&$0, copy.descriptor) }
            }
            if copy !== core { copy.close() }
        }
    }

    /// Receives the frames that are there.
    func receive(_ core: DescriptorCore, _ message: inout cip_message, wait: Bool) -> Int64 {
        unsafe incoming.receive(core.descriptor, &message, wait: wait)
    }
}
#endif
