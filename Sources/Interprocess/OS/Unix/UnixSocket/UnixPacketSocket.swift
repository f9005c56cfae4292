// SPDX-License-Identifier: MIT OR Apache-2.0

#if !canImport(Darwin) && !os(Windows)
internal import CInterprocess

/// A connection over a Unix domain socket that carries messages (`SOCK_SEQPACKET`): reliable, in order, and each
/// received as it was sent.
///
/// ```swift
/// let (one, other) = try UnixPacketSocket.pair()
/// try one.send(Array("a message".utf8))
/// let (bytes, message) = try other.receive(upTo: 4096)
/// print(bytes.count, message.isTruncated, message.isEnd)
/// ```
///
/// Any thread may call any method at any time. It closes when the last reference to it goes.
public final class UnixPacketSocket: Sendable, UnixMessageSocket {
    /// Messages, over a connection.
    public static var kind: UnixSocketKind { .packets }

    /// The receiving direction, which has no public members.
    public let receivingSide: ReceivingSide
    /// The sending direction, which has no public members.
    public let sendingSide: SendingSide
    /// The descriptor's owner, which has no public members.
    public var descriptorCore: DescriptorCore { receivingSide.core }

    /// Connects to a server.
    ///
    /// The corresponding system call is `connect`. Blocks as ``LocalSocketStream/ConnectOptions/wait`` says.
    ///
    /// - Parameters:
    ///   - address: Where the server listens.
    ///   - options: How to connect: as for a stream. Unless they say otherwise, a server with an abstract name has to
    ///     be the current user's, for anybody can be first to take one.
    /// - Returns: The connection.
    /// - Throws: ``IPCError/Code/notFound`` or ``IPCError/Code/connectionRefused`` when no server listens there;
    ///   ``IPCError/Code/invalidArgument`` when what listens there is for no packets;
    ///   ``IPCError/Code/permissionDenied`` when it does not let this user in, or is not the one that the options ask
    ///   for; ``IPCError/Code/timedOut``; ``IPCError/Code/resourcesExhausted``.
    public static func connect(
        to address: UnixSocketAddress,
        options: LocalSocketStream.ConnectOptions = .init()
    ) throws(IPCError) -> UnixPacketSocket {
        UnixPacketSocket(try ConnectPlan(address, .packets, options).open(options.wait), options)
    }

    /// Makes two sockets that are connected to each other.
    ///
    /// The corresponding system call is `socketpair`.
    ///
    /// - Returns: Both ends.
    /// - Throws: ``IPCError/Code/resourcesExhausted``.
    public static func pair() throws(IPCError) -> (UnixPacketSocket, UnixPacketSocket) {
        let (first, second) = try LocalSocketBackend.pair(CIP_SEQUENCED_PACKETS, LocalSocketBackend.streamWaker)
        return (UnixPacketSocket(first), UnixPacketSocket(second))
    }

    /// Takes over a connected socket for packets, such as one inherited from the program that started this one.
    ///
    /// Other holders of the socket are not disturbed when this closes.
    ///
    /// - Parameter descriptor: The socket, which belongs to the object from then on, and is made close-on-exec. When
    ///   the call throws, it stays the caller's.
    /// - Throws: ``IPCError/Code/invalidArgument`` when it is not a Unix socket for packets, or one that listens.
    public convenience init(adopting descriptor: RawDescriptor) throws(IPCError) {
        let socket = try OwnedDescriptor(adoptingSocket: descriptor, .packets, listening: false)
        self.init(
            DescriptorCore(
                socket,
                name: "descriptor \(descriptor)",
                waker: LocalSocketBackend.streamWaker,
                isShared: true
            )
        )
    }

    /// Takes over a connected socket for packets, as `init(adopting:)` does with a number.
    ///
    /// - Parameter descriptor: The descriptor, which is given away by this; when the call throws, it has been closed.
    /// - Throws: ``IPCError/Code/invalidArgument`` when it is not a Unix socket for packets, or one that listens;
    ///   ``IPCError/Code/closed``, ``IPCError/Code/busy``.
    public convenience init(adopting descriptor: IPCDescriptor) throws(IPCError) {
        let owned = OwnedDescriptor(Int64(try descriptor.detach()))
        try self.init(adopting: RawDescriptor(owned.raw))
        _ = owned.release()
    }

    init(
        _ core: DescriptorCore,
        connection: PendingConnection? = nil,
        nonblocking: Bool = false,
        spinTime: Duration = .zero
    ) {
        receivingSide = ReceivingSide(
            core,
            .socket,
            connection: connection,
            nonblocking: nonblocking,
            spinTime: spinTime
        )
        sendingSide = SendingSide(core, .socket, connection: connection, nonblocking: nonblocking)
    }

    convenience init(_ opened: ConnectPlan.Opened, _ options: LocalSocketStream.ConnectOptions) {
        self.init(
            opened.core,
            connection: opened.pending,
            nonblocking: options.nonblocking,
            spinTime: options.spinTime
        )
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

    /// Ends one direction of the connection, or both, for every holder of it.
    ///
    /// After `send`, the peer receives what was sent and then the end, and can still answer.
    ///
    /// The corresponding system call is `shutdown`.
    ///
    /// - Parameter direction: Which.
    /// - Throws: ``IPCError/Code/notConnected``, ``IPCError/Code/closed``.
    public func shutdown(_ direction: LocalSocketStream.Direction) throws(IPCError) {
        try receivingSide.finishConnecting(.shutdown)
        try LocalSocketBackend.shutdown(descriptorCore, direction)
    }

    /// Makes another socket object for the same connection, which stays open until both are closed.
    ///
    /// The corresponding system call is `fcntl` (`F_DUPFD_CLOEXEC`).
    ///
    /// - Returns: The other one.
    /// - Throws: ``IPCError/Code/closed``; ``IPCError/Code/resourcesExhausted``; ``IPCError/Code/busy`` while another
    ///   thread waits in a call on it: duplicate before that starts.
    public func duplicate() throws(IPCError) -> UnixPacketSocket {
        try receivingSide.finishConnecting(.duplicate)
        return UnixPacketSocket(try LocalSocketBackend.duplicate(descriptorCore))
    }

    /// Closes the connection.
    ///
    /// Every call that waits ends with ``IPCError/Code/closed``. What was sent reaches the peer. Further calls do
    /// nothing. A connection that others hold too lives on with them.
    public func close() { descriptorCore.close() }

    /// Gives the socket away, open.
    ///
    /// - Returns: The descriptor, which is the caller's to close.
    /// - Throws: ``IPCError/Code/closed``; ``IPCError/Code/busy`` while another call is under way.
    public func detach() throws(IPCError) -> RawDescriptor {
        try receivingSide.finishConnecting(.detach)
        return RawDescriptor(try descriptorCore.detach())
    }
}
#endif
