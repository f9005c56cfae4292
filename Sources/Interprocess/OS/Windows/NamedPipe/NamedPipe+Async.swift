// SPDX-License-Identifier: MIT OR Apache-2.0

#if os(Windows)
internal import CInterprocess

extension NamedPipeListener {
    /// Accepts the next client, suspending the task until there is one.
    ///
    /// - Parameter timeout: How long to wait at most; `nil` is without limit.
    /// - Returns: The connection to the client.
    /// - Throws: ``IPCError/Code/cancelled`` when the task is cancelled; ``IPCError/Code/timedOut``;
    ///   ``IPCError/Code/closed`` when the listener is closed, also during the call;
    ///   ``IPCError/Code/resourcesExhausted``.
    public func accept(timeout: Duration? = nil) async throws(IPCError) -> NamedPipeStream {
        let core = descriptorCore
        let result = await core.awaiting(.receive, until: Deadline(after: timeout), waitsFirst: false) {
            core.acceptNow(.open)
        }
        return makeStream(OwnedDescriptor(Int64(try core.checked(result, .accept))))
    }
}

extension NamedPipeStream {
    /// Connects to a server, suspending the task while all of the server's instances are taken.
    ///
    /// Nothing tells of an instance that becomes free without blocking a thread, so it is tried again and again.
    ///
    /// - Parameters:
    ///   - path: `\\.\pipe\NAME`.
    ///   - options: How.
    /// - Returns: The connection.
    /// - Throws: As the blocking form does, and ``IPCError/Code/cancelled``.
    public static func connect(
        to path: String,
        options: ConnectOptions = ConnectOptions()
    ) async throws(IPCError) -> NamedPipeStream {
        let address = try PipeAddress(path: Array(path.utf8))
        let deadline = Deadline(after: options.timeout)
        var backoff = Backoff()
        while true {
            if Task.isCancelled { throw IPCError(.cancelled, .connect, name: path, detail: nil) }
            if let stream = try connectNow(address, options) { return stream }
            if deadline.hasPassed { throw IPCError(.timedOut, .connect, name: path, detail: nil) }
            try await EventLoop.pause(until: backoff.next(until: deadline), for: .connect, name: path)
        }
    }

    /// Sends a message, suspending the task until there is room for it.
    ///
    /// The message is copied, and on its way when the call returns.
    ///
    /// - Parameters:
    ///   - message: The message, which may be empty.
    ///   - timeout: How long to wait at most; `nil` means ``ByteSender/sendTimeout``.
    /// - Throws: ``IPCError/Code/cancelled`` when the task is cancelled; ``IPCError/Code/brokenPipe`` when the peer is gone;
    ///   ``IPCError/Code/timedOut``; ``IPCError/Code/closed``; ``IPCError/Code/messageTooLarge`` for more than 1 GiB.
    ///   Nothing was sent when it throws.
    public func sendMessage(_ message: [UInt8], timeout: Duration? = nil) async throws(IPCError) {
        try checkSize(message)
        _ = try await sendingSide.send(timeout) { sendNow(message) }
    }

    /// Receives a message, suspending the task until there is one.
    ///
    /// Threads and tasks that receive messages at the same time take turns.
    ///
    /// - Parameters:
    ///   - limit: The longest message to accept, in bytes; 1 MiB unless told otherwise.
    ///   - timeout: How long to wait at most; `nil` means ``ByteReceiver/receiveTimeout``.
    /// - Returns: The message, which may be empty; `nil` at the end of the stream.
    /// - Throws: ``IPCError/Code/cancelled`` when the task is cancelled; no message is lost then, and one that came just
    ///   before is returned. Otherwise as the blocking form does.
    public func receiveMessage(limit: Int = 1 << 20, timeout: Duration? = nil) async throws(IPCError) -> [UInt8]? {
        try checkReadsMessages(limit)
        let (side, core) = (receivingSide, descriptorCore)
        let deadline = side.settings.deadline(timeout)
        while !side.turn.tryTake() { _ = try core.checked(await side.turn.wait(core, until: deadline), .read) }
        defer { side.turn.give(core) }
        var message = IncomingMessage(limit: limit)
        var result = await core.awaiting(.receive, until: deadline, waitsFirst: false) { message.receive(core) }
        // A read that nobody waits for any more would take the message that another call is to get.
        if result == Ending.cancelled || result == Ending.timedOut,
            core.mailbox.withdraw() != nil,
            let lease = core.leaseIfOpen(.receive)
        {
            result = message.receive(core)
            withExtendedLifetime(lease) {}
        }
        if result < 0 && !PipeCode.isEndOfStream(result) { throw core.failure(result, .read) }
        return try message.whole(result, core)
    }
}
#endif
