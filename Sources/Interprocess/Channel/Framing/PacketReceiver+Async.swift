// SPDX-License-Identifier: MIT OR Apache-2.0

extension PacketReceiver {
    /// Waits for the next message, suspending the task.
    ///
    /// - Throws: Also `.cancelled`: the message is the next caller's.
    func take(until deadline: Deadline) async throws(IPCError) -> PacketInbox.Message? {
        while !turn.tryTake() {
            let result = await turn.wait(core, until: deadline)
            if result < 0 { throw core.failure(result, .read) }
        }
        do throws(IPCError) {
            if core.budget.spend() { await core.giveWay() }
            var overtime = Overtime(until: deadline)
            while true {
                try checkUsable()
                if Task.isCancelled { throw core.error(.cancelled, .read) }
                if let message = try nextMessage() { return message }
                let result = await core.awaiting(.receive, until: deadline, waitsFirst: guess.isLikelyEmpty) {
                    let result = attempt(wait: false)
                    return result <= 0 && core.isClosed(.receive) ? Ending.closed : result
                }
                if result < 0 { throw core.failure(result, .read) }
                if try isEnd(result) { break }
                try overtime.spend(core, .read)
            }
        } catch {
            giveBack()
            throw error
        }
        giveBack()
        return nil
    }
}
