// SPDX-License-Identifier: MIT OR Apache-2.0

#if !os(Windows)
extension PeerProcess {
    /// Waits until the process has ended, suspending the task.
    ///
    /// A pidfd becomes readable then. Closing the object ends the wait, and so does cancelling the task.
    ///
    /// - Parameter timeout: How long to wait at most; `nil` is without limit.
    /// - Throws: ``IPCError/Code/timedOut`` while the process still runs; ``IPCError/Code/closed``;
    ///   ``IPCError/Code/cancelled``; ``IPCError/Code/resourcesExhausted`` (to wait takes memory and, the first time,
    ///   descriptors).
    public func waitForExit(timeout: Duration? = nil) async throws(IPCError) {
        let result = await descriptorCore.becomeReady(.receive, until: Deadline(after: timeout))
        _ = try descriptorCore.checked(result, .wait)
    }
}
#endif
