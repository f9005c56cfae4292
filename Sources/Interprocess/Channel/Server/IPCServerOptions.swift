// SPDX-License-Identifier: MIT OR Apache-2.0

/// How a server listens, whom it lets in, and how much it gives each client.
public struct IPCServerOptions: Sendable {
    /// How it listens: by default, processes of the current user alone are let in.
    public var listening = LocalSocketListener.Options()

    /// What holds for the server's end of each connection; also how long a client may take to introduce itself.
    public var connection = IPCConnectionOptions()

    /// How many clients there are at most, those included that have not introduced themselves; further ones wait in the
    /// system's queue.
    public var maximumClients = 1024

    /// How long a client may be silent, or leave unread what is sent to it: it is what ``IPCConnection/receiveTimeout``
    /// and ``IPCConnection/sendTimeout`` are at first.
    ///
    /// With `nil`, as it is at first, it may be for ever.
    public var idleTimeout: Duration?

    /// How many requests of one client are worked on at the same time, where the server replies by a function.
    ///
    /// With more than one, replies may come in another order than the requests.
    public var requestsAtOnce = 1

    /// How long clients may take to finish once the task that serves is cancelled; then their handlers are cancelled too.
    public var gracePeriod: Duration = .seconds(5)

    /// Where handlers run.
    public var handlerExecutor: LocalSocketListener.HandlerExecutor = .eventLoop

    /// Decides about each client, before anything that it says is looked at; without it, all that the system lets in are.
    ///
    /// One that is refused is told so: ``IPCError/Code/permissionDenied``.
    public var accepts: (@Sendable (PeerCredentials) -> Bool)?

    /// Is told of what goes wrong with single clients, and with accepting.
    public var onFailure: (@Sendable (any Error) -> Void)?

    /// Creates the options that are right for most servers.
    public init() {}

    /// The same for the streams that clients come by.
    var serving: LocalSocketListener.ServeOptions {
        var options = LocalSocketListener.ServeOptions()
        options.maximumClients = maximumClients
        options.gracePeriod = gracePeriod
        options.handlerExecutor = handlerExecutor
        if let onFailure { options.onFailure = { onFailure($0.error) } }
        return options
    }
}
