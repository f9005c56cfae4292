// SPDX-License-Identifier: MIT OR Apache-2.0

#if canImport(Darwin) || INTERPROCESS_STREAM_CHANNELS
internal import CInterprocess

/// Packets of channels on a stream socket, for Darwin's local sockets know no packets.
///
/// The kernel takes a packet whole or not at all as long as the socket's low-water mark is not smaller than that: without as
/// much room, a send that must not wait takes nothing. (One that waits could be cut by another process's there, so none
/// does: they wait by poll, which goes by the same mark.) See `PacketStream` for what happens where it takes a part after all.
///
/// Tests on Linux can have channels this way too: with INTERPROCESS_STREAM_CHANNELS defined.
enum PacketTransport: Sendable {
    /// What a packet may have behind its frames: descriptors go beside them.
    static let trailerCapacity = 0
    private static let label = "a channel"
    /// With room for the descriptors that go beside a packet, which count as well.
    private static let lowWater = Int64(FrameHead.maximumPacket + 4096)

    static func makePair() throws(IPCError) -> (sender: DescriptorCore, receiver: DescriptorCore) {
        var ends: (Int64, Int64) = (-1, -1)
        let result = System.call(.socket) {
            unsafe withUnsafeMutableBytes(of: &ends) {
                unsafe cip_socket_pair(
                    Int64(CIP_STREAM),
                    $0.assumingMemoryBound(to: Int64.self).baseAddress.unsafelyUnwrapped
                )
            }
        }
        if result < 0 { throw IPCError(result: result, .create, name: label) }
        let (sender, receiver) = (makeCore(ends.0), makeCore(ends.1))
        // The mark is never above the buffer's size, so that comes first.
        let sized = System.call(.option) {
            cip_set_option(ends.0, Int64(CIP_OPTION_SEND_BUFFER), 4 * lowWater)
        }
        if sized < 0 { throw sender.error(result: sized, .create) }
        // Linux has no such option.
        _ = System.call(.option) { cip_set_option(ends.0, Int64(CIP_OPTION_SEND_LOW_WATER), lowWater) }
        return (sender, receiver)
    }

    private static func makeCore(_ end: Int64, isShared: Bool = false) -> DescriptorCore {
        makeCore(OwnedDescriptor(end), isShared: isShared)
    }

    private static func makeCore(_ owned: consuming OwnedDescriptor, isShared: Bool) -> DescriptorCore {
        let core = DescriptorCore(owned, name: label, waker: LocalSocketBackend.streamWaker, isShared: isShared)
        _ = core.companion.set(PacketStream())
        return core
    }

    /// - Throws: `.invalidArgument` when it is no end of a channel.
    static func adopt(
        _ owned: consuming OwnedDescriptor,
        toReceive: Bool,
        isShared: Bool
    ) throws(IPCError) -> DescriptorCore {
        let raw = owned.raw
        let type = System.call(.option) { cip_socket_type(raw) }
        if type != Int64(CIP_STREAM) {
            throw IPCError(.invalidArgument, .adopt, name: "descriptor \(raw)", detail: "it is no end of a channel")
        }
        return makeCore(owned, isShared: isShared)
    }

    /// Gets descriptors to where a packet's receiver finds them, which the kernel does.
    static func pass(_ descriptors: [Int64], by core: DescriptorCore) throws(IPCError) -> [Int64] { descriptors }

    /// Undoes that, for the packet has not been sent.
    static func takeBack(_ passed: [Int64], by core: DescriptorCore) {}

    /// Sends a packet of whole frames, as below; never waits.
    static func sendFrames(_ core: DescriptorCore, _ memory: UnsafeRawPointer, _ count: Int) -> Int64 {
        var buffer = unsafe cip_buffer(base: UnsafeMutableRawPointer(mutating: memory), count: count)
        return unsafe withUnsafeMutablePointer(to: &buffer) { unsafe send(core, $0, 1) }
    }

    /// Sends a packet of one frame, as below.
    static func send(
        _ core: DescriptorCore,
        _ head: FrameHead,
        _ bytes: UnsafeRawBufferPointer,
        wait: Bool,
        _ patience: Patience?
    ) -> Int64 {
        var word = head.word
        return unsafe withUnsafeMutableBytes(of: &word) { word in
            var buffers = unsafe (
                cip_buffer(base: word.baseAddress, count: FrameHead.size),
                cip_buffer(base: UnsafeMutableRawPointer(mutating: bytes.baseAddress), count: bytes.count)
            )
            return unsafe withUnsafeMutableBytes(of: &buffers) {
                let base = unsafe $0.assumingMemoryBound(to: cip_buffer.self).baseAddress.unsafelyUnwrapped
                return unsafe send(core, base, bytes.isEmpty ? 1 : 2)
            }
        }
    }

    private static func send(_ core: DescriptorCore, _ buffers: UnsafeMutablePointer<cip_buffer>, _ count: Int) -> Int64
    {
        var message = unsafe cip_message()
        unsafe message.buffers = buffers
        unsafe message.buffer_count = count
        return unsafe core.packetStream.send(core, &message)
    }

    /// Sends a packet: all of it, or none; never waits.
    static func send(
        _ core: DescriptorCore,
        _ message: inout cip_message,
        wait: Bool,
        _ patience: Patience?
    ) -> Int64 {
        unsafe core.packetStream.send(core, &message)
    }

    /// Receives the frames that are there, as one packet.
    ///
    /// - Returns: How many bytes it has; 0 when all senders are gone; "would block", or another negated error code.
    static func receive(_ core: DescriptorCore, _ message: inout cip_message, wait: Bool) -> Int64 {
        unsafe core.packetStream.receive(core, &message, wait: wait)
    }

    /// Whether all senders are gone, now that no bytes were received: here there are no packets of nothing.
    static func hasEnded(_ core: DescriptorCore) -> Bool { true }
}

extension DescriptorCore {
    /// What the core of each end is given when it is made.
    fileprivate var packetStream: PacketStream {
        unsafe unsafeDowncast(companion.value.unsafelyUnwrapped, to: PacketStream.self)
    }
}
#endif
