// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess
internal import Synchronization

/// A server for one client, by a name that nobody can guess: for a process that was told the name, such as a child.
///
/// ```swift
/// let server = try IPCOneShotServer<String, Int>()
/// let name = server.name   // to be handed to a child, as an argument, or in its environment
/// do {
///     let connection = try server.accept(timeout: .seconds(10))
///     print(try connection.receive())
/// } catch { print("no child has come to \(name): \(error)") }
/// ```
///
/// The child has a connection for the same types the other way round:
///
/// ```swift
/// let name = CommandLine.arguments[1]
/// let connection = try IPCConnection<Int, String>.connect(to: .namespaced(name))
/// try connection.send("hello")
/// ```
///
/// Only processes of the current user are let in, and the first that introduces itself is the one; whoever comes later is
/// refused. When the server is closed or dropped, the name is gone.
public final class IPCOneShotServer<Incoming: Decodable & Sendable, Outgoing: Encodable & Sendable>: Sendable {
    /// What to call `LocalSocketName.namespaced` with in order to connect.
    public let name: String
    private let server: IPCServer<Incoming, Outgoing>
    private let isTaken = Atomic<Bool>(false)

    /// Starts to listen.
    ///
    /// - Parameters:
    ///   - name: The name; `nil` is one that is made of 128 random bits.
    ///   - options: What holds for this side of the connection.
    /// - Throws: As `LocalSocketListener.init(_:options:)` does.
    public init(
        name: String? = nil,
        options: IPCConnectionOptions = IPCConnectionOptions()
    ) throws(IPCError) {
        self.name = name ?? "interprocess-\(String(cip_random(), radix: 36))-\(String(cip_random(), radix: 36))"
        var serving = IPCServerOptions()
        serving.connection = options
        server = try IPCServer(.namespaced(self.name), options: serving)
    }

    /// Waits for the client; then nobody else can connect any more.
    ///
    /// When it throws, the server still listens, and the call can be repeated.
    ///
    /// - Parameter timeout: How long to wait at most; `nil` is without limit, also if the client has died.
    /// - Returns: The connection with it.
    /// - Throws: ``IPCError/Code/timedOut``; ``IPCError/Code/closed``, also when a client was accepted before;
    ///   ``IPCError/Code/resourcesExhausted``.
    public func accept(timeout: Duration? = nil) throws(IPCError) -> IPCConnection<Incoming, Outgoing> {
        try takeOnce(server.accept(timeout: timeout))
    }

    /// Waits for the client, suspending the task; then nobody else can connect any more.
    ///
    /// It does otherwise what the blocking form does.
    ///
    /// - Parameter timeout: How long to wait at most; `nil` is without limit, also if the client has died.
    /// - Returns: The connection with it.
    /// - Throws: ``IPCError/Code/cancelled`` when the task is cancelled; otherwise as the blocking form does.
    public func accept(timeout: Duration? = nil) async throws(IPCError) -> IPCConnection<Incoming, Outgoing> {
        try takeOnce(await server.accept(timeout: timeout))
    }

    /// Of two that came before the server was closed, one is refused.
    private func takeOnce(
        _ connection: IPCConnection<Incoming, Outgoing>
    ) throws(IPCError) -> IPCConnection<Incoming, Outgoing> {
        close()
        if isTaken.exchange(true, ordering: .relaxed) {
            connection.close()
            throw IPCError(.closed, .accept, name: name, detail: nil)
        }
        return connection
    }

    /// Closes the server; the connection that was accepted stays open.
    public func close() { server.close() }
}
