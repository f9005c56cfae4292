// SPDX-License-Identifier: MIT OR Apache-2.0

#if os(Linux) || os(Android)
extension UnixMessageSocket {
    /// The size of the message that comes next, which stays, suspending the task until one comes.
    ///
    /// The corresponding system call is `recv` (`MSG_PEEK | MSG_TRUNC`).
    ///
    /// - Parameter timeout: How long to wait at most; `nil` means ``receiveTimeout``.
    /// - Returns: The number of bytes: 0 for an empty message, and at the end of a connection.
    /// - Throws: As the blocking form does, and ``IPCError/Code/cancelled``.
    public func nextMessageSize(timeout: Duration? = nil) async throws(IPCError) -> Int {
        try await receivingSide.nextSize(timeout)
    }
}
#endif
