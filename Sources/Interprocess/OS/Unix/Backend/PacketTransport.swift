// SPDX-License-Identifier: MIT OR Apache-2.0

#if !canImport(Darwin) && !os(Windows) && !INTERPROCESS_STREAM_CHANNELS
internal import CInterprocess

/// Packets of channels as those of a socket.
///
/// Each system's backend has a type of this name with these members.
enum PacketTransport: Sendable {
    /// What a packet may have behind its frames: descriptors go beside them.
    static let trailerCapacity = 0
    private static let label = "a channel"

    static func makePair() throws(IPCError) -> (sender: DescriptorCore, receiver: DescriptorCore) {
        try LocalSocketBackend.pair(CIP_SEQUENCED_PACKETS, LocalSocketBackend.streamWaker, name: label)
    }

    /// - Throws: `.invalidArgument` when it is no end of a channel.
    static func adopt(
        _ owned: consuming OwnedDescriptor,
        toReceive: Bool,
        isShared: Bool
    ) throws(IPCError) -> DescriptorCore {
        let raw = owned.raw
        let type = System.call(.option) { cip_socket_type(raw) }
        if type != Int64(CIP_SEQUENCED_PACKETS) {
            throw IPCError(.invalidArgument, .adopt, name: "descriptor \(raw)", detail: "it is no end of a channel")
        }
        return DescriptorCore(owned, name: label, waker: LocalSocketBackend.streamWaker, isShared: isShared)
    }

    /// Gets descriptors to where a packet's receiver finds them, which the kernel does.
    @inline(__always)
    static func pass(_ descriptors: [Int64], by core: DescriptorCore) throws(IPCError) -> [Int64] { descriptors }

    /// Undoes that, for the packet has not been sent.
    @inline(__always)
    static func takeBack(_ passed: [Int64], by core: DescriptorCore) {}

    /// Sends a packet of whole frames, as below; never waits.
    @inline(__always)
    static func sendFrames(_ core: DescriptorCore, _ memory: UnsafeRawPointer, _ count: Int) -> Int64 {
        unsafe cip_send(core.descriptor, memory, count, false)
    }

    /// Sends a packet of one frame, as below.
    @inline(__always)
    static func send(
        _ core: DescriptorCore,
        _ head: FrameHead,
        _ bytes: UnsafeRawBufferPointer,
        wait: Bool,
        _ patience: Patience?
    ) -> Int64 {
        unsafe cip_send_packet(core.descriptor, head.word, bytes.baseAddress, bytes.count, wait)
    }

    /// Sends a packet: all of it, or none; waits for room only if it is to.
    @inline(__always)
    static func send(
        _ core: DescriptorCore,
        _ message: inout cip_message,
        wait: Bool,
        _ patience: Patience?
    ) -> Int64 {
        unsafe cip_send_message(core.descriptor, &message, wait)
    }

    /// Receives a packet.
    ///
    /// - Returns: How many bytes it has; 0 when all senders are gone; "would block", or another negated error code.
    @inline(__always)
    static func receive(_ core: DescriptorCore, _ message: inout cip_message, wait: Bool) -> Int64 {
        unsafe cip_receive_message(core.descriptor, &message, wait)
    }

    /// Whether all senders are gone, now that no bytes were received: one of them may have sent a packet of nothing.
    static func hasEnded(_ core: DescriptorCore) -> Bool {
        System.call(.option) { cip_packets_ended(core.descriptor) } != 0
    }
}
#endif
