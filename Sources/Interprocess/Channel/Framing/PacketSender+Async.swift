// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess
internal import Synchronization

extension PacketSender {
    /// Sends a message, and descriptors beside it, suspending the task.
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
        var parts = PacketParts(count, try PacketTransport.pass(descriptors.numbers, by: core))
        while !parts.areSent {
            do throws(IPCError) {
                _ = try await side.send(until: deadline) {
                    unsafe withBytes { unsafe parts.send(core, $0, wait: false) }
                }
            } catch {
                parts.abandon(self)
                throw toldAsDisconnect(error)
            }
            parts.advance()
        }
        withExtendedLifetime(descriptors) {}
    }

    /// Sends what is collected, suspending the task.
    func flush(until deadline: Deadline) async throws(IPCError) {
        if hasCollected.load(ordering: .acquiring) {
            do throws(IPCError) {
                _ = try await side.send(until: deadline) { outbox.withLock { flush(&$0) } }
            } catch {
                throw toldAsDisconnect(error)
            }
        }
    }
}

// MARK: - Many at once

extension PacketSender {
    /// Sends the messages that a body adds to a batch, suspending the task.
    ///
    /// - Throws: Also `.cancelled`.
    func sendBatch(
        until deadline: Deadline,
        _ body: (inout PacketOutbox) async throws(IPCError) -> Void
    ) async throws(IPCError) {
        try await flush(until: deadline)
        var batch = PacketOutbox()
        try await body(&batch)
        try await send(&batch, until: deadline)
    }

    /// Adds a message, or sends it by itself if it takes several packets or has descriptors beside it.
    ///
    /// - Throws: Also `.cancelled`.
    func add(
        _ bytes: [UInt8],
        _ descriptors: OutgoingDescriptors,
        to batch: inout PacketOutbox,
        until deadline: Deadline
    ) async throws(IPCError) {
        let isSmall = descriptors.numbers.isEmpty
        if isSmall, try tryAdd(bytes, to: &batch) { return }
        try await send(&batch, until: deadline)
        if isSmall, try tryAdd(bytes, to: &batch) { return }
        try await unsafe send(bytes.count, descriptors, until: deadline) { body in
            unsafe bytes.withUnsafeBytes { unsafe body($0) }
        }
    }

    private func tryAdd(_ bytes: [UInt8], to batch: inout PacketOutbox) throws(IPCError) -> Bool {
        try unsafe bytes.withUnsafeBufferPointer { (memory) throws(IPCError) in
            try unsafe tryAdd(UnsafeRawBufferPointer(memory), to: &batch)
        }
    }

    private func send(_ batch: inout PacketOutbox, until deadline: Deadline) async throws(IPCError) {
        do throws(IPCError) {
            _ = try await side.send(until: deadline) { batch.flush(core) }
        } catch {
            throw toldAsDisconnect(error)
        }
    }
}

// MARK: - Collecting

extension PacketSender: TurnEnd {
    /// Lets a message be sent at the end of this turn of the loop, if this is a loop's thread, and there is room.
    ///
    /// How much that is also is after how much others come to their turn.
    @inline(__always)
    func tryCollect(_ bytes: UnsafeRawBufferPointer) throws(IPCError) -> Bool {
        try check(bytes.count, [])
        if !Reactor.isHere || FrameHead(whole: bytes.count) == nil { return false }
        // What `Task.isCancelled` says, without a reference to the task.
        let isCancelled = unsafe withUnsafeCurrentTask { unsafe $0?.isCancelled ?? false }
        if isCancelled { throw core.error(.cancelled, .write) }
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
        repeat {
            let result = await core.awaiting(.send, until: .never, waitsFirst: false) {
                outbox.withLock { flush(&$0) }
            }
            if isShortage(result) { await EventLoop.pauseInShortage() }
        } while !flushAsExpected()
    }
}
