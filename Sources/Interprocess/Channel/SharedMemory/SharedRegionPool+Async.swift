// SPDX-License-Identifier: MIT OR Apache-2.0

#if !canImport(Darwin) && !os(Windows)
extension SharedRegionPool {
    /// Takes a free slot, suspending the task until there is one.
    ///
    /// It does otherwise what the blocking form does.
    ///
    /// - Parameter timeout: How long to wait at most; `nil` is without limit.
    /// - Returns: The slot, whose contents are those of an earlier message.
    /// - Throws: ``IPCError/Code/cancelled`` when the task is cancelled; ``IPCError/Code/disconnected`` when the reader is
    ///   gone, and what it had with it; ``IPCError/Code/timedOut``; ``IPCError/Code/closed``;
    ///   ``IPCError/Code/protocolViolation`` when the reader has given back what it does not have, which changes nothing.
    public func take(timeout: Duration? = nil) async throws(IPCError) -> Slot {
        if let slot = try takeNew() { return slot }
        let event: IPCReceiverGroup.Event
        do throws(IPCError) {
            event = try await credits.next(timeout: timeout)
        } catch { throw named(error) }
        return try take(event)
    }
}
#endif
