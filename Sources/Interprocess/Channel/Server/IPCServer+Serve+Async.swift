// SPDX-License-Identifier: MIT OR Apache-2.0

extension IPCServer {
    /// Serves clients, each by a call of the handler in a task of its own, until the server is closed or the task cancelled.
    ///
    /// When the handler returns or throws, the connection is closed, once what was sent has gone. What it throws is
    /// reported to ``IPCServerOptions/onFailure``, and so is a client that does not introduce itself.
    ///
    /// When the server is closed, this returns as soon as all clients have left. When the task is cancelled, the server is
    /// closed, clients may finish for ``IPCServerOptions/gracePeriod``, and are cancelled then.
    ///
    /// - Parameter handler: What to do with a client. It runs on the event loop, unless the options say otherwise, and must
    ///   not block there.
    /// - Throws: ``IPCError/Code/invalidArgument`` for options that make no sense; ``IPCError/Code/closed``;
    ///   ``IPCError/Code/resourcesExhausted``. Nobody was served then, and the server stays open.
    public func serve(
        _ handler: @escaping @Sendable (Connection) async throws -> Void
    ) async throws(IPCError) {
        try await listener.serve(options: options.serving) { [options] stream in
            let connection = try await Self.welcome(stream, options)
            do { try await handler(connection) } catch {
                await Self.end(connection)
                throw error
            }
            await Self.end(connection)
        }
        close()
    }

    /// Closes a connection, once what was sent has gone, or has not for some time.
    private static func end(_ connection: Connection) async {
        try? await connection.flush(timeout: .seconds(5))
        connection.close()
    }

    /// Serves clients by replying to each of their requests.
    ///
    /// Otherwise it does what `serve(_:)` does. A request whose reply fails is told to the client as
    /// ``IPCError/Code/noReply``, and to ``IPCServerOptions/onFailure``; the client goes on. For a value that wants no
    /// reply, the function is called, too.
    ///
    /// - Parameter reply: What to reply to a request of a client. It runs on the event loop, unless the options say
    ///   otherwise, and must not block there.
    /// - Throws: As `serve(_:)` does.
    public func serve(
        replying reply: @escaping @Sendable (_ request: Incoming, _ client: Connection) async throws -> Outgoing
    ) async throws(IPCError) {
        let (atOnce, onFailure) = (options.requestsAtOnce, options.onFailure)
        try await serve { connection in
            if atOnce > 1 {
                try await Self.answer(connection, atOnce, onFailure, reply)
            } else {
                for try await message in connection.messages { try await Self.answer(message, onFailure, reply) }
            }
        }
    }

    private static func answer(
        _ message: IPCIncomingMessage<Incoming, Outgoing>,
        _ onFailure: (@Sendable (any Error) -> Void)?,
        _ reply: @Sendable (Incoming, Connection) async throws -> Outgoing
    ) async throws {
        let value: Outgoing
        do { value = try await reply(message.value, message.connection) } catch {
            message.refuse()
            onFailure?(error)
            return
        }
        if !message.expectsReply { return }
        do throws(IPCError) {
            try await message.reply(value)
        } catch {
            // A reply that cannot be sent is no reply; a client that is gone, or does not read, is told of by the throw.
            guard error.code == .encodingFailed || error.code == .messageTooLarge else { throw error }
            message.refuse()
            onFailure?(error)
        }
    }

    /// Answers several requests of a client at the same time.
    private static func answer(
        _ connection: Connection,
        _ atOnce: Int,
        _ onFailure: (@Sendable (any Error) -> Void)?,
        _ reply: @escaping @Sendable (Incoming, Connection) async throws -> Outgoing
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            var count = 0
            for try await message in connection.messages {
                if count == atOnce {
                    try await group.next()
                    count -= 1
                }
                count += 1
                group.addTask { try await answer(message, onFailure, reply) }
            }
            try await group.waitForAll()
        }
    }
}

extension IPCServer {
    /// The clients, one after the other, until the server is closed.
    public var connections: Connections { Connections(server: self) }

    /// Iterates over clients that have introduced themselves; several iterators share them.
    public struct Connections: AsyncSequence, AsyncIteratorProtocol, Sendable {
        let server: IPCServer

        /// Waits for the next client, suspending the task.
        ///
        /// - Parameter actor: Where the caller runs.
        /// - Returns: The connection with it; `nil` when the server is closed.
        /// - Throws: As `IPCServer.accept(timeout:)` does otherwise.
        public func next(isolation actor: isolated (any Actor)?) async throws(IPCError) -> Connection? {
            do throws(IPCError) {
                return try await server.accept()
            } catch {
                if error.code == .closed { return nil }
                throw error
            }
        }

        /// Makes an iterator.
        public func makeAsyncIterator() -> Connections { self }
    }
}
