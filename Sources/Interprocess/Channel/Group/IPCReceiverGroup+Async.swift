// SPDX-License-Identifier: MIT OR Apache-2.0

extension IPCReceiverGroup {
    /// Waits for something to happen to a member, suspending the task.
    ///
    /// - Parameter timeout: How long to wait at most; `nil` is without limit, even when there are no members.
    /// - Returns: What has happened.
    /// - Throws: ``IPCError/Code/cancelled`` when the task is cancelled: what happens is the next caller's;
    ///   ``IPCError/Code/timedOut``; ``IPCError/Code/closed`` when the group is closed.
    public func next(timeout: Duration? = nil) async throws(IPCError) -> Event {
        let core = descriptorCore
        let deadline = Deadline(after: timeout)
        while !turn.tryTake() { _ = try core.checked(await turn.wait(core, until: deadline), .wait) }
        defer { turn.give(core) }
        if core.budget.spend() { await core.giveWay() }
        var overtime = Overtime(until: deadline, most: 2)
        while true {
            if core.isClosed(.receive) { throw core.error(.closed, .wait) }
            if Task.isCancelled { throw core.error(.cancelled, .wait) }
            if let event = takeEvent() { return event }
            _ = try core.checked(await core.becomeReady(.receive, until: deadline), .wait)
            try overtime.spend(core, .wait)
            lookForMore()
        }
    }
}
