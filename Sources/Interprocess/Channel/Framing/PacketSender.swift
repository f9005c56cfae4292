// SPDX-License-Identifier: MIT OR Apache-2.0

#if !canImport(Darwin) && !os(Windows)
internal import CInterprocess
internal import Synchronization

/// The sending end of a channel: the one way in which all of them send messages.
///
/// Each packet is sent whole or not at all, and says by itself what it belongs to. So any number of threads and processes
/// can have one.
///
/// What is sent by tasks on an event loop's thread is collected until the loop's turn ends, and goes in one packet, for a
/// system call costs as much as many small messages.
final class PacketSender: TurnEnd, Sendable {
    let side: SendingSide
    /// How large a message may be.
    let limit: Int
    private let outbox = Locked(PacketOutbox())
    /// Whether anything is collected, for a look without the lock.
    private let hasCollected = Atomic<Bool>(false)
    private let isClosing = Atomic<Bool>(false)

    private var core: DescriptorCore { side.core }

    init(_ core: DescriptorCore, limit: Int) {
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
                    unsafe cip_send_packet(core.descriptor, head.word, bytes.baseAddress, bytes.count, waits)
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
        var parts = PacketParts(bytes.count, descriptors.numbers)
        while !parts.areSent {
            do throws(IPCError) {
                _ = try side.send(patience) { unsafe parts.send(core.descriptor, bytes, wait: $0) }
            } catch {
                parts.abandon(core)
                throw toldAsDisconnect(error)
            }
            parts.advance()
        }
        withExtendedLifetime(descriptors) {}
    }

    /// The same, suspending the task.
    ///
    /// - Parameters:
    ///   - count: How many bytes it has.
    ///   - descriptors: What goes with it.
    ///   - deadline: By when it must be sent.
    ///   - withBytes: Lends the bytes.
    /// - Throws: Also `.cancelled`.
    func send(
        _ count: Int,
        _ descriptors: OutgoingDescriptors,
        until deadline: Deadline,
        _ withBytes: ((UnsafeRawBufferPointer) -> Int64) -> Int64
    ) async throws(IPCError) {
        try check(count, descriptors.numbers)
        if descriptors.numbers.isEmpty && FrameHead(whole: count) != nil && Reactor.isHere {
            return try await unsafe collect(until: deadline, withBytes)
        }
        try await flush(until: deadline)
        var parts = PacketParts(count, descriptors.numbers)
        while !parts.areSent {
            do throws(IPCError) {
                _ = try await side.send(until: deadline) {
                    unsafe withBytes { unsafe parts.send(core.descriptor, $0, wait: false) }
                }
            } catch {
                parts.abandon(core)
                throw toldAsDisconnect(error)
            }
            parts.advance()
        }
        withExtendedLifetime(descriptors) {}
    }

    /// Whether the receiver has left with messages that it has not received, or without, is the same to its senders.
    private func toldAsDisconnect(_ error: IPCError) -> IPCError {
        guard error.code == .brokenPipe || error.code == .connectionReset else { return error }
        return IPCError(.disconnected, .write, systemCode: error.systemCode, name: error.name, detail: nil)
    }

    private func check(_ count: Int, _ descriptors: [Int64]) throws(IPCError) {
        if isClosing.load(ordering: .relaxed) { throw core.error(.closed, .write) }
        if count > limit {
            throw core.error(.messageTooLarge, .write, detail: "it is larger than the limit of this channel")
        }
        if descriptors.count > Int(CIP_MAXIMUM_DESCRIPTORS) {
            throw core.error(.messageTooLarge, .write, detail: "a message can take 253 descriptors along")
        }
    }
}

// MARK: - Collecting

extension PacketSender {
    /// Lets a message be sent at the end of this turn of the loop, if this is a loop's thread, there is room, and others
    /// need not come to their turn first.
    @inline(__always)
    func tryCollect(_ bytes: UnsafeRawBufferPointer) throws(IPCError) -> Bool {
        try check(bytes.count, [])
        if !Reactor.isHere || FrameHead(whole: bytes.count) == nil || core.budget.spend() { return false }
        if Task.isCancelled { throw core.error(.cancelled, .write) }
        let result = outbox.withLock { unsafe add(bytes, &$0) }
        if result == -cip_codes.would_block { return false }
        if result < 0 { throw toldAsDisconnect(core.failure(result, .write)) }
        return true
    }

    /// The same once others had their turn, suspending the task until there is room.
    private func collect(
        until deadline: Deadline,
        _ withBytes: ((UnsafeRawBufferPointer) -> Int64) -> Int64
    ) async throws(IPCError) {
        await core.giveWay()
        if Task.isCancelled { throw core.error(.cancelled, .write) }
        while true {
            let result = outbox.withLock { outbox in unsafe withBytes { unsafe add($0, &outbox) } }
            if result == 0 { return }
            if result != -cip_codes.would_block { throw toldAsDisconnect(core.failure(result, .write)) }
            try await flush(until: deadline)
        }
    }

    @inline(__always)
    private func add(_ bytes: UnsafeRawBufferPointer, _ outbox: inout PacketOutbox) -> Int64 {
        if isClosing.load(ordering: .relaxed) || core.isClosed(.send) { return Ending.closed }
        let result = unsafe outbox.add(bytes)
        if result < 0 { return result }
        hasCollected.store(true, ordering: .releasing)
        if !outbox.isExpected { expect(&outbox) }
        return 0
    }

    @inline(never)
    private func expect(_ outbox: inout PacketOutbox) {
        outbox.isExpected = true
        // After it has given way, a task that prefers no loop may be elsewhere.
        if let reactor = Reactor.current { reactor.callAtEndOfTurn(self) } else { Task { await flushInTheEnd() } }
    }

    func turnDidEnd() {
        // Where there is no room, whoever makes some lets it go.
        if !flushAsExpected() { Task { await flushInTheEnd() } }
    }

    private func flushInTheEnd() async {
        repeat { try? await flush(until: .never) } while !flushAsExpected()
    }

    /// Sends what is collected; returns whether nothing is left to be seen to.
    private func flushAsExpected() -> Bool {
        let lease = core.leaseIfOpen(.send)
        return outbox.withLock { outbox in
            let result = lease == nil ? 0 : flush(&outbox)
            outbox.isExpected = result == -cip_codes.would_block
            return !outbox.isExpected
        }
    }

    private func flush(_ outbox: inout PacketOutbox) -> Int64 {
        let result = outbox.flush(core.descriptor)
        if outbox.count == 0 && outbox.failure == 0 { hasCollected.store(false, ordering: .releasing) }
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

    /// The same, suspending the task.
    func flush(until deadline: Deadline) async throws(IPCError) {
        if hasCollected.load(ordering: .acquiring) {
            do throws(IPCError) {
                _ = try await side.send(until: deadline) { outbox.withLock { flush(&$0) } }
            } catch {
                throw toldAsDisconnect(error)
            }
        }
    }

    /// Closes the end as soon as what is collected is sent.
    func close() {
        isClosing.store(true, ordering: .releasing)
        if flushAsExpected() {
            core.close()
        } else {
            Task {
                await flushInTheEnd()
                core.close()
            }
        }
    }
}
#endif
