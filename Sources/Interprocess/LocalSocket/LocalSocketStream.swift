// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess

/// A connection between two processes, in which bytes go both ways.
///
/// It is a stream: the bytes arrive in order, but how many come in one read has nothing to do with how many were sent
/// in one write. Say where a message ends, by a line feed or by its length. If both sides send before they read, both
/// can wait for ever once the kernel's buffers are full: agree on who speaks first, or read and write at the same time.
///
/// Any thread may call any method at any time; reading and writing at the same time is what a stream is for. It closes
/// when the last reference to it, and to its halves, goes.
public final class LocalSocketStream: Sendable, DescriptorOwner, ByteReceiver, ByteSender {
    /// The descriptor's owner, which has no public members.
    public let descriptorCore: DescriptorCore
    /// The receiving direction, which has no public members.
    public let receivingSide: ReceivingSide
    /// The sending direction, which has no public members.
    public let sendingSide: SendingSide

    /// Connects to a server.
    ///
    /// The corresponding system call is `connect`. Blocks as ``ConnectOptions/wait`` says.
    ///
    /// - Parameters:
    ///   - name: Where the server listens.
    ///   - options: How to connect.
    /// - Returns: The connection.
    /// - Throws: ``IPCError/Code/notFound`` or ``IPCError/Code/connectionRefused`` when no server listens there;
    ///   ``IPCError/Code/invalidArgument`` when what is there is a socket of another kind;
    ///   ``IPCError/Code/permissionDenied`` when it does not let this user in, or is not the one that
    ///   ``ConnectOptions/requiresPeer`` asks for; ``IPCError/Code/timedOut``; ``IPCError/Code/resourcesExhausted``.
    public static func connect(
        to name: LocalSocketName,
        options: ConnectOptions = ConnectOptions()
    ) throws(IPCError) -> LocalSocketStream {
        try LocalSocketBackend.connect(name, options)
    }

    /// Makes two streams that are connected to each other.
    ///
    /// The corresponding system call is `socketpair`.
    ///
    /// - Returns: Both ends.
    /// - Throws: ``IPCError/Code/resourcesExhausted``.
    public static func pair() throws(IPCError) -> (LocalSocketStream, LocalSocketStream) {
        let (first, second) = try LocalSocketBackend.pair()
        return (LocalSocketStream(first), LocalSocketStream(second))
    }

    /// Takes over a connected stream socket, such as one inherited from the program that started this one.
    ///
    /// Other holders of the socket are not disturbed when the stream closes.
    ///
    /// - Parameter descriptor: The socket, which belongs to the stream from then on, and is made close-on-exec. When
    ///   the call throws, it stays the caller's.
    /// - Throws: ``IPCError/Code/invalidArgument`` when it is not a Unix stream socket, or one that listens.
    public convenience init(adopting descriptor: RawDescriptor) throws(IPCError) {
        let socket = try LocalSocketBackend.adoptStream(descriptor)
        self.init(
            DescriptorCore(
                socket,
                name: "descriptor \(descriptor)",
                waker: LocalSocketBackend.streamWaker,
                isShared: true
            )
        )
    }

    init(
        _ core: DescriptorCore,
        connection: PendingConnection? = nil,
        nonblocking: Bool = false,
        spinTime: Duration = .zero
    ) {
        descriptorCore = core
        receivingSide = ReceivingSide(
            core,
            .socket,
            connection: connection,
            nonblocking: nonblocking,
            spinTime: spinTime
        )
        sendingSide = SendingSide(core, .socket, connection: connection, nonblocking: nonblocking)
    }

    init(_ receivingSide: ReceivingSide, _ sendingSide: SendingSide) {
        descriptorCore = receivingSide.core
        self.receivingSide = receivingSide
        self.sendingSide = sendingSide
    }

    /// Sets whether reads and writes return at once with ``IPCError/Code/wouldBlock`` instead of waiting.
    ///
    /// It is a setting of this object; the descriptor's own mode, which other processes may share, is left alone.
    ///
    /// - Parameter nonblocking: Whether they do.
    public func setNonblocking(_ nonblocking: Bool) {
        receivingSide.settings.isNonblocking = nonblocking
        sendingSide.settings.isNonblocking = nonblocking
    }

