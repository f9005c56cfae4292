// SPDX-License-Identifier: MIT OR Apache-2.0

extension IPCConnection {
    /// Makes a connection of a stream, whose other side does the same, suspending the task meanwhile.
    ///
    /// It does otherwise what the blocking form does.
    ///
    /// - Parameters:
    ///   - stream: The stream, which belongs to the connection from then on; it is closed when the introduction fails.
    ///   - options: What holds for this side.
    ///   - timeout: How long to wait at most, a deferred connection included; `nil` means
    ///     ``IPCConnectionOptions/handshakeTimeout``.
    /// - Throws: ``IPCError/Code/cancelled`` when the task is cancelled; otherwise as the blocking form does.
    public convenience init(
        over stream: LocalSocketStream,
        options: IPCConnectionOptions = IPCConnectionOptions(),
        timeout: Duration? = nil
    ) async throws(IPCError) {
        try await self.init(stream, .peer, options, timeout)
    }

    convenience init(
        _ stream: LocalSocketStream,
        _ role: Hello.Role,
        _ options: IPCConnectionOptions,
        _ timeout: Duration?
    ) async throws(IPCError) {
        let deadline = Deadline(after: timeout ?? options.handshakeTimeout)
        let (frames, reader) = try Self.begin(stream, options)
        var handshake = try Self.handshake(role, options, frames, reader)
        try await handshake.perform(until: deadline)
        self.init(stream, frames, reader, options)
    }

    /// Connects to a server, suspending the task meanwhile.
    ///
    /// It does otherwise what the blocking form does.
    ///
    /// - Parameters:
    ///   - name: The server's name.
    ///   - options: What holds for this side.
    ///   - connecting: How to connect; ``LocalSocketStream/ConnectOptions/wait`` is for connecting alone, and
    ///     ``IPCConnectionOptions/handshakeTimeout`` for what follows.
    /// - Returns: The connection.
    /// - Throws: ``IPCError/Code/cancelled`` when the task is cancelled; otherwise as the blocking form does.
    public static func connect(
        to name: LocalSocketName,
        options: IPCConnectionOptions = IPCConnectionOptions(),
        connecting: LocalSocketStream.ConnectOptions = LocalSocketStream.ConnectOptions()
    ) async throws(IPCError) -> IPCConnection {
        let stream = try await LocalSocketStream.connect(to: name, options: connecting)
        return try await IPCConnection(stream, .client, options, nil)
    }

    /// Sends a value that wants no reply, suspending the task while there is no room.
    ///
    /// It does otherwise what the blocking form does; on an event loop's thread, what is sent goes at the end of the
    /// loop's turn.
    ///
    /// - Parameters:
    ///   - value: The value. Receivers in it move to the other side, once it is sent.
    ///   - timeout: How long the whole call may wait; `nil` means ``sendTimeout``.
    /// - Throws: ``IPCError/Code/cancelled`` when the task is cancelled; otherwise as the blocking form does. The value
    ///   does not arrive then, and nothing in it is changed.
    public func send(_ value: Outgoing, timeout: Duration? = nil) async throws(IPCError) {
        try await send(value, .message, 0, until: frames.side.settings.deadline(timeout))
    }

    func send(
        _ value: Outgoing,
        _ kind: ConnectionFrame.Kind,
        _ number: UInt64,
        until deadline: Deadline
    ) async throws(IPCError) {
        if descriptorCore.budget.spend() { await descriptorCore.giveWay() }
        if Task.isCancelled { throw descriptorCore.error(.cancelled, .write) }
        do throws(IPCError) {
            guard let encoded = try begin(value, kind, number) else { return }
            let message = ConnectionFrames(kind, request: number, count: encoded.bytes.count, encoded.descriptors)
            try await unsafe frames.send(message, until: deadline) { body in
                unsafe encoded.bytes.withUnsafeBytes { unsafe body($0) }
            }
            encoded.descriptors.areSent()
        } catch { throw told(error) }
    }

    /// Waits until the kernel has everything that was sent, suspending the task.
    ///
    /// It does otherwise what the blocking form does.
    ///
    /// - Parameter timeout: How long to wait at most; `nil` means ``sendTimeout``.
    /// - Throws: As `send(_:timeout:)` does.
    public func flush(timeout: Duration? = nil) async throws(IPCError) {
        try await frames.flush(until: frames.side.settings.deadline(timeout))
    }

    /// Sends a value, and waits for its reply, suspending the task.
    ///
    /// It does otherwise what the blocking form does.
    ///
    /// - Parameters:
    ///   - value: The value.
    ///   - timeout: How long the whole call may wait; `nil` means ``receiveTimeout``.
    /// - Returns: The reply.
    /// - Throws: ``IPCError/Code/cancelled`` when the task is cancelled, after which it is not known whether the other
    ///   side has the request; otherwise as the blocking form does.
    public func request(_ value: Outgoing, timeout: Duration? = nil) async throws(IPCError) -> Incoming {
        let deadline = receiver.settings.deadline(timeout)
        let number = receiver.beginRequest()
        defer { receiver.endRequest(number) }
        try await send(value, .request, number, until: deadline)
        return try await receiver.receive(.reply(number), until: deadline).value.get()
    }

    /// Receives the next value, suspending the task until it comes.
    ///
    /// It does otherwise what the blocking form does.
    ///
    /// - Parameter timeout: How long to wait at most; `nil` means ``receiveTimeout``.
    /// - Returns: The value.
    /// - Throws: ``IPCError/Code/cancelled`` when the task is cancelled: the value is the next caller's; otherwise as the
    ///   blocking form does.
    public func receive(timeout: Duration? = nil) async throws(IPCError) -> Incoming {
        let deadline = receiver.settings.deadline(timeout)
        return try value(of: try await receiver.receive(.message, until: deadline))
    }

    /// Receives the next value, and whether it wants a reply, suspending the task until it comes.
    ///
    /// It does otherwise what the blocking form does.
    ///
    /// - Parameter timeout: How long to wait at most; `nil` means ``receiveTimeout``.
    /// - Returns: The value, and the means to reply to it.
    /// - Throws: As `receive(timeout:)` does.
    public func receiveMessage(
        timeout: Duration? = nil
    ) async throws(IPCError) -> IPCIncomingMessage<Incoming, Outgoing> {
        let deadline = receiver.settings.deadline(timeout)
        return try IPCIncomingMessage(try await receiver.receive(.message, until: deadline), self)
    }
}

extension IPCIncomingMessage {
    /// Replies to it, once, suspending the task while there is no room.
    ///
    /// It does otherwise what the blocking form does.
    ///
    /// - Parameters:
    ///   - value: The reply.
    ///   - timeout: How long the whole call may wait; `nil` means ``IPCConnection/sendTimeout``.
    /// - Throws: ``IPCError/Code/cancelled`` when the task is cancelled; otherwise as the blocking form does.
    public func reply(_ value: Outgoing, timeout: Duration? = nil) async throws(IPCError) {
        let number = try begin()
        do throws(IPCError) {
            let deadline = connection.frames.side.settings.deadline(timeout)
            try await connection.send(value, .reply, number, until: deadline)
        } catch {
            undo()
            throw error
        }
        connection.receiver.didAnswer()
    }
}
