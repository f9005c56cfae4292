// SPDX-License-Identifier: MIT OR Apache-2.0

extension LocalSocketListener {
    /// Serves clients until the task is cancelled or the listener is closed: each by a task of its own.
    ///
    /// ```swift
    /// let listener = try LocalSocketListener(.namespaced("com.example.echo"))
    /// try await listener.serve { stream in
    ///     for try await line in stream.lines { try await stream.writeAll(line + "\n") }
    /// }
    /// ```
    ///
    /// The handlers run on an event loop's thread, which makes waiting cheap, and must not block or compute for long:
    /// for those that do, choose ``HandlerExecutor/defaultPool``. A stream is closed when its handler returns or
    /// throws. What one handler throws ends that handler alone, and is told to ``ServeOptions/onFailure``.
    ///
    /// When the calling task is cancelled, no more clients are accepted; handlers that run may finish for
    /// ``ServeOptions/gracePeriod``, and are cancelled then, which ends what they await. The call returns when all have
    /// ended. When the listener is closed, it returns as soon as all handlers have ended by themselves.
    ///
    /// - Parameters:
    ///   - options: How to serve.
    ///   - handler: What to do with a client.
    /// - Throws: ``IPCError/Code/invalidArgument`` for options without an event loop, or with room for no client;
    ///   ``IPCError/Code/closed`` when the listener was closed before the call;
    ///   ``IPCError/Code/resourcesExhausted`` when the event loop cannot be started.
    public func serve(
        options: ServeOptions = ServeOptions(),
        _ handler: @escaping @Sendable (LocalSocketStream) async throws -> Void
    ) async throws(IPCError) {
        try await Server(self, options, handler).run()
    }

    /// How clients are served.
    public struct ServeOptions: Sendable {
        /// The most clients that are served at the same time.
        ///
        /// Further ones wait, not accepted, until one leaves.
        public var maximumClients = 4096

        /// How long handlers may go on once the task that serves is cancelled.
        public var gracePeriod: Duration = .seconds(5)

        /// Where the handlers run.
        public var handlerExecutor: HandlerExecutor = .eventLoop

        /// The event loops that the clients are spread over, in turn.
        public var eventLoops: [EventLoop] = [.shared]

        /// Is told of each error that a handler throws, and of each failure to accept a client.
        ///
        /// It is called on an event loop's thread or one of the default pool, and must not block. `nil` ignores them.
        public var onFailure: (@Sendable (ServeFailure) -> Void)?

        /// Creates the options that are right for most servers.
        public init() {}
    }

    /// Where handlers run.
    public enum HandlerExecutor: Sendable, Hashable {
        /// On the thread of an event loop: the fastest, for handlers that mostly wait.
        case eventLoop
        /// On the threads of Swift's default pool, for handlers that compute: each wait takes some microseconds more.
        case defaultPool
    }

    /// Something that went wrong while serving, and that serving survived.
    public struct ServeFailure: Sendable {
        /// What was thrown.
        public let error: any Error

        /// The client whose handler threw it, still open; `nil` when accepting a client failed.
        public let stream: LocalSocketStream?
    }
}