    /// Who is on the other side, as of when it connected (a client) or started to listen (a server).
    ///
    /// The corresponding system call is `getsockopt` (`SO_PEERCRED` and its like).
    ///
    /// - Returns: What the system tells.
    /// - Throws: ``IPCError/Code/notConnected``, ``IPCError/Code/closed``.
    public func peerCredentials() throws(IPCError) -> PeerCredentials {
        try receivingSide.finishConnecting(.identify)
        return try PeerCredentials(descriptorCore)
    }

    #if os(Linux) || os(Android)
    /// Holds on to the process on the other side by a descriptor, to wait for its end, or to be sure who it is.
    ///
    /// The corresponding system call is `getsockopt` (`SO_PEERPIDFD`, Linux 6.5).
    ///
    /// - Returns: The process.
    /// - Throws: ``IPCError/Code/unsupported`` on older systems, ``IPCError/Code/closed``.
    public func peerProcess() throws(IPCError) -> PeerProcess {
        try receivingSide.finishConnecting(.identify)
        return try PeerProcess(peerOf: descriptorCore)
    }
    #endif

    #if !os(Windows)
    /// Ends one direction of the connection, or both, for every holder of it.
    ///
    /// After ``Direction/send``, the peer reads what was sent and then the end of the stream, and can still answer.
    ///
    /// The corresponding system call is `shutdown`.
    ///
    /// - Parameter direction: Which.
    /// - Throws: ``IPCError/Code/notConnected``, ``IPCError/Code/closed``.
    public func shutdown(_ direction: Direction) throws(IPCError) {
        try receivingSide.finishConnecting(.shutdown)
        try LocalSocketBackend.shutdown(descriptorCore, direction)
    }

    /// The directions that can be ended.
    public enum Direction: Sendable, Hashable {
        /// Nothing more will be received.
        case receive
        /// Nothing more will be sent.
        case send
        /// Neither.
        case both
    }
    #endif

    /// Takes the error that the socket holds for the next call, if there is one.
    ///
    /// The corresponding system call is `getsockopt` (`SO_ERROR`), which clears it.
    ///
    /// - Returns: The error.
    /// - Throws: ``IPCError/Code/closed``.
    public func takeError() throws(IPCError) -> IPCError? {
        try LocalSocketBackend.takeError(descriptorCore)
    }

    /// Makes another stream for the same connection, which stays open until both are closed.
    ///
    /// What was read ahead stays with this one. The corresponding system call is `fcntl` (`F_DUPFD_CLOEXEC`).
    ///
    /// - Returns: The other stream.
    /// - Throws: ``IPCError/Code/closed``; ``IPCError/Code/resourcesExhausted``; ``IPCError/Code/busy`` while another
    ///   thread waits in a read or write: duplicate before that call starts.
    public func duplicate() throws(IPCError) -> LocalSocketStream {
        try receivingSide.finishConnecting(.duplicate)
        return LocalSocketStream(try LocalSocketBackend.duplicate(descriptorCore))
    }

    /// Closes the connection.
    ///
    /// Every blocked call ends with ``IPCError/Code/closed``.
    ///
    /// What was sent reaches the peer. Further calls do nothing. A connection that others hold too (by `duplicate()`,
    /// inheritance, or because it was adopted) lives on with them.
    public func close() { descriptorCore.close() }

    /// Gives the socket away, open; one that was made here is in blocking mode.
    ///
    /// - Returns: The descriptor, which is the caller's to close.
    /// - Throws: ``IPCError/Code/closed``; ``IPCError/Code/busy`` while another call is under way, or while bytes were
    ///   read ahead that nobody has asked for: take them first (``ByteReceiver/takeBuffered()``).
    public func detach() throws(IPCError) -> RawDescriptor {
        try receivingSide.finishConnecting(.detach)
        try receivingSide.checkNothingBuffered()
        return RawDescriptor(try descriptorCore.detach())
    }
}
