// SPDX-License-Identifier: MIT OR Apache-2.0

#if !os(Windows)
internal import CInterprocess

extension ReceivingSide {
    /// Receives a message, or the bytes that were read ahead, suspending the task until there is either.
    func receive(
        into memory: MessageMemory,
        _ wishes: MessageWishes,
        _ timeout: Duration?
    ) async throws(IPCError) -> UnixMessage {
        var message = UnixMessage()
        if memory.isNothing(wishes.kind) { return message }
        let deadline = settings.deadline(timeout)
        try await finishConnecting(until: deadline)
        let result = await receive(until: deadline) { source in
            switch source {
            case .readAhead: takeBuffered(&message, memory)
            case .descriptor: attempt(&message, into: memory, wishes, wait: false)
            }
        }
        if result < 0 { throw core.failure(result, .read).adding(bytesTransferred: message.byteCount) }
        return message
    }

    /// Looks at what comes next, suspending the task until it comes.
    func peek(into memory: MessageMemory, _ kind: UnixSocketKind, _ timeout: Duration?) async throws(IPCError) -> Int {
        if memory.isNothing(kind) { return 0 }
        if core.isClosed(.receive) { throw core.error(.closed, .read) }
        if ahead.isSet, case let found = peekBuffered(memory), found > 0 { return Int(found) }
        return try await look(timeout) { attemptPeek(into: memory) }
    }

    /// The size of the next message, suspending the task until it comes.
    func nextSize(_ timeout: Duration?) async throws(IPCError) -> Int { try await look(timeout) { attemptNextSize() } }

    private func look(_ timeout: Duration?, _ attempt: () -> Int64) async throws(IPCError) -> Int {
        let deadline = settings.deadline(timeout)
        try await finishConnecting(until: deadline)
        var backoff = Backoff()
        while true {
            var isBehind = false
            let result = await core.awaiting(.receive, until: deadline, waitsFirst: false) {
                let result = attempt()
                if !isTrustworthy(result) { return Ending.closed }
                isBehind = result == -cip_codes.would_block && hasSomething
                return isBehind ? Ending.timedOut : result
            }
            if !isBehind || deadline.hasPassed { return try core.checked(result, .read) }
            // Nothing tells of what comes behind what is there, so that is looked for from time to time.
            try await EventLoop.pause(until: backoff.next(until: deadline), for: .read, name: core.name)
        }
    }
}
#endif
