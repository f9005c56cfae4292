// SPDX-License-Identifier: MIT OR Apache-2.0

#if !canImport(Darwin) && !os(Windows)
extension IPCReceiver {
    /// Receives the next value, suspending the task until it comes.
    ///
    /// It does otherwise what the blocking form does. The corresponding system call is `recvmsg`.
    ///
    /// - Parameter timeout: How long to wait at most; `nil` means ``receiveTimeout``.
    /// - Returns: The value.
    /// - Throws: ``IPCError/Code/cancelled`` when the task is cancelled: the value is the next caller's; otherwise as the
    ///   blocking form does.
    public func receive(timeout: Duration? = nil) async throws(IPCError) -> Message {
        let deadline = packets.settings.deadline(timeout)
        if let memory {
            guard let message = try await memory.receive(until: deadline) else { throw packets.disconnected }
            return message
        }
        guard let message = try await packets.take(until: deadline) else { throw packets.disconnected }
        return try decode(message)
    }
}

extension IPCReceiver: AsyncSequence {
    /// Iterates over the values, until all senders are gone.
    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let receiver: IPCReceiver

        /// Waits for the next value, suspending the task.
        ///
        /// - Parameter actor: Where the caller runs.
        /// - Returns: The value; `nil` when all senders are gone.
        /// - Throws: As `IPCReceiver.receive(timeout:)` does otherwise.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws(IPCError) -> Message? {
            let deadline = receiver.packets.settings.deadline(nil)
            if let memory = receiver.memory { return try await memory.receive(until: deadline) }
            guard let message = try await receiver.packets.take(until: deadline) else { return nil }
            return try receiver.decode(message)
        }
    }

    /// Makes an iterator; several of them share the values.
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(receiver: self) }
}
#endif
