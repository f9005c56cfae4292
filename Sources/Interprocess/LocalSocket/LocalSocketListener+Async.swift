// SPDX-License-Identifier: MIT OR Apache-2.0

extension LocalSocketListener {
    /// Accepts the next client, suspending the task until there is one.
    ///
    /// It does otherwise what the blocking form does, and suspends in nonblocking mode too. The corresponding system
    /// call is `accept`.
    ///
    /// - Parameter timeout: How long to wait at most; `nil` is without limit.
    /// - Returns: The connection to the client.
    /// - Throws: ``IPCError/Code/cancelled`` when the task is cancelled: the client, if one comes, is the next caller's;
    ///   ``IPCError/Code/timedOut``; ``IPCError/Code/closed`` when the listener is closed, also during the call;
    ///   ``IPCError/Code/resourcesExhausted`` when no descriptor is left: the client goes on waiting, and the next call
    ///   may find it.
    public func accept(timeout: Duration? = nil) async throws(IPCError) -> LocalSocketStream {
        // An event tells of a client in any case, and of the one behind it.
        let result = await descriptorCore.awaiting(.receive, until: settings.deadline(timeout), waitsFirst: true) {
            descriptorCore.acceptNow(gate)
        }
        if result < 0 { throw descriptorCore.failure(result, .accept) }
        return makeStream(OwnedDescriptor(result))
    }
}
