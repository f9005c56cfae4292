// SPDX-License-Identifier: MIT OR Apache-2.0

extension IPCConnection {
    /// Connects to a server: an ``IPCServer``, or whoever else makes connections of the streams that it accepts.
    ///
    /// The corresponding system calls are `socket` and `connect`. Blocks until both sides have introduced themselves.
    ///
    /// - Parameters:
    ///   - name: The server's name.
    ///   - options: What holds for this side.
    ///   - connecting: How to connect; ``LocalSocketStream/ConnectOptions/wait`` is for connecting alone, and
    ///     ``IPCConnectionOptions/handshakeTimeout`` for what follows.
    /// - Returns: The connection.
    /// - Throws: As `LocalSocketStream.connect(to:options:)` does, and then as `init(over:options:timeout:)` does.
    public static func connect(
        to name: LocalSocketName,
        options: IPCConnectionOptions = IPCConnectionOptions(),
        connecting: LocalSocketStream.ConnectOptions = LocalSocketStream.ConnectOptions()
    ) throws(IPCError) -> IPCConnection {
        try IPCConnection(LocalSocketStream.connect(to: name, options: connecting), .client, options, nil)
    }
}

extension IPCConnection {
    /// Makes two ends that are connected with each other, for two threads or tasks of this process.
    ///
    /// ```swift
    /// let (one, other) = try IPCConnection<String, Int>.pair()
    /// try one.send(12)
    /// print(try other.receive())
    /// ```
    ///
    /// The corresponding system call is `socketpair`.
    ///
    /// - Parameter options: What holds for both ends.
    /// - Returns: The two ends.
    /// - Throws: ``IPCError/Code/resourcesExhausted``.
    public static func pair(
        _ options: IPCConnectionOptions = IPCConnectionOptions()
    ) throws(IPCError) -> (IPCConnection, IPCConnection<Outgoing, Incoming>)
    where Incoming: Encodable, Outgoing: Decodable {
        let (one, other) = try LocalSocketStream.pair()
        let (frames, reader) = try begin(one, options)
        let (otherFrames, otherReader) = try begin(other, options)
        return (
            IPCConnection(one, frames, reader, options),
            IPCConnection<Outgoing, Incoming>(other, otherFrames, otherReader, options)
        )
    }
}
