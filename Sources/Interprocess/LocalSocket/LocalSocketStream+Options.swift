// SPDX-License-Identifier: MIT OR Apache-2.0

extension LocalSocketStream {
    /// How a client connects.
    public struct ConnectOptions: Sendable {
        /// How long connecting may wait, for room among the clients that the server has not accepted yet.
        public var wait: ConnectWait = .unbounded

        /// Whether the stream's reads and writes return at once with ``IPCError/Code/wouldBlock`` instead of waiting.
        public var nonblocking = false

        /// What the stream's ``ByteReceiver/spinTime`` is at first: how long a read tries before it goes to sleep.
        public var spinTime: Duration = .zero

        /// Whether to wait, as long as ``wait`` says, for a server that has not started yet, instead of failing.
        public var waitsForServer = false

        /// Who the server must be.
        ///
        /// `nil` is the current user for a namespaced name and one in the runtime directory, where anybody can be first
        /// to take the name, and anyone for a path, which stands in a directory of the caller's choice: choose one that
        /// only those can write to who may be the server. On Windows the pipe's owner is looked at, which is the server's
        /// user, and every name is one that anybody can be first to take.
        public var requiresPeer: PeerRequirement?

        /// Creates the options that are right for most clients.
        public init() {}
    }

    /// How long connecting may wait.
    public enum ConnectWait: Sendable, Hashable {
        /// For as long as it takes.
        case unbounded
        /// That long at most.
        case timeout(Duration)
        #if !os(Windows)
        /// Not at all: the stream is returned at once, and the first call that reads, writes or asks about the peer
        /// waits for the connection, and tells if it fails.
        case deferred
        #endif
    }
}

/// Who a peer has to be, for a connection to it to be used.
///
/// The superuser always passes.
public enum PeerRequirement: Sendable, Hashable {
    /// Anyone.
    case anyone
    /// A process of the user that this process runs as.
    case currentUser
    #if !os(Windows)
    /// A process of that user.
    case user(UInt32)
    #endif
}
