// SPDX-License-Identifier: MIT OR Apache-2.0

extension IPCChild {
    /// Waits until the process has ended, suspending the task.
    ///
    /// It does otherwise what the blocking form does.
    ///
    /// - Parameter timeout: How long to wait at most; `nil` is without limit.
    /// - Returns: How it has ended.
    /// - Throws: ``IPCError/Code/cancelled`` when the task is cancelled: the process goes on;
    ///   ``IPCError/Code/timedOut`` while it runs; ``IPCError/Code/resourcesExhausted``.
    @discardableResult
    public func wait(timeout: Duration? = nil) async throws(IPCError) -> ExitStatus {
        try await handle.wait(until: Deadline(after: timeout))
    }
}

extension ChildHandle {
    func wait(until deadline: Deadline) async throws(IPCError) -> IPCChild.ExitStatus {
        if let status = knownStatus { return status }
        while true {
            _ = try core.checked(await core.becomeReady(.receive, until: deadline), .wait)
            if let status = try takeStatus() { return status }
        }
    }
}
