// SPDX-License-Identifier: MIT OR Apache-2.0

#if os(Windows)
internal import CInterprocess

extension LocalSocketBackend {
    /// Connects as the blocking form does.
    ///
    /// Nothing tells of an instance that becomes free without blocking a thread, so it is tried again and again.
    static func connect(
        _ name: LocalSocketName,
        _ options: LocalSocketStream.ConnectOptions
    ) async throws(IPCError) -> LocalSocketStream {
        let plan = ConnectPlan(name, options)
        let deadline = options.deadline
        var backoff = Backoff()
        while true {
            if Task.isCancelled { throw IPCError(.cancelled, .connect, name: name.description, detail: nil) }
            let result = plan.attempt()
            if result >= 0 { return try plan.makeStream(OwnedDescriptor(result), options) }
            if !plan.isWorthRepeating(result) { throw plan.error(result: result) }
            if deadline.hasPassed { throw plan.timedOut(result) }
            try await EventLoop.pause(until: backoff.next(until: deadline), for: .connect, name: name.description)
        }
    }
}
#endif
