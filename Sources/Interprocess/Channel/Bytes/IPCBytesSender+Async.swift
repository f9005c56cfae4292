// SPDX-License-Identifier: MIT OR Apache-2.0

extension IPCBytesSender {
    /// Waits until the kernel has everything that was sent, suspending the task.
    ///
    /// It does otherwise what the blocking form does.
    ///
    /// - Parameter timeout: How long to wait at most; `nil` means ``sendTimeout``.
    /// - Throws: As `send(_:timeout:)` does.
    public func flush(timeout: Duration? = nil) async throws(IPCError) {
        try await packets.flush(until: packets.side.settings.deadline(timeout))
    }

    /// Sends a message, suspending the task while the kernel's buffer is full.
    ///
    /// It does otherwise what the blocking form does. The corresponding system call is `sendmsg`.
    ///
    /// - Parameters:
    ///   - bytes: The message, which may be empty.
    ///   - timeout: How long the whole call may wait; `nil` means ``sendTimeout``.
    /// - Throws: ``IPCError/Code/cancelled`` when the task is cancelled; ``IPCError/Code/brokenPipe`` when the receiver
    ///   is gone; ``IPCError/Code/messageTooLarge``; ``IPCError/Code/timedOut``; ``IPCError/Code/closed``;
    ///   ``IPCError/Code/resourcesExhausted``. The message does not arrive then.
    public func send(_ bytes: [UInt8], timeout: Duration? = nil) async throws(IPCError) {
        try await unsafe packets.send(bytes.count, [], until: packets.side.settings.deadline(timeout)) { body in
            unsafe bytes.withUnsafeBytes { unsafe body($0) }
        }
    }

    /// Sends a message, suspending the task while the kernel's buffer is full.
    ///
    /// - Parameters:
    ///   - bytes: The message, which may be empty and has to stay where it is until the call returns.
    ///   - timeout: How long the whole call may wait; `nil` means ``sendTimeout``.
    /// - Throws: As `send(_:timeout:)` does.
    public func send(_ bytes: UnsafeRawBufferPointer, timeout: Duration? = nil) async throws(IPCError) {
        let deadline = packets.side.settings.deadline(timeout)
        try await unsafe packets.send(bytes.count, [], until: deadline) { unsafe $0(bytes) }
    }
}
