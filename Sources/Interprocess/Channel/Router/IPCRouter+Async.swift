// SPDX-License-Identifier: MIT OR Apache-2.0

#if !canImport(Darwin) && !os(Windows)
extension IPCRouter {
    /// Ends all routes, and waits for the handler that is under way, suspending the task.
    ///
    /// It does otherwise what the blocking form does. When the task is cancelled, it does not wait.
    public func shutdown() async {
        core.shutDown()
        await core.waitForEndAwaited()
    }
}
#endif
