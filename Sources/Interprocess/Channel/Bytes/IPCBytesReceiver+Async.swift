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
    ///   cannot be used, after which the next message can be received; ``IPCError/Code/endpointMoved`` when the receiver
    ///   has been sent to somebody else.
    public func receive(timeout: Duration? = nil) async throws(IPCError) -> [UInt8] {
        let deadline = packets.settings.deadline(timeout)
        guard let message = try await packets.take(until: deadline) else { throw packets.disconnected }
        defer { packets.giveBack() }
        return unsafe Array(message.bytes)
    }
}

extension IPCBytesReceiver {
    /// Receives the next message, and the descriptors that come with it, suspending the task until it comes.
    ///
    /// - Parameter timeout: How long to wait at most; `nil` means ``receiveTimeout``.
    /// - Returns: The message.
    /// - Throws: As `receive(timeout:)` does.
    public func receiveMessage(timeout: Duration? = nil) async throws(IPCError) -> IPCRawMessage {
        let deadline = packets.settings.deadline(timeout)
        guard let message = try await packets.take(until: deadline) else { throw packets.disconnected }
        defer { packets.giveBack() }
        return IPCRawMessage(message)
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
            guard let message = try await packets.take(until: packets.settings.deadline(nil)) else { return nil }
            defer { packets.giveBack() }
            return unsafe Array(message.bytes)
        }
    }

    /// Makes an iterator; several of them share the messages.
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(receiver: self) }
}
