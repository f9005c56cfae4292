// SPDX-License-Identifier: MIT OR Apache-2.0

extension IPCBytesSender {
    /// Waits until the kernel has everything that was sent, suspending the task.
    ///
    /// It does otherwise what the blocking form does.
    ///
    /// - Parameter timeout: How long to wait at most; `nil` means ``sendTimeout``.
    /// - Throws: As `send(_:with:timeout:)` does.
    public func flush(timeout: Duration? = nil) async throws(IPCError) {
        try await packets.flush(until: packets.side.settings.deadline(timeout))
    }

    /// Sends a message, suspending the task while the kernel's buffer is full.
    ///
    /// It does otherwise what the blocking form does. The corresponding system call is `sendmsg`.
    ///
    /// - Parameters:
    ///   - bytes: The message, which may be empty.
    ///   - descriptors: What goes with it.
    ///   - timeout: How long the whole call may wait; `nil` means ``sendTimeout``.
    /// - Throws: ``IPCError/Code/cancelled`` when the task is cancelled; otherwise as the blocking form does. The message
    ///   does not arrive then.
    public func send(
        _ bytes: [UInt8],
        with descriptors: [any DescriptorOwner] = [],
        timeout: Duration? = nil
    ) async throws(IPCError) {
        if descriptors.isEmpty {
            let isCollected = try unsafe bytes.withUnsafeBufferPointer { (memory) throws(IPCError) in
                try unsafe packets.tryCollect(UnsafeRawBufferPointer(memory))
            }
            if isCollected { return }
        }
        let passed = try OutgoingDescriptors(descriptors)
        try await unsafe packets.send(bytes.count, passed, until: packets.side.settings.deadline(timeout)) { body in
            unsafe bytes.withUnsafeBytes { unsafe body($0) }
        }
    }

    /// Sends many messages, in as few packets as they fit, suspending the task while the kernel's buffer is full.
    ///
    /// It does otherwise what the blocking form does.
    ///
    /// - Parameters:
    ///   - messages: The messages, in their order.
    ///   - timeout: How long the whole call may wait; `nil` means ``sendTimeout``.
    /// - Throws: As `send(_:with:timeout:)` does. The first messages may arrive nevertheless.
    public func send(contentsOf messages: [[UInt8]], timeout: Duration? = nil) async throws(IPCError) {
        let deadline = packets.side.settings.deadline(timeout)
        try await packets.sendBatch(until: deadline) { (batch) async throws(IPCError) in
            for message in messages { try await packets.add(message, .none, to: &batch, until: deadline) }
        }
    }

    /// Sends a message, suspending the task while the kernel's buffer is full.
    ///
    /// - Parameters:
    ///   - bytes: The message, which may be empty and has to stay where it is until the call returns.
    ///   - descriptors: What goes with it.
    ///   - timeout: How long the whole call may wait; `nil` means ``sendTimeout``.
    /// - Throws: As `send(_:with:timeout:)` does.
    public func send(
        _ bytes: UnsafeRawBufferPointer,
        with descriptors: [any DescriptorOwner] = [],
        timeout: Duration? = nil
    ) async throws(IPCError) {
        if descriptors.isEmpty, try unsafe packets.tryCollect(bytes) { return }
        let passed = try OutgoingDescriptors(descriptors)
        let deadline = packets.side.settings.deadline(timeout)
        try await unsafe packets.send(bytes.count, passed, until: deadline) { unsafe $0(bytes) }
    }
}
