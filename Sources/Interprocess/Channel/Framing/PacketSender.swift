// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess
internal import Synchronization

/// The sending end of a channel: the one way in which all of them send messages.
///
/// Each packet is sent whole or not at all, and says by itself what it belongs to. So any number of threads and processes
/// can have one.
///
/// What is sent by tasks on an event loop's thread is collected until the loop's turn ends, and goes in one packet, for a
/// system call costs as much as many small messages.
final class PacketSender: Sendable {
    let side: SendingSide
    /// How large a message may be.
    let limit: Int
    let outbox = Locked(PacketOutbox())
    /// Whether anything is collected, for a look without the lock.
    let hasCollected = Atomic<Bool>(false)
    let isClosing = Atomic<Bool>(false)

    let core: DescriptorCore

    init(_ core: DescriptorCore, limit: Int) {
        self.core = core
        side = SendingSide(core, .socket)
        self.limit = limit
    }

    /// Sends a message.
    ///
    /// - Parameters:
    ///   - bytes: Its bytes.
    ///   - patience: How long to wait.
    /// - Throws: `.messageTooLarge`, `.disconnected`, `.closed`, `.timedOut`, `.wouldBlock`, `.resourcesExhausted`.
    ///   Nothing arrives then.
    @inline(__always)
    func send(_ bytes: UnsafeRawBufferPointer, _ patience: Patience) throws(IPCError) {
        guard let head = FrameHead(whole: bytes.count) else { return try unsafe send(bytes, .none, patience) }
        try check(bytes.count, [])
        try flush(patience)
        do throws(IPCError) {
            _ = try side.send(patience) { waits in
                System.call(.message) {
                    unsafe PacketTransport.send(core, head, bytes, wait: waits, patience)
                }
            }
        } catch {
            throw toldAsDisconnect(error)
        }
    }

    /// Sends a message that is in two pieces, and not larger than a packet.
    @inline(never)
    func send(
        _ start: UnsafeRawBufferPointer,
        _ rest: UnsafeRawBufferPointer,
        _ patience: Patience
    ) throws(IPCError) {
        let count = start.count + rest.count
        try check(count, [])
        try flush(patience)
        var word = FrameHead(.message, byteCount: count, attachmentCount: 0).word
        do throws(IPCError) {
            _ = try unsafe withUnsafeMutableBytes(of: &word) { (head) throws(IPCError) in
                var pieces = unsafe (
                    cip_buffer(base: head.baseAddress, count: FrameHead.size),
                    cip_buffer(base: UnsafeMutableRawPointer(mutating: start.baseAddress), count: start.count),
                    cip_buffer(base: UnsafeMutableRawPointer(mutating: rest.baseAddress), count: rest.count)
                )
                return try unsafe withUnsafeMutableBytes(of: &pieces) { (pieces) throws(IPCError) in
                    var message = unsafe cip_message()
                    unsafe message.buffers = pieces.assumingMemoryBound(to: cip_buffer.self).baseAddress
                    unsafe message.buffer_count = 3
                    return try side.send(patience) { waits in
                        System.call(.message) {
                            unsafe PacketTransport.send(core, &message, wait: waits, patience)
                        }
                    }
                }
            }
        } catch {
            throw toldAsDisconnect(error)
        }
    }

    /// The same with descriptors beside it.
    @inline(never)
    func send(
        _ bytes: UnsafeRawBufferPointer,
        _ descriptors: OutgoingDescriptors,
        _ patience: Patience
    ) throws(IPCError) {
        try check(bytes.count, descriptors.numbers)
        try flush(patience)
        var parts = PacketParts(bytes.count, try PacketTransport.pass(descriptors.numbers, by: core))
        while !parts.areSent {
            do throws(IPCError) {
                _ = try side.send(patience) { unsafe parts.send(core, bytes, wait: $0, patience) }
            } catch {
                parts.abandon(self)
                throw toldAsDisconnect(error)
            }
            parts.advance()
        }
        withExtendedLifetime(descriptors) {}
    }

