// SPDX-License-Identifier: MIT OR Apache-2.0

#if os(Windows)
internal import CInterprocess

/// Packets of channels as messages of a named pipe, whose name nobody knows: from its client, of which there may be any
/// number of duplicates, to its server.
///
/// The system takes a message whole or not at all, also when the wait for room is ended early, for receivers read each at
/// once. Handles travel in a table behind the frame that they belong to (see `HandlePassage`).
enum PacketTransport: Sendable {
    /// What a packet may have behind its frames.
    static let trailerCapacity = Int(CIP_MAXIMUM_DESCRIPTORS) * HandlePassage.entrySize
    private static let label = "a channel"
    private static let bufferSize = 4 * FrameHead.maximumPacket

    static func makePair() throws(IPCError) -> (sender: DescriptorCore, receiver: DescriptorCore) {
        let (receiver, sender) = try PipeAddress.makePair(
            .clientToServer,
            .messages,
            bufferSize: bufferSize,
            for: label
        )
        return (sender, receiver)
    }

    /// - Throws: `.invalidArgument` when it is no such end of a channel.
    static func adopt(
        _ owned: consuming OwnedDescriptor,
        toReceive: Bool,
        isShared: Bool
    ) throws(IPCError) -> DescriptorCore {
        let raw = owned.raw
        var status = cip_named_pipe_status()
        let result = System.call(.option) { unsafe cip_named_pipe_status(raw, &status) }
        let isEnd = result >= 0 && status.stores_messages && cip_is_overlapped(raw)
        if !isEnd || status.is_server != toReceive || toReceive && !status.reads_messages {
            throw IPCError(
                .invalidArgument,
                .adopt,
                name: "handle \(raw)",
                detail: toReceive ? "it is no receiving end of a channel" : "it is no sending end of a channel"
            )
        }
        return DescriptorCore(owned, name: label, waker: .poll, isShared: isShared)
    }

    /// Sends a packet of whole frames, as below; never waits.
    static func sendFrames(_ core: DescriptorCore, _ memory: UnsafeRawPointer, _ count: Int) -> Int64 {
        unsafe send(core, memory, count, wait: false, nil)
    }

    /// Sends a packet of one frame, as below.
    static func send(
        _ core: DescriptorCore,
        _ head: FrameHead,
        _ bytes: UnsafeRawBufferPointer,
        wait: Bool,
        _ patience: Patience?
    ) -> Int64 {
        let count = FrameHead.size + bytes.count
        return unsafe withUnsafeTemporaryAllocation(byteCount: count, alignment: 8) { packet in
            let base = unsafe packet.baseAddress.unsafelyUnwrapped
            unsafe head.store(to: base)
            if let start = bytes.baseAddress {
                unsafe (base + FrameHead.size).copyMemory(from: start, byteCount: bytes.count)
            }
            return unsafe send(core, base, count, wait: wait, patience)
        }
    }

    /// Sends a packet: all of it, or none.
    ///
    /// The handles are those that `pass` has returned. With `wait` it may wait in the call without limit, otherwise as its
    /// patience says. Without any it must not, and has its packet kept until there is room: "would block" while an earlier
    /// one is.
    static func send(
        _ core: DescriptorCore,
        _ message: inout cip_message,
        wait: Bool,
        _ patience: Patience?
    ) -> Int64 {
        let (pieces, handles) = unsafe (message.pieces, message.handles)
        if pieces.count == 1 && handles.isEmpty {
            guard let piece = unsafe pieces.first, let base = unsafe piece.base else { return 0 }
            return unsafe send(core, base, piece.count, wait: wait, patience)
        }
        let count = unsafe pieces.reduce(0) { unsafe $0 + $1.count } + handles.count * HandlePassage.entrySize
        return unsafe withUnsafeTemporaryAllocation(byteCount: count, alignment: 8) { packet in
            let base = unsafe packet.baseAddress.unsafelyUnwrapped
            var end = unsafe base
            for index in pieces.indices {
                let piece = unsafe pieces[index]
                if let start = unsafe piece.base { unsafe end.copyMemory(from: start, byteCount: piece.count) }
                unsafe end += piece.count
            }
            for index in handles.indices {
                unsafe end.storeBytes(of: handles[index].littleEndian, as: Int64.self)
                unsafe end += HandlePassage.entrySize
            }
            return unsafe send(core, base, count, wait: wait, patience)
        }
    }

    private static func send(
        _ core: DescriptorCore,
        _ memory: UnsafeRawPointer,
        _ count: Int,
        wait: Bool,
        _ patience: Patience?
    ) -> Int64 {
        guard let patience else { return told(unsafe core.outbox.write(memory, count, whole: true)) }
        let wake = core.wakeOfOpen(.send)
        if wake < 0 { return wake }
        let limit = wait ? -1 : patience.isNonblocking ? 0 : patience.deadline.remaining
        let result = unsafe cip_handle_write(core.descriptor, memory, count, wake, limit)
        let isTimedOut = result == -cip_codes.would_block && !patience.isNonblocking && !core.isClosed(.send)
        return isTimedOut ? -PipeCode.timedOut : told(result)
    }

    /// Whichever way the receiver has gone.
    private static func told(_ result: Int64) -> Int64 {
        PipeCode.isEndOfStream(result) ? -PipeCode.brokenPipe : result
    }

    /// Whether all senders are gone, now that no bytes were received: here there are no packets of nothing.
    static func hasEnded(_ core: DescriptorCore) -> Bool { true }

    /// Receives a packet.
    ///
    /// - Returns: How many bytes it has; 0 when all senders are gone; "would block", or another negated error code.
    static func receive(_ core: DescriptorCore, _ message: inout cip_message, wait: Bool) -> Int64 {
        let wake = wait ? core.wakeOfOpen(.receive) : -1
        if wait && wake < 0 { return wake }
        let capacity = unsafe message.pieces[0].count
        let base = unsafe message.pieces[0].base.unsafelyUnwrapped
        let room = unsafe message.descriptor_count
        unsafe message.descriptor_count = 0
        while true {
            var received = 0
            let result = unsafe cip_handle_read(core.descriptor, base, capacity, wake, wait ? -1 : 0, &received)
            if result == -PipeCode.moreData {
                // Larger than any packet: the rest of it is not the beginning of the next one.
                while unsafe cip_handle_read(core.descriptor, base, capacity, -1, 0, &received) == -PipeCode.moreData {}
                return Int64(capacity)
            }
            if result < 0 { return PipeCode.isEndOfStream(result) ? 0 : result }
            // No sender of a channel sends nothing, and it is not the end.
            if received > 0 { return Int64(unsafe HandlePassage.take(core, base, received, room, &message)) }
        }
    }
}

extension cip_message {
    fileprivate var pieces: UnsafeMutableBufferPointer<cip_buffer> {
        unsafe UnsafeMutableBufferPointer(start: buffers, count: buffer_count)
    }

    fileprivate var handles: UnsafeMutableBufferPointer<Int64> {
        unsafe UnsafeMutableBufferPointer(start: descriptors, count: descriptor_count)
    }
}
#endif
