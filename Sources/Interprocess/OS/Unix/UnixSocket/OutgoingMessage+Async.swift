// SPDX-License-Identifier: MIT OR Apache-2.0

#if !os(Windows)
internal import CInterprocess

extension SendingSide {
    /// Sends a message, suspending the task until there is room.
    func send(_ message: OutgoingMessage, _ kind: UnixSocketKind, _ timeout: Duration?) async throws(IPCError) -> Int {
        if message.isNothing(kind) { return 0 }
        return try await sendMessages(timeout) { message.send(core) }
    }

    /// Makes attempts until one sends something, suspending the task until there is room in between.
    func sendMessages(_ timeout: Duration?, _ attempt: () -> Int64) async throws(IPCError) -> Int {
        let deadline = settings.deadline(timeout)
        try await connection?.finish(core, .send, until: deadline)
        var backoff = Backoff.forFullQueue
        while true {
            let result = await core.awaiting(.send, until: deadline, waitsFirst: false) {
                let result = attempt()
                return result < 0 && core.isClosed(.send) ? Ending.closed : result
            }
            if result != -cip_codes.queue_full { return try core.checked(result, .write) }
            if deadline.hasPassed { throw core.error(.timedOut, .write) }
            try await EventLoop.pause(until: backoff.next(until: deadline), for: .write, name: core.name)
        }
    }
}
#endif
