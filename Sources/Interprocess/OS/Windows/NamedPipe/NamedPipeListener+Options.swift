// SPDX-License-Identifier: MIT OR Apache-2.0

#if os(Windows)
/// In which direction bytes go through a named pipe.
public enum NamedPipeDirection: UInt32, Sendable, Hashable {
    /// From clients to the server.
    case clientToServer = 1
    /// From the server to clients.
    case serverToClient = 2
    /// Both ways.
    case duplex = 3
}

/// How a named pipe keeps what is written, or how an end reads it.
public enum NamedPipeMode: Sendable, Hashable {
    /// As a stream of bytes.
    case bytes
    /// As messages: each write is one.
    case messages
}

extension NamedPipeListener {
    /// How a named pipe is made.
    public struct Options: Sendable {
        /// In which direction bytes go.
        public var direction = NamedPipeDirection.duplex

        /// How the pipe keeps what is written.
        public var mode = NamedPipeMode.bytes

        /// How the server's ends read; `nil` is as the pipe keeps it.
        ///
        /// A pipe of messages can be read as a stream of bytes, but not the other way round.
        public var receiveMode: NamedPipeMode?

        /// Whether ``NamedPipeListener/accept(timeout:)`` throws ``IPCError/Code/wouldBlock`` instead of waiting.
        public var nonblocking = false

        /// Whether reads and writes of accepted streams throw ``IPCError/Code/wouldBlock`` instead of waiting.
        public var streamsAreNonblocking = false

        /// How many clients may be connected at once, from 1 to 254; `nil` is without limit.
        ///
        /// The instances that wait for clients count as well: with a limit of 1, the next client can connect when the
        /// stream to the last one is closed. Until an instance is made again then, there is no pipe of that name:
        /// clients do not find it, and another program could take it.
        public var instanceLimit: Int?

        /// How many instances wait for clients, from 1 to 32: so many can connect before any is accepted.
        public var idleInstances = 4

        /// How many bytes may be on their way to the server, and from it, before writing waits: 64 KiB.
        public var receiveBufferSize = 65_536
        /// See ``receiveBufferSize``.
        public var sendBufferSize = 65_536

        /// How long clients wait that leave it to the server; `nil` is the system's 50 ms.
        public var defaultWait: Duration?

        /// Whether writes to clients on other machines return only when the bytes are there.
        public var writeThrough = false

        /// Whether clients on other machines may connect.
        public var acceptsRemoteClients = false

        /// Who may connect; `nil` is the current user alone.
        public var securityDescriptor: SecurityDescriptor?

        /// Whether programs that this process starts inherit the pipe's ends.
        public var inheritable = false

        /// Creates the options that are right for most servers.
        public init() {}
    }
}
#endif
