// SPDX-License-Identifier: MIT OR Apache-2.0

extension IPCConnection {
    /// Receives the next value, waiting for it.
    ///
    /// The other side is told that there will be no reply, if it wanted one: to give one, call
    /// `receiveMessage(timeout:)` instead.
    ///
    /// The corresponding system call is `recvmsg`.
    ///
    /// - Parameter timeout: How long to wait at most; `nil` means ``receiveTimeout``.
    /// - Returns: The value.
    /// - Throws: As `receiveMessage(timeout:)` does.
    public func receive(timeout: Duration? = nil) throws(IPCError) -> Incoming {
        try value(of: receiver.receive(.message, receiver.settings.patience(timeout)))
    }

    /// A value to which there will be no reply.
    func value(of arrival: Arrival<Incoming>) throws(IPCError) -> Incoming {
        if let request = arrival.request { receiver.decline(request) }
        return try arrival.value.get()
    }

    /// Receives the next value, and whether it wants a reply, waiting for it.
    ///
    /// - Parameter timeout: How long to wait at most; `nil` means ``receiveTimeout``.
    /// - Returns: The value, and the means to reply to it.
    /// - Throws: ``IPCError/Code/disconnected`` when the other side is gone, and everything was received;
    ///   ``IPCError/Code/protocolViolation`` when it does not keep to the protocol, which ends the connection;
    ///   ``IPCError/Code/timedOut``; ``IPCError/Code/closed``; ``IPCError/Code/decodingFailed`` or
    ///   ``IPCError/Code/resourcesExhausted`` instead of something that came and cannot be used, after which the next
    ///   value can be received.
    public func receiveMessage(timeout: Duration? = nil) throws(IPCError) -> IPCIncomingMessage<Incoming, Outgoing> {
        try IPCIncomingMessage(receiver.receive(.message, receiver.settings.patience(timeout)), self)
    }

    /// Receives the next value if there is one.
    ///
    /// - Returns: The value, or `nil` when there is none yet.
    /// - Throws: As `receiveMessage(timeout:)` does.
    public func tryReceive() throws(IPCError) -> Incoming? { try tryTake().map(value) }

    /// Receives the next value, and whether it wants a reply, if there is one.
    ///
    /// - Returns: The value, and the means to reply to it; `nil` when there is none yet.
    /// - Throws: As `receiveMessage(timeout:)` does.
    public func tryReceiveMessage() throws(IPCError) -> IPCIncomingMessage<Incoming, Outgoing>? {
        guard let arrival = try tryTake() else { return nil }
        return try IPCIncomingMessage(arrival, self)
    }

    private func tryTake() throws(IPCError) -> Arrival<Incoming>? {
        do throws(IPCError) {
            return try receiver.receive(.message, Patience(isNonblocking: true, deadline: .never))
        } catch {
            if error.code == .wouldBlock { return nil }
            throw error
        }
    }
}
