// SPDX-License-Identifier: MIT OR Apache-2.0

extension ConnectionReceiver {
    /// Waits for something to come, suspending the task.
    ///
    /// - Throws: As the blocking form does, and `.cancelled`: what comes is the next caller's.
    func receive(_ awaited: Awaited, until deadline: Deadline) async throws(IPCError) -> Arrival<Value> {
        if core.budget.spend() { await core.giveWay() }
        if Task.isCancelled { throw core.error(.cancelled, .read) }
        var call: ParkedCall?
        defer { leave(call) }
        while true {
            switch step(awaited, call) {
            case .take(let arrival): return arrival
            case .fail(let error): throw error
            case .read: if let arrival = try await read(awaited, until: deadline) { return arrival }
            case .wait:
                if let present = call {
                    try await present.wait(.read, until: deadline)
                } else {
                    call = try .ofTask(core, .receive)
                }
            }
        }
    }

    private func read(_ awaited: Awaited, until deadline: Deadline) async throws(IPCError) -> Arrival<Value>? {
        var overtime = Overtime(until: deadline)
        do throws(IPCError) {
            while true {
                switch try takeOut(awaited) {
                case .own(let arrival): return arrival
                case .full: return nil
                case .needsMore:
                    try await reader.fill(until: deadline)
                    try overtime.spend(core, .read)
                }
            }
        } catch { throw stop(error) }
    }
}
