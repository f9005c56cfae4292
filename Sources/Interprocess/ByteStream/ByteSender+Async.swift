// SPDX-License-Identifier: MIT OR Apache-2.0

// The awaited forms of writing. Each suspends its task where the blocking form of the same name blocks its thread, and
// does the same otherwise. They suspend in nonblocking mode too, which is about the blocking forms.
//
// Cancelling the task ends each of them at once with `.cancelled`, whose `bytesTransferred` tells what had been sent.

extension ByteSender {
    /// Sends bytes, some or all, suspending the task until there is room for any.
    ///
    /// The corresponding system call is `send` (sockets) or `pwritev2` (pipes).
    ///
    /// - Parameters:
    ///   - bytes: What to send; the memory has to stay until the call returns.
    ///   - timeout: How long to wait at most; `nil` means ``sendTimeout``.
    /// - Returns: The number of bytes sent: at least one, unless there are none.
    /// - Throws: ``IPCError/Code/brokenPipe`` when the other side is gone, ``IPCError/Code/cancelled`` when the task is
    ///   cancelled, ``IPCError/Code/timedOut``, ``IPCError/Code/closed``, ``IPCError/Code/resourcesExhausted`` (to wait
    ///   takes memory and, the first time, descriptors). Nothing was sent when it throws.
    @inlinable
    public func write(_ bytes: UnsafeRawBufferPointer, timeout: Duration? = nil) async throws(IPCError) -> Int {
        try unsafe await sendingSide.write(bytes, timeout: timeout)
    }

    /// Sends bytes, some or all, suspending the task until there is room for any.
    ///
    /// - Parameters:
    ///   - bytes: What to send.
    ///   - timeout: How long to wait at most; `nil` means ``sendTimeout``.
    /// - Returns: The number of bytes sent: at least one, unless there are none.
    /// - Throws: As `write(_:timeout:)` does, and ``IPCError/Code/cancelled``.
    @inlinable
    public func write(_ bytes: RawSpan, timeout: Duration? = nil) async throws(IPCError) -> Int {
        // The span stays as it is during this call.
        let memory = unsafe bytes.withUnsafeBytes { unsafe $0 }
        return try unsafe await sendingSide.write(memory, timeout: timeout)
    }

    /// Sends bytes, some or all, suspending the task until there is room for any.
    ///
    /// - Parameters:
    ///   - bytes: What to send.
    ///   - timeout: How long to wait at most; `nil` means ``sendTimeout``.
    /// - Returns: The number of bytes sent: at least one, unless there are none.
    /// - Throws: As `write(_:timeout:)` does, and ``IPCError/Code/cancelled``.
    public func write(_ bytes: [UInt8], timeout: Duration? = nil) async throws(IPCError) -> Int {
        try await sendingSide.write(bytes, timeout: timeout)
    }

    /// Sends all of the bytes, suspending the task whenever there is no room.
    ///
    /// - Parameters:
    ///   - bytes: What to send; the memory has to stay until the call returns.
    ///   - timeout: How long the whole call may wait; `nil` means ``sendTimeout``.
    /// - Throws: As `write(_:timeout:)` does, and ``IPCError/Code/cancelled``;
    ///   ``IPCError/bytesTransferred`` tells how many bytes, from the first, had been sent.
    @inlinable
    public func writeAll(_ bytes: UnsafeRawBufferPointer, timeout: Duration? = nil) async throws(IPCError) {
        try unsafe await sendingSide.writeAll(bytes, timeout: timeout)
    }

    /// Sends all of the bytes, suspending the task whenever there is no room.
    ///
    /// - Parameters:
    ///   - bytes: What to send.
    ///   - timeout: How long the whole call may wait; `nil` means ``sendTimeout``.
    /// - Throws: As `writeAll(_:timeout:)` does, and ``IPCError/Code/cancelled``.
    @inlinable
    public func writeAll(_ bytes: RawSpan, timeout: Duration? = nil) async throws(IPCError) {
        let memory = unsafe bytes.withUnsafeBytes { unsafe $0 }
        try unsafe await sendingSide.writeAll(memory, timeout: timeout)
    }

    /// Sends all of the bytes, suspending the task whenever there is no room.
    ///
    /// - Parameters:
    ///   - bytes: What to send.
    ///   - timeout: How long the whole call may wait; `nil` means ``sendTimeout``.
    /// - Throws: As `writeAll(_:timeout:)` does, and ``IPCError/Code/cancelled``.
    public func writeAll(_ bytes: [UInt8], timeout: Duration? = nil) async throws(IPCError) {
        try await sendingSide.writeAll(bytes, timeout: timeout)
    }

    /// Sends all of a text, as UTF-8, suspending the task whenever there is no room.
    ///
    /// - Parameters:
    ///   - text: What to send.
    ///   - timeout: How long the whole call may wait; `nil` means ``sendTimeout``.
    /// - Throws: As `writeAll(_:timeout:)` does, and ``IPCError/Code/cancelled``.
    public func writeAll(_ text: String, timeout: Duration? = nil) async throws(IPCError) {
        try await writeAll(Array(text.utf8), timeout: timeout)
    }
}
