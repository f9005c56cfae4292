// SPDX-License-Identifier: MIT OR Apache-2.0

extension LocalSocketStream {
    /// Connects to a server, suspending the task as long as ``ConnectOptions/wait`` says.
    ///
    /// It does otherwise what the blocking form does. The corresponding system call is `connect`, repeated at growing
    /// intervals of up to 20 ms while the server's backlog is full, or has not started.
    ///
    /// - Parameters:
    ///   - name: Where the server listens.
    ///   - options: How to connect.
    /// - Returns: The connection.
    /// - Throws: ``IPCError/Code/cancelled`` when the task is cancelled; ``IPCError/Code/notFound`` or
    ///   ``IPCError/Code/connectionRefused`` when no server listens there; ``IPCError/Code/invalidArgument`` when what
    ///   is there is a socket of another kind; ``IPCError/Code/permissionDenied`` when it does not let this user in, or
    ///   is not the one that ``ConnectOptions/requiresPeer`` asks for; ``IPCError/Code/timedOut``;
    ///   ``IPCError/Code/resourcesExhausted``.
    public static func connect(
        to name: LocalSocketName,
        options: ConnectOptions = ConnectOptions()
    ) async throws(IPCError) -> LocalSocketStream {
        try await LocalSocketBackend.connect(name, options)
    }

    /// Connects to a server, runs a body with the connection on an event loop's thread, and closes the connection.
    ///
    /// ```swift
    /// try await LocalSocketStream.withConnection(to: .namespaced("com.example.echo")) { stream in
    ///     try await stream.writeAll("hello\n")
    ///     print(try await stream.readLine() ?? "closed")
    /// }
    /// ```
    ///
    /// It is the fastest way to await a connection. The body must not block or compute for long (see ``EventLoop``).
    ///
    /// - Parameters:
    ///   - name: Where the server listens.
    ///   - options: How to connect.
    ///   - eventLoop: Where to run the body; `nil` is the loop that runs this task, or else the shared one.
    ///   - body: What to do with the connection; when its task is cancelled, what it awaits there ends at once.
    /// - Returns: What the body returns.
    /// - Throws: What `connect(to:options:)` or the body throws.
    @concurrent
    public static func withConnection<Value: Sendable>(
        to name: LocalSocketName,
        options: ConnectOptions = ConnectOptions(),
        on eventLoop: EventLoop? = nil,
        _ body: @Sendable (LocalSocketStream) async throws -> Value
    ) async throws -> Value {
        let isOnLoop = eventLoop == nil && Reactor.current != nil
        return try await withTaskExecutorPreference(isOnLoop ? nil : eventLoop ?? .shared) {
            // The preference holds from the next suspension on, and the stream joins the loop that it is on.
            if !isOnLoop { await Task.yield() }
            let stream = try await connect(to: name, options: options)
            defer { stream.close() }
            let registration = try stream.descriptorCore.register(
                .both,
                for: .connect,
                Reactor.current ?? EventLoop.shared.reactor
            )
            return try await registration.withScope { try await body(stream) }
        }
    }

    /// Who is on the other side, once a deferred connection is made.
    ///
    /// The corresponding system call is `getsockopt` (`SO_PEERCRED` and its like).
    ///
    /// - Returns: What the system tells.
    /// - Throws: ``IPCError/Code/notConnected``, ``IPCError/Code/closed``, ``IPCError/Code/cancelled``.
    public func peerCredentials() async throws(IPCError) -> PeerCredentials {
        try await receivingSide.finishConnectingBothSides()
        return try PeerCredentials(descriptorCore)
    }

    #if os(Linux) || os(Android)
    /// Holds on to the process on the other side by a descriptor, once a deferred connection is made.
    ///
    /// The corresponding system call is `getsockopt` (`SO_PEERPIDFD`, Linux 6.5).
    ///
    /// - Returns: The process.
    /// - Throws: ``IPCError/Code/unsupported`` on older systems, ``IPCError/Code/closed``, ``IPCError/Code/cancelled``.
    public func peerProcess() async throws(IPCError) -> PeerProcess {
        try await receivingSide.finishConnectingBothSides()
        return try PeerProcess(peerOf: descriptorCore)
    }
    #endif

    #if !os(Windows)
    /// Ends one direction of the connection, or both, for every holder of it, once a deferred connection is made.
    ///
    /// The corresponding system call is `shutdown`.
    ///
    /// - Parameter direction: Which.
    /// - Throws: ``IPCError/Code/notConnected``, ``IPCError/Code/closed``, ``IPCError/Code/cancelled``.
    public func shutdown(_ direction: Direction) async throws(IPCError) {
        try await receivingSide.finishConnectingBothSides()
        try LocalSocketBackend.shutdown(descriptorCore, direction)
    }
    #endif

    /// Makes another stream for the same connection, once a deferred connection is made.
    ///
    /// What was read ahead stays with this one. The corresponding system call is `fcntl` (`F_DUPFD_CLOEXEC`).
    ///
    /// - Returns: The other stream.
    /// - Throws: ``IPCError/Code/closed``; ``IPCError/Code/cancelled``; ``IPCError/Code/resourcesExhausted``;
    ///   ``IPCError/Code/busy`` while a thread is blocked in a read or write.
    public func duplicate() async throws(IPCError) -> LocalSocketStream {
        try await receivingSide.finishConnectingBothSides()
        return LocalSocketStream(try LocalSocketBackend.duplicate(descriptorCore))
    }

    /// Gives the socket away, open, once a deferred connection is made.
    ///
    /// - Returns: The descriptor, which is the caller's to close.
    /// - Throws: ``IPCError/Code/closed``; ``IPCError/Code/cancelled``; ``IPCError/Code/busy`` while another call is
    ///   under way or awaited, or while bytes were read ahead that nobody has asked for: take them first
    ///   (``ByteReceiver/takeBuffered()``).
    public func detach() async throws(IPCError) -> RawDescriptor {
        try await receivingSide.finishConnectingBothSides()
        try receivingSide.checkNothingBuffered()
        return RawDescriptor(try descriptorCore.detach())
    }
}
