// SPDX-License-Identifier: MIT OR Apache-2.0

extension IPCSender {
    /// Sends a value, suspending the task while the kernel's buffer is full.
    ///
    /// It does otherwise what the blocking form does. The corresponding system call is `sendmsg`.
    ///
    /// - Parameters:
    ///   - message: The value. Endpoints, regions and descriptors may be anywhere in it; receivers among them move to
    ///     whoever gets it, once it is sent.
    ///   - timeout: How long the whole call may wait; `nil` means ``sendTimeout``.
    /// - Throws: ``IPCError/Code/cancelled`` when the task is cancelled; otherwise as the blocking form does. The value does
    ///   not arrive then, and nothing in it is changed.
    public func send(_ message: Message, timeout: Duration? = nil) async throws(IPCError) {
        if let memory { return try await memory.send(message, until: packets.side.settings.deadline(timeout)) }
        let encoded = try unsafe begin(message) { (bytes) throws(IPCError) in try unsafe packets.tryCollect(bytes) }
        guard let encoded else { return }
        let deadline = packets.side.settings.deadline(timeout)
        try await unsafe packets.send(encoded.bytes.count, encoded.descriptors, until: deadline) { body in
            unsafe encoded.bytes.withUnsafeBytes { unsafe body($0) }
        }
        encoded.descriptors.areSent()
    }

    /// Sends many values, in as few packets as they fit, suspending the task while the kernel's buffer is full.
    ///
    /// It does otherwise what the blocking form does.
    ///
    /// - Parameters:
    ///   - messages: The values, in their order.
    ///   - timeout: How long the whole call may wait; `nil` means ``sendTimeout``.
    /// - Throws: As `send(_:timeout:)` does. The first values may arrive nevertheless.
    public func send(contentsOf messages: [Message], timeout: Duration? = nil) async throws(IPCError) {
        let deadline = packets.side.settings.deadline(timeout)
        if let memory {
            for message in messages { try await memory.send(message, until: deadline) }
            return
        }
        try await packets.sendBatch(until: deadline) { (batch) async throws(IPCError) in
            for message in messages {
                let encoded = try unsafe begin(message) { (bytes) throws(IPCError) in
                    try unsafe packets.tryAdd(bytes, to: &batch)
                }
                guard let encoded else { continue }
                try await packets.add(encoded.bytes, encoded.descriptors, to: &batch, until: deadline)
                encoded.descriptors.areSent()
            }
        }
    }

    /// Waits until the kernel has everything that was sent, suspending the task.
    ///
    /// It does otherwise what the blocking form does.
    ///
    /// - Parameter timeout: How long to wait at most; `nil` means ``sendTimeout``.
    /// - Throws: As `send(_:timeout:)` does.
    public func flush(timeout: Duration? = nil) async throws(IPCError) {
        if let memory { return try memory.checkOpen() }
        try await packets.flush(until: packets.side.settings.deadline(timeout))
    }
}
