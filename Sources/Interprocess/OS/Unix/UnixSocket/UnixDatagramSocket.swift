// SPDX-License-Identifier: MIT OR Apache-2.0

#if !os(Windows)
internal import CInterprocess

/// A Unix domain socket for datagrams (`SOCK_DGRAM`): messages without a connection, each to where it says.
///
/// They are never lost on their way, nor change their order; who sends waits while the receiver's queue is full.
///
/// ```swift
/// let server = try UnixDatagramSocket(address: .path("/tmp/log.sock"))
/// let client = try UnixDatagramSocket()
/// try client.connect(to: .path("/tmp/log.sock"))
/// try client.send(Array("a line".utf8))
/// let (bytes, message) = try server.receive(upTo: 4096)
/// print(bytes.count, message.sender?.isUnnamed ?? true)
/// ```
///
/// Any thread may call any method at any time. It closes when the last reference to it goes.
public final class UnixDatagramSocket: Sendable, UnixMessageSocket {
    /// Messages, each to where it says.
    public static var kind: UnixSocketKind { .datagrams }

    /// The receiving direction, which has no public members.
    public let receivingSide: ReceivingSide
    /// The sending direction, which has no public members.
    public let sendingSide: SendingSide
    /// The descriptor's owner, which has no public members.
    public var descriptorCore: DescriptorCore { receivingSide.core }
    private let file: SocketFile?

    /// Makes a socket that is not bound: it can send, but nobody can answer it.
    ///
    /// The corresponding system call is `socket`.
    ///
    /// - Throws: ``IPCError/Code/resourcesExhausted``.
    public convenience init() throws(IPCError) {
        let label = "a datagram socket"
        let made = System.call(.socket) { cip_socket(UnixSocketKind.datagrams.native, false) }
        let socket = try OwnedDescriptor(result: made, .create, name: label)
        try self.init(limiting: DescriptorCore(socket, name: label, waker: Self.waker))
    }

    /// Makes a socket that can be sent to at an address.
    ///
    /// The corresponding system calls are `socket` and `bind`. Blocks for ``BindOptions/maxSpinTime`` at most.
    ///
    /// - Parameters:
    ///   - address: Where.
    ///   - options: How.
    /// - Throws: As ``LocalSocketListener/init(address:options:)`` does.
    public convenience init(
        address: UnixSocketAddress,
        options: BindOptions = BindOptions()
    ) throws(IPCError) {
        let plan = BindPlan(address: address, label: address.description, options)
        let binding = try plan.bind()
        let gate = binding.gate
        let file = binding.file
        let core = binding.makeCore(plan.label, waker: Self.waker)
        #if os(Linux) || os(Android)
        // An abstract name lets everybody send.
        if !gate.isOpen { try core.setOption(CIP_OPTION_CREDENTIALS, 1) }
        #endif
        try self.init(limiting: core, gate: gate, file: file)
    }

    /// Makes two sockets that send to each other.
    ///
    /// The corresponding system call is `socketpair`.
    ///
    /// - Returns: Both.
    /// - Throws: ``IPCError/Code/resourcesExhausted``.
    public static func pair() throws(IPCError) -> (UnixDatagramSocket, UnixDatagramSocket) {
        let (first, second) = try LocalSocketBackend.pair(CIP_DATAGRAM, waker)
        return (try UnixDatagramSocket(limiting: first), try UnixDatagramSocket(limiting: second))
    }

    /// Takes over a socket for datagrams, such as one inherited from the program that started this one.
    ///
    /// Its file, if it is bound to one, is not removed when this closes.
    ///
    /// - Parameter descriptor: The socket, which belongs to the object from then on, and is made close-on-exec. When
    ///   the call throws, it stays the caller's.
    /// - Throws: ``IPCError/Code/invalidArgument`` when it is not a Unix socket for datagrams.
    public convenience init(adopting descriptor: RawDescriptor) throws(IPCError) {
        let socket = try OwnedDescriptor(adoptingSocket: descriptor, .datagrams, listening: false)
        self.init(
            DescriptorCore(socket, name: "descriptor \(descriptor)", waker: Self.waker, isShared: true),
            gate: .open,
            file: nil
        )
    }

