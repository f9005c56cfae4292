// SPDX-License-Identifier: MIT OR Apache-2.0

/// A connection with one peer, for values in both directions, and for requests with replies.
public final class IPCConnection<Incoming: Decodable & Sendable, Outgoing: Encodable & Sendable>: Sendable {
    let stream: LocalSocketStream

    /// Makes a connection of a stream, whose other side does the same.
    ///
    /// Both sides introduce themselves: they compare the types of their messages, and prove that they know the secret if
    /// there is one.
    ///
    /// - Parameters:
    ///   - stream: The stream, which belongs to the connection from then on.
    ///   - options: What holds for this side.
    ///   - timeout: How long to wait at most; `nil` means ``IPCConnectionOptions/handshakeTimeout``.
    /// - Throws: ``IPCError/Code/unsupported``.
    public init(
        over stream: LocalSocketStream,
        options: IPCConnectionOptions = IPCConnectionOptions(),
        timeout: Duration? = nil
    ) throws(IPCError) {
        self.stream = stream
        throw IPCError(.unsupported, .connect, detail: "it is not there yet")
    }

    /// Makes a connection of a stream, whose other side does the same, suspending the task meanwhile.
    ///
    /// - Parameters:
    ///   - stream: The stream, which belongs to the connection from then on.
    ///   - options: What holds for this side.
    ///   - timeout: How long to wait at most; `nil` means ``IPCConnectionOptions/handshakeTimeout``.
    /// - Throws: ``IPCError/Code/unsupported``.
    public init(
        over stream: LocalSocketStream,
        options: IPCConnectionOptions = IPCConnectionOptions(),
        timeout: Duration? = nil
    ) async throws(IPCError) {
        self.stream = stream
        throw IPCError(.unsupported, .connect, detail: "it is not there yet")
    }
}
