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
        let isSmall = descriptors.numbers.isEmpty && FrameHead(whole: count) != nil
        if isSmall, let reactor = Reactor.current {
            return try await unsafe collect(reactor, until: deadline, withBytes)
        }
        try await flush(until: deadline)
        var parts = PacketParts(count, try PacketTransport.pass(descriptors.numbers, by: core))
        while !parts.areSent {
            do throws(IPCError) {
                _ = try await side.send(until: deadline) {
                    unsafe withBytes { unsafe parts.send(core, $0, wait: false) }
                }
            } catch {
                parts.abandon(core)
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

// MARK: - Collecting

extension PacketSender: TurnEnd {
    /// Lets a message be sent at the end of this turn of the loop, if this is a loop's thread, and there is room.
    func tryCollect(
        _ count: Int,
        _ withBytes: ((UnsafeRawBufferPointer) -> Int64) -> Int64
    ) throws(IPCError) -> Bool {
        try check(count, [])
        guard let reactor = Reactor.current else { return false }
        let result = unsafe add(reactor, withBytes)
        if result == -cip_codes.would_block { return false }
        if result < 0 { throw toldAsDisconnect(core.failure(result, .write)) }
        return true
    }

    /// Lets a message be sent with others at the end of this turn of the loop.
    private func collect(
        _ reactor: Reactor,
        until deadline: Deadline,
        _ withBytes: ((UnsafeRawBufferPointer) -> Int64) -> Int64
    ) async throws(IPCError) {
        if core.budget.spend() { await core.giveWay() }
        if Task.isCancelled { throw core.error(.cancelled, .write) }
        while true {
            let result = unsafe add(reactor, withBytes)
            if result == 0 { return }
            if result != -cip_codes.would_block { throw toldAsDisconnect(core.failure(result, .write)) }
            try await flush(until: deadline)
        }
    }

    private func add(_ reactor: Reactor, _ withBytes: ((UnsafeRawBufferPointer) -> Int64) -> Int64) -> Int64 {
        outbox.withLock { outbox in
            if isClosing.load(ordering: .relaxed) || core.isClosed(.send) { return Ending.closed }
            let result = unsafe withBytes { unsafe outbox.add($0) }
            if result < 0 { return result }
            hasCollected.store(true, ordering: .releasing)
            if !outbox.isExpected {
                outbox.isExpected = true
                reactor.callAtEndOfTurn(self)
            }
            return 0
        }
    }

    func turnDidEnd() {
        // Where there is no room, whoever makes some lets it go.
        if !flushAsExpected() { Task { await flushInTheEnd() } }
    }

    private func flushInTheEnd() async {
        repeat { try? await flush(until: .never) } while !flushAsExpected()
    }
}