    /// Takes over a socket for datagrams, as `init(adopting:)` does with a number.
    ///
    /// - Parameter descriptor: The descriptor, which is given away by this; when the call throws, it has been closed.
    /// - Throws: ``IPCError/Code/invalidArgument`` when it is not a Unix socket for datagrams;
    ///   ``IPCError/Code/closed``, ``IPCError/Code/busy``.
    public convenience init(adopting descriptor: IPCDescriptor) throws(IPCError) {
        let owned = OwnedDescriptor(Int64(try descriptor.detach()))
        try self.init(adopting: RawDescriptor(owned.raw))
        _ = owned.release()
    }

    /// Makes one of what is this object's alone, whose calls may wait inside the kernel.
    private convenience init(
        limiting core: DescriptorCore,
        gate: Gate = .open,
        file: SocketFile? = nil
    ) throws(IPCError) {
        self.init(core, gate: gate, file: file)
        guard core.waker == .shutdownAndSendLimit else { return }
        let result = System.call(.option) { cip_set_send_timeout(core.descriptor, Self.sendLimit) }
        if result < 0 { throw core.error(result: result, .create) }
    }

    private init(_ core: DescriptorCore, gate: Gate, file: SocketFile?) {
        receivingSide = ReceivingSide(core, .socket, gate: gate)
        sendingSide = SendingSide(core, .socket)
        self.file = file
    }

    deinit { close() }

    /// How `close` ends a blocked call on a socket that was made here.
    private static var waker: DescriptorCore.Waker {
        cip_shutdown_ends_datagrams() != 0 ? .shutdownAndSendLimit : .poll
    }

    /// For how many nanoseconds a call that sends waits at once, and so how late it may be told that this is closed.
    private static let sendLimit: Int64 = 10_000_000

    /// Sets where `send` sends to, and from whom alone it receives from then on.
    ///
    /// Call it again to change that. Who is at the other side cannot be asked, so choose a path in a directory that
    /// only those can write to who may be there: an abstract name anybody can be first to take.
    ///
    /// The corresponding system call is `connect`.
    ///
    /// - Parameter address: The other side's.
    /// - Throws: ``IPCError/Code/notFound`` or ``IPCError/Code/connectionRefused`` when nobody is there;
    ///   ``IPCError/Code/permissionDenied`` when this user may not send there, or the other side sends to somebody
    ///   else; ``IPCError/Code/invalidArgument`` when there is a socket of another kind, and for
    ///   ``UnixSocketAddress/unnamed``; ``IPCError/Code/closed``.
    public func connect(to address: UnixSocketAddress) throws(IPCError) {
        let core = descriptorCore
        let lease = try core.lease(.both, for: .connect)
        defer { withExtendedLifetime(lease) {} }
        let result = System.call(.connect) { address.with { unsafe cip_connect(core.descriptor, $0, $1) } }
        if result < 0 { throw IPCError(result: result, .connect, name: address.description) }
    }

    /// Lets the socket's file stay when this closes.
    public func keepNameOnClose() { file?.keep() }

    /// Closes the socket: its file is removed, if it still is the one that was made here, and every call that waits
    /// ends with ``IPCError/Code/closed``.
    ///
    /// Datagrams that were not received are lost. Further calls do nothing.
    public func close() {
        // The name goes first, so that no sender finds a name with nobody behind it.
        if !isClosed { file?.reclaim() }
        // A name without a file is free when the socket is gone, which another thread may be about to leave.
        if descriptorCore.close() { descriptorCore.waitUntilGone() }
    }

    /// Gives the socket away, open.
    ///
    /// Its file stays.
    ///
    /// - Returns: The descriptor, which is the caller's to close.
    /// - Throws: ``IPCError/Code/closed``; ``IPCError/Code/busy`` while another call is under way.
    public func detach() throws(IPCError) -> RawDescriptor {
        let descriptor = try descriptorCore.detach()
        file?.keep()
        return RawDescriptor(descriptor)
    }
}
#endif
