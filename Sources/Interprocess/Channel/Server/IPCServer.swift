// SPDX-License-Identifier: MIT OR Apache-2.0

/// A server with a name, for any number of clients, each of which has an ``IPCConnection``.
///
/// ```swift
/// let server = try IPCServer<Int, String>(.namespaced("com.example.spell"))
/// try await server.serve { number, client in "number \(number)" }
/// ```
///
/// Its clients are processes of the current user, unless the options say otherwise. Each introduces itself beside the
/// others, so that one that does not keeps nobody waiting; what goes wrong with one is no concern of the others.
public final class IPCServer<Incoming: Decodable & Sendable, Outgoing: Encodable & Sendable>: Sendable,
    DescriptorOwner
{
    /// The connection with a client.
    public typealias Connection = IPCConnection<Incoming, Outgoing>

    let listener: LocalSocketListener
    let options: IPCServerOptions
    private let lobby: ConnectionLobby<Connection>

    /// Starts to listen at a name.
    ///
    /// The corresponding system calls are `socket`, `bind` and `listen`.
    ///
    /// - Parameters:
    ///   - name: The name.
    ///   - options: How to serve.
    /// - Throws: As `LocalSocketListener.init(_:options:)` does.
    public convenience init(
        _ name: LocalSocketName,
        options: IPCServerOptions = IPCServerOptions()
    ) throws(IPCError) {
        self.init(on: try LocalSocketListener(name, options: options.listening), options: options)
    }

    /// Serves at a listener that is there already, such as one that a service manager has handed over.
    ///
    /// - Parameters:
    ///   - listener: The listener, which belongs to the server from then on.
    ///   - options: How to serve.
    public init(on listener: LocalSocketListener, options: IPCServerOptions = IPCServerOptions()) {
        self.listener = listener
        self.options = options
        lobby = ConnectionLobby(listener.descriptorCore)
    }

    deinit { close() }

    /// The descriptor's owner, which has no public members.
    public var descriptorCore: DescriptorCore { listener.descriptorCore }

    /// The name at which it listens; `nil` if that of the listener is not known.
    public var name: LocalSocketName? { listener.name }

    /// Waits for a client that has introduced itself.
    ///
    /// Clients are accepted, and introduce themselves, in tasks on an event loop, from the first call on. The connection is
    /// closed when it is dropped. Do not mix this with `serve`. What goes wrong with a client, or with accepting one, is told
    /// to ``IPCServerOptions/onFailure``, and the call goes on waiting.
    ///
    /// - Parameter timeout: How long to wait at most; `nil` is without limit.
    /// - Returns: The connection with it.
    /// - Throws: ``IPCError/Code/timedOut``; ``IPCError/Code/closed``; ``IPCError/Code/resourcesExhausted``;
    ///   ``IPCError/Code/invalidArgument`` for options that make no sense. When it throws, no client is lost.
    public func accept(timeout: Duration? = nil) throws(IPCError) -> Connection {
        open()
        return try lobby.take(until: Deadline(after: timeout))
    }

    /// Waits for a client that has introduced itself, suspending the task.
    ///
    /// It does otherwise what the blocking form does.
    ///
    /// - Parameter timeout: How long to wait at most; `nil` is without limit.
    /// - Returns: The connection with it.
    /// - Throws: ``IPCError/Code/cancelled`` when the task is cancelled; otherwise as the blocking form does.
    public func accept(timeout: Duration? = nil) async throws(IPCError) -> Connection {
        open()
        return try await lobby.take(until: Deadline(after: timeout))
    }

    /// Lets clients in, once and for all.
    private func open() {
        if !lobby.start() { return }
        // Neither of them holds the server, which closes when it is dropped.
        Task { [listener, options, lobby] in
            do throws(IPCError) {
                try await listener.serve(options: options.serving) { stream in
                    if try await Self.admit(stream, options, lobby) { await Self.untilClosed(stream) }
                }
                _ = lobby.close()
            } catch {
                // Nothing has begun.
                if error.code == .closed { _ = lobby.close() } else { lobby.fail(error) }
            }
        }
    }

    /// Returns whether the client is one that somebody will accept.
    private static func admit(
        _ stream: LocalSocketStream,
        _ options: IPCServerOptions,
        _ lobby: ConnectionLobby<Connection>
    ) async throws(IPCError) -> Bool {
        lobby.add(try await welcome(stream, options))
    }

    /// Waits until a connection is closed by whoever has it, for that is how long it counts as a client.
    private static func untilClosed(_ stream: LocalSocketStream) async {
        let core = stream.descriptorCore
        guard let registration = try? core.register(.both, for: .accept, Reactor.current ?? EventLoop.shared.reactor)
        else { return }
        while await registration.wait(.turn, until: .never, isBack: false).value >= 0 {}
    }

    /// Has a client introduce itself.
    static func welcome(_ stream: LocalSocketStream, _ options: IPCServerOptions) async throws(IPCError) -> Connection {
        if let accepts = options.accepts, !accepts(try PeerCredentials(stream.descriptorCore)) {
            let frames = FrameSender(stream.sendingSide, limit: 0)
            Handshake.refuse(.policy, frames)
            let refusal = Refusal.policy
            throw stream.descriptorCore.error(refusal.code, .accept, detail: refusal.detail)
        }
        let connection = try await Connection(stream, .server, options.connection, nil)
        connection.receiveTimeout = options.idleTimeout
        connection.sendTimeout = options.idleTimeout
        return connection
    }

    /// Stops to accept clients.
    ///
    /// `serve` returns when those that there are have left. Calls that accept end with ``IPCError/Code/closed``; the
    /// connections that they have returned stay open, and those that nobody has accepted are closed.
    public func close() {
        listener.close()
        for connection in lobby.close() { connection.close() }
    }
}
