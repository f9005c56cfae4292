// SPDX-License-Identifier: MIT OR Apache-2.0

extension IPCBytesReceiver {
    /// Receives the next message, suspending the task until it comes.
    ///
    /// It does otherwise what the blocking form does. The corresponding system call is `recvmsg`.
    ///
    /// - Parameter timeout: How long to wait at most; `nil` means ``receiveTimeout``.
    /// - Returns: The message.
    /// - Throws: ``IPCError/Code/cancelled`` when the task is cancelled: the message is the next caller's;
    ///   ``IPCError/Code/disconnected`` when all senders are gone and everything was received;
    ///   ``IPCError/Code/timedOut``; ``IPCError/Code/closed``; ``IPCError/Code/protocolViolation``,
    ///   ``IPCError/Code/messageTooLarge`` or ``IPCError/Code/resourcesExhausted`` instead of something that came and
    ///   cannot be used, after which the next message can be received.
    public func receive(timeout: Duration? = nil) async throws(IPCError) -> [UInt8] {
        let message = try await packets.receive(until: packets.settings.deadline(timeout)) { unsafe Array($0.bytes) }
        guard let message else { throw packets.disconnected }
        return message
    }
}

extension IPCBytesReceiver {
    /// Receives the next message, and the descriptors that come with it, suspending the task until it comes.
    ///
    /// - Parameter timeout: How long to wait at most; `nil` means ``receiveTimeout``.
    /// - Returns: The message.
    /// - Throws: As `receive(timeout:)` does.
    public func receiveMessage(timeout: Duration? = nil) async throws(IPCError) -> IPCRawMessage {
        let message = try await packets.receive(until: packets.settings.deadline(timeout), IPCRawMessage.init)
        guard let message else { throw packets.disconnected }
        return message
    }
}

extension IPCBytesReceiver: AsyncSequence {
    /// Iterates over the messages, until all senders are gone.
    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let receiver: IPCBytesReceiver

        /// Waits for the next message, suspending the task.
        ///
        /// - Parameter actor: Where the caller runs.
        /// - Returns: The message; `nil` when all senders are gone.
        /// - Throws: As `IPCBytesReceiver.receive(timeout:)` does otherwise.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws(IPCError) -> [UInt8]? {
            let packets = receiver.packets
            return try await packets.receive(until: packets.settings.deadline(nil)) { unsafe Array($0.bytes) }
        }
    }

    /// Makes an iterator; several of them share the messages.
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(receiver: self) }
}
