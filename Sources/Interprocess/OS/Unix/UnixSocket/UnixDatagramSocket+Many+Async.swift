// SPDX-License-Identifier: MIT OR Apache-2.0

#if !os(Windows)
extension UnixDatagramSocket {
    /// Sends the datagrams of a batch, some or all, in their order, suspending the task until there is room for any.
    ///
    /// The corresponding system call is `sendmmsg`, or `sendmsg` for each where there is none.
    ///
    /// - Parameters:
    ///   - batch: What to send; it stays as it is.
    ///   - index: Which one to begin with.
    ///   - timeout: How long to wait at most; `nil` means ``UnixMessageSocket/sendTimeout``.
    /// - Returns: How many were sent: at least one, unless there are none.
    /// - Throws: ``IPCError/Code/cancelled`` when the task is cancelled; else as `send(_:to:with:timeout:)` does.
    ///   Nothing was sent when it throws.
    public func sendMany(
        _ batch: UnixDatagramBatch,
        startingAt index: Int = 0,
        timeout: Duration? = nil
    ) async throws(IPCError) -> Int {
        if index >= batch.count { return 0 }
        return try await sendingSide.sendMessages(timeout) {
            sendingSide.attempt(batch, from: max(0, index), wait: false)
        }
    }

    /// Receives datagrams, as many as there are and the batch has room for, suspending the task until there are any.
    ///
    /// Descriptors that come with them are closed. The corresponding system call is `recvmmsg`, or `recvmsg` for each
    /// where there is none.
    ///
    /// - Parameters:
    ///   - batch: Where they go, in place of what it holds.
    ///   - timeout: How long to wait at most; `nil` means ``UnixMessageSocket/receiveTimeout``.
    /// - Returns: How many came: at least one, unless there is no room.
    /// - Throws: ``IPCError/Code/cancelled`` when the task is cancelled, ``IPCError/Code/timedOut``,
    ///   ``IPCError/Code/closed``, ``IPCError/Code/resourcesExhausted``.
    public func receiveMany(
        into batch: UnixDatagramBatch,
        timeout: Duration? = nil
    ) async throws(IPCError) -> Int {
        batch.removeAll()
        if batch.capacity == 0 { return 0 }
        let side = receivingSide
        let deadline = side.settings.deadline(timeout)
        let result = await side.receive(until: deadline) { _ in side.attempt(batch, wait: false) }
        return try side.core.checked(result, .read)
    }
}
#endif
