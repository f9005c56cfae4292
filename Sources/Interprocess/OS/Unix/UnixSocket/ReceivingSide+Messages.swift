// SPDX-License-Identifier: MIT OR Apache-2.0

#if !os(Windows)
internal import CInterprocess

extension ReceivingSide {
    /// Receives a message, or the bytes that were read ahead, waiting for either.
    func receive(
        into memory: MessageMemory,
        _ wishes: MessageWishes,
        _ patience: Patience
    ) throws(IPCError) -> UnixMessage {
        var message = UnixMessage()
        if memory.isNothing(wishes.kind) { return message }
        do throws(IPCError) {
            if ahead.isSet {
                _ = try inTurn(patience) { () -> Int in
                    Int(takeBuffered(&message, memory))
                } orReceive: { () throws(IPCError) -> Int in
                    try receiveAnew(&message, into: memory, wishes, patience)
                }
            } else {
                _ = try receiveAnew(&message, into: memory, wishes, patience)
            }
        } catch {
            throw error.adding(bytesTransferred: message.byteCount)
        }
        return message
    }

    /// Looks at what comes next, waiting for it.
    func peek(into memory: MessageMemory, _ kind: UnixSocketKind, _ patience: Patience) throws(IPCError) -> Int {
        if memory.isNothing(kind) { return 0 }
        if core.isClosed(.receive) { throw core.error(.closed, .read) }
        if ahead.isSet, case let found = peekBuffered(memory), found > 0 { return Int(found) }
        return try look(patience) { attemptPeek(into: memory) }
    }

    /// The size of the next message, waiting for it.
    func nextSize(_ patience: Patience) throws(IPCError) -> Int { try look(patience) { attemptNextSize() } }

    private func look(_ patience: Patience, _ attempt: () -> Int64) throws(IPCError) -> Int {
        let lease = try core.lease(.receive, for: .read)
        try connection?.finish(core, .receive, lease, patience)
        var backoff = Backoff()
        return try receive(lease, patience) {
            let result = attempt()
            if result == -cip_codes.would_block && !patience.isNonblocking && hasSomething {
                // Nothing tells of what comes behind it, so that is looked for from time to time.
                try? core.pause(.receive, for: .read, lease, until: backoff.next(until: patience.deadline))
            }
            return result
        }
    }

    /// Whether there is something to receive: after a look in vain, all of it is before where looking begins
    /// (`setPeekOffset`).
    var hasSomething: Bool { cip_poll(core.descriptor, Int64(CIP_READABLE), -1, 0) > 0 }

    private func receiveAnew(
        _ message: inout UnixMessage,
        into memory: MessageMemory,
        _ wishes: MessageWishes,
        _ patience: Patience
    ) throws(IPCError) -> Int {
        let lease = try core.lease(.receive, for: .read, blocking: !patience.isNonblocking)
        try connection?.finish(core, .receive, lease, patience)
        let waits = patience.isUnlimited && transport.mayWait(lease) && !spin.isOn
        return try receive(lease, patience) { attempt(&message, into: memory, wishes, wait: waits) }
    }

    func takeBuffered(_ message: inout UnixMessage, _ memory: MessageMemory) -> Int64 {
        guard let first = unsafe memory.first, let base = first.baseAddress else { return 0 }
        message.byteCount = unsafe readAhead.take(into: base, first.count)
        message.size = message.byteCount
        return Int64(message.byteCount)
    }

    func peekBuffered(_ memory: MessageMemory) -> Int64 {
        guard let first = unsafe memory.first, let base = first.baseAddress else { return 0 }
        return unsafe Int64(readAhead.copy(into: base, first.count))
    }

    func attempt(
        _ message: inout UnixMessage,
        into memory: MessageMemory,
        _ wishes: MessageWishes,
        wait: Bool
    ) -> Int64 {
        let result = memory.with { unsafe message.receive(core, $0, wishes, wait: wait) }
        // However short, a message is as much as could be asked for.
        guess.learn(result < 0 ? result : 1, of: 1)
        return result
    }

    func attemptPeek(into memory: MessageMemory) -> Int64 {
        memory.with { pieces in
            System.call(.message) { unsafe cip_peek(core.descriptor, pieces.baseAddress, pieces.count) }
        }
    }

    func attemptNextSize() -> Int64 { System.call(.message) { cip_next_size(core.descriptor) } }
}
#endif
