// SPDX-License-Identifier: MIT OR Apache-2.0

#if os(Windows)
internal import CInterprocess

extension NamedPipeStream {
    /// How a client connects.
    public struct ConnectOptions: Sendable {
        /// In which direction bytes go; the server must have chosen the same, or both.
        public var direction = NamedPipeDirection.duplex

        /// How this end reads: messages only where the pipe keeps them.
        public var receiveMode = NamedPipeMode.bytes

        /// Whether reads and writes throw ``IPCError/Code/wouldBlock`` instead of waiting.
        public var nonblocking = false

        /// How long to wait while all of the server's instances are taken; `nil` is without limit.
        public var timeout: Duration?

        /// What the server may do with this process's identity.
        public var allows = ServerRights.identification

        /// Creates the options that are right for most clients.
        public init() {}

        /// Whether this end reads messages, if it receives at all.
        var readsMessages: Bool { receiveMode == .messages && direction != .clientToServer }
    }

    /// What a server may do with a client's identity.
    public enum ServerRights: Int64, Sendable, Hashable {
        /// Nothing: it does not learn who the client is.
        case nothing = 0
        /// Ask who the client is.
        case identification = 1
        /// Act as the client on this machine.
        case impersonation = 2
        /// Act as the client on other machines, too.
        case delegation = 3
    }

    /// After how many nanoseconds a client that waits looks whether there still is a server.
    private static let longestWait: Int64 = 1_000_000_000

    /// Connects to a server.
    ///
    /// The corresponding system calls are `CreateFileW` and, while all instances are taken, `WaitNamedPipeW`.
    ///
    /// - Parameters:
    ///   - path: `\\.\pipe\NAME`.
    ///   - options: How.
    /// - Returns: The connection.
    /// - Throws: ``IPCError/Code/notFound`` when no server listens there; ``IPCError/Code/permissionDenied`` when it does
    ///   not let this user in, or not in this direction; ``IPCError/Code/timedOut``; ``IPCError/Code/invalidName``;
    ///   ``IPCError/Code/invalidArgument`` for messages where the pipe keeps bytes.
    public static func connect(
        to path: String,
        options: ConnectOptions = ConnectOptions()
    ) throws(IPCError) -> NamedPipeStream {
        let address = try PipeAddress(path: Array(path.utf8))
        let deadline = Deadline(after: options.timeout)
        while true {
            if let stream = try connectNow(address, options) { return stream }
            if deadline.hasPassed { throw IPCError(.timedOut, .connect, name: path, detail: nil) }
            // Another client may be faster to take the instance that becomes free; and when the server goes, nobody may
            // tell.
            let turn = deadline.atMost(nanosecondsFromNow: longestWait)
            let waited = System.call(.connect) { unsafe cip_named_pipe_wait(address.units, turn.remaining) }
            if waited < 0 && IPCError.Code(systemCode: -waited) != .timedOut {
                throw IPCError(result: waited, .connect, name: path)
            }
        }
    }

    /// Connects, or returns `nil` when all instances are taken.
    static func connectNow(_ address: PipeAddress, _ options: ConnectOptions) throws(IPCError) -> NamedPipeStream? {
        let path = address.description
        let made = address.open(options.direction, readsMessages: options.readsMessages, options.allows)
        if made == -PipeCode.busy { return nil }
        if made < 0 { throw IPCError(result: made, .connect, name: path) }
        return NamedPipeStream(
            DescriptorCore(OwnedDescriptor(made), name: path, waker: .poll),
            direction: options.direction,
            isServer: false,
            readsMessages: options.readsMessages,
            nonblocking: options.nonblocking
        )
    }
}
#endif
