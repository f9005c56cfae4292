// SPDX-License-Identifier: MIT OR Apache-2.0

extension PacketReceiver {
    /// Waits for the next message, suspending the task, and has it looked at.
    ///
    /// - Throws: Also `.cancelled`: the message is the next caller's.
    func receive<Value>(
        until deadline: Deadline,
        _ body: (PacketInbox.Message) throws(IPCError) -> Value
    ) async throws(IPCError) -> Value? {
        try await takeTurn(until: deadline)
        defer { turn.give(core) }
        if core.budget.spend() { await core.giveWay() }
        while true {
            try checkNotMoved()
            if core.isClosed(.receive) { throw core.error(.closed, .read) }
            if Task.isCancelled { throw core.error(.cancelled, .read) }
            if let message = try nextMessage() { return try body(message) }
            let result = await core.awaiting(.receive, until: deadline, waitsFirst: guess.isLikelyEmpty) {
                let result = attempt(wait: false)
                return core.isClosed(.receive) && result <= 0 ? Ending.closed : result
            }
            if result < 0 { throw core.failure(result, .read) }
            if result == 0 { return nil }
        }
    }

    private func takeTurn(until deadline: Deadline) async throws(IPCError) {
        while !turn.tryTake() {
            let result = await turn.wait(core, until: deadline)
            if result < 0 { throw core.failure(result, .read) }
        }
    }
}