    /// Whether the receiver has left with messages that it has not received, or without, is the same to its senders.
    func toldAsDisconnect(_ error: IPCError) -> IPCError {
        guard error.code == .brokenPipe || error.code == .connectionReset else { return error }
        return IPCError(.disconnected, .write, systemCode: error.systemCode, name: error.name, detail: nil)
    }

    func check(_ count: Int, _ descriptors: [Int64]) throws(IPCError) {
        if isClosing.load(ordering: .relaxed) { throw core.error(.closed, .write) }
        if count > limit {
            throw core.error(.messageTooLarge, .write, detail: "it is larger than the limit of this channel")
        }
        if descriptors.count > Int(CIP_MAXIMUM_DESCRIPTORS) {
            throw core.error(.messageTooLarge, .write, detail: "a message can take 253 descriptors along")
        }
    }
}

// MARK: - Many at once

extension PacketSender {
    /// Sends the messages that a body adds to a batch, in as few packets as they fit.
    ///
    /// - Throws: As `send` does, and what the body throws. Of what was added, the first messages may have been sent.
    func sendBatch(
        _ patience: Patience,
        _ body: (inout PacketOutbox) throws(IPCError) -> Void
    ) throws(IPCError) {
        try flush(patience)
        var batch = PacketOutbox()
        try body(&batch)
        try send(&batch, patience)
    }

    /// Adds a message, or sends it by itself if it takes several packets.
    ///
    /// - Throws: As `send` does.
    func add(
        _ bytes: UnsafeRawBufferPointer,
        to batch: inout PacketOutbox,
        _ patience: Patience
    ) throws(IPCError) {
        if try unsafe tryAdd(bytes, to: &batch) { return }
        try send(&batch, patience)
        if try unsafe !tryAdd(bytes, to: &batch) { try unsafe send(bytes, patience) }
    }

    /// Adds a message; returns whether there was room.
    ///
    /// - Throws: `.closed`, `.messageTooLarge`.
    func tryAdd(_ bytes: UnsafeRawBufferPointer, to batch: inout PacketOutbox) throws(IPCError) -> Bool {
        try check(bytes.count, [])
        return unsafe batch.add(bytes) == 0
    }

    /// Sends what was added.
    ///
    /// - Throws: As for a message.
    func send(_ batch: inout PacketOutbox, _ patience: Patience) throws(IPCError) {
        do throws(IPCError) {
            _ = try side.send(patience) { _ in batch.flush(core) }
        } catch {
            throw toldAsDisconnect(error)
        }
    }
}

// MARK: - Collecting

extension PacketSender {
    /// Sends what is collected; returns whether nothing is left to be seen to.
    func flushAsExpected() -> Bool {
        let lease = core.leaseIfOpen(.send)
        let isDone = outbox.withLock { outbox in
            let result = lease == nil ? 0 : flush(&outbox)
            // What nobody sees to goes if there is room, and memory.
            if result != -cip_codes.would_block && !Shortage.isCause(of: result) { outbox.isExpected = false }
            return !outbox.isExpected
        }
        if isDone && isClosing.load(ordering: .acquiring) { core.close() }
        return isDone
    }

    func flush(_ outbox: inout PacketOutbox) -> Int64 {
        let result = outbox.flush(core)
        hasCollected.store(outbox.count > 0 || outbox.failure != 0, ordering: .releasing)
        return result
    }

    /// Sends what is collected.
    func flush(_ patience: Patience) throws(IPCError) {
        if hasCollected.load(ordering: .acquiring) {
            do throws(IPCError) {
                _ = try side.send(patience) { _ in outbox.withLock { flush(&$0) } }
            } catch {
                throw toldAsDisconnect(error)
            }
        }
    }

    /// Has the receiver forget a message of which parts have been sent: now if there is room, else before what is sent next.
    func abandon(_ identifier: UInt64) {
        let lease = core.leaseIfOpen(.send)
        outbox.withLock { outbox in
            if lease != nil && outbox.add(abandonmentOf: identifier) == 0 { _ = flush(&outbox) }
        }
    }

    /// Closes the end as soon as what is collected is sent: where that takes waiting, whoever sees to it closes the end.
    func close() {
        isClosing.store(true, ordering: .sequentiallyConsistent)
        _ = flushAsExpected()
    }
}
