// SPDX-License-Identifier: MIT OR Apache-2.0

#if !canImport(Darwin) && !os(Windows)
extension UnixPacketSocket {
    /// Connects to a server, suspending the task as long as ``LocalSocketStream/ConnectOptions/wait`` says.
    ///
    /// It does otherwise what the blocking form does.
    ///
    /// - Parameters:
    ///   - address: Where the server listens.
    ///   - options: How to connect.
    /// - Returns: The connection.
    /// - Throws: As the blocking form does, and ``IPCError/Code/cancelled``.
    public static func connect(
        to address: UnixSocketAddress,
        options: LocalSocketStream.ConnectOptions = .init()
    ) async throws(IPCError) -> UnixPacketSocket {
        UnixPacketSocket(try await ConnectPlan(address, .packets, options).open(options.wait), options)
    }

    /// Who is on the other side, once a deferred connection is made.
    ///
    /// - Returns: What the system tells.
    /// - Throws: ``IPCError/Code/notConnected``, ``IPCError/Code/closed``, ``IPCError/Code/cancelled``.
    public func peerCredentials() async throws(IPCError) -> PeerCredentials {
        try await receivingSide.finishConnectingBothSides()
        return try PeerCredentials(descriptorCore)
    }

    /// Ends one direction of the connection, or both, for every holder of it, once a deferred connection is made.
    ///
    /// - Parameter direction: Which.
    /// - Throws: ``IPCError/Code/notConnected``, ``IPCError/Code/closed``, ``IPCError/Code/cancelled``.
    public func shutdown(_ direction: LocalSocketStream.Direction) async throws(IPCError) {
        try await receivingSide.finishConnectingBothSides()
        try LocalSocketBackend.shutdown(descriptorCore, direction)
    }

    /// Makes another socket object for the same connection, once a deferred connection is made.
    ///
    /// - Returns: The other one.
    /// - Throws: As the blocking form does, and ``IPCError/Code/cancelled``.
    public func duplicate() async throws(IPCError) -> UnixPacketSocket {
        try await receivingSide.finishConnectingBothSides()
        return UnixPacketSocket(try LocalSocketBackend.duplicate(descriptorCore))
    }

    /// Gives the socket away, open, once a deferred connection is made.
    ///
    /// - Returns: The descriptor, which is the caller's to close.
    /// - Throws: ``IPCError/Code/closed``; ``IPCError/Code/cancelled``; ``IPCError/Code/busy`` while another call is
    ///   under way or awaited.
    public func detach() async throws(IPCError) -> RawDescriptor {
        try await receivingSide.finishConnectingBothSides()
        return RawDescriptor(try descriptorCore.detach())
    }
}

extension UnixPacketListener {
    /// Accepts the next client, suspending the task until there is one.
    ///
    /// It does otherwise what the blocking form does, and suspends in nonblocking mode too.
    ///
    /// - Parameter timeout: How long to wait at most; `nil` is without limit.
    /// - Returns: The connection to the client.
    /// - Throws: As the blocking form does, and ``IPCError/Code/cancelled`` when the task is cancelled: the client, if
    ///   one comes, is the next caller's.
    public func accept(timeout: Duration? = nil) async throws(IPCError) -> UnixPacketSocket {
        let result = await descriptorCore.awaiting(.receive, until: settings.deadline(timeout), waitsFirst: true) {
            descriptorCore.acceptNow(gate)
        }
        if result < 0 { throw descriptorCore.failure(result, .accept) }
        return makeSocket(OwnedDescriptor(result))
    }
}
#endif
