// SPDX-License-Identifier: MIT OR Apache-2.0

#if !canImport(Darwin) && !os(Windows)
internal import Synchronization

/// A server's end of a Unix domain socket for packets: it has an address, and accepts the clients that connect to it.
///
/// It does for ``UnixPacketSocket`` what a ``LocalSocketListener`` does for streams: who may connect, and what becomes
/// of the socket's file, is decided in the same way, by the same options.
///
/// Any thread may call any method at any time. The listener closes when the last reference to it goes.
public final class UnixPacketListener: Sendable, DescriptorOwner {
    /// The descriptor's owner, which has no public members.
    public let descriptorCore: DescriptorCore

    let gate: Gate
    let settings: WaitSettings
    private let spin: AdaptiveSpin
    private let socketsAreNonblocking: Atomic<Bool>
    private let file: SocketFile?
    private let address: UnixSocketAddress

    /// Starts to listen.
    ///
    /// The corresponding system calls are `socket`, `bind` and `listen`. Blocks for
    /// ``LocalSocketListener/Options/maxSpinTime`` at most.
    ///
    /// - Parameters:
    ///   - address: Where to listen.
    ///   - options: How.
    /// - Throws: As ``LocalSocketListener/init(address:options:)`` does.
    public init(
        address: UnixSocketAddress,
        options: LocalSocketListener.Options = .init()
    ) throws(IPCError) {
        self.address = address
        let label = address.description
        let binding = try BindPlan(address: address, label: label, kind: .packets, options).bind()
        file = binding.file
        gate = binding.gate
        settings = WaitSettings(nonblocking: options.nonblocking.accept)
        spin = AdaptiveSpin(options.spinTime)
        socketsAreNonblocking = Atomic(options.nonblocking.stream)
        descriptorCore = binding.makeCore(label)
        // Made now, so that closing can wake a blocked accept even when no descriptor is left later.
        try descriptorCore.wake(.receive, for: .listen)
    }

    /// Takes over a socket that listens already, such as one inherited from the program that started this one.
    ///
    /// The socket's file is not removed when the listener closes, and other holders of the socket are not disturbed by
    /// it. The socket is put into nonblocking mode, which its other holders share.
    ///
    /// - Parameter descriptor: The socket, which belongs to the listener from then on, and is made close-on-exec. When
    ///   the call throws, it stays the caller's.
    /// - Throws: ``IPCError/Code/invalidArgument`` when it is not a listening Unix socket for packets.
    public init(adopting descriptor: RawDescriptor) throws(IPCError) {
        let socket = try LocalSocketBackend.adoptListener(descriptor, .packets)
        file = nil
        address = .unnamed
        gate = .open
        settings = WaitSettings()
        spin = AdaptiveSpin()
        socketsAreNonblocking = Atomic(false)
        descriptorCore = DescriptorCore(socket, name: "descriptor \(descriptor)", waker: .poll, isShared: true)
        do throws(IPCError) {
            try descriptorCore.wake(.receive, for: .adopt)
        } catch {
            // It stays the caller's.
            _ = try? descriptorCore.detach()
            throw error
        }
    }

    /// Takes over a socket that listens already, as `init(adopting:)` does with a number.
    ///
    /// - Parameter descriptor: The descriptor, which is given away by this; when the call throws, it has been closed.
    /// - Throws: ``IPCError/Code/invalidArgument`` when it is not a listening Unix socket for packets;
    ///   ``IPCError/Code/closed``, ``IPCError/Code/busy``.
    public convenience init(adopting descriptor: IPCDescriptor) throws(IPCError) {
        let owned = OwnedDescriptor(Int64(try descriptor.detach()))
        try self.init(adopting: RawDescriptor(owned.raw))
        _ = owned.release()
    }

    deinit { close() }

    /// Accepts the next client, waiting for one if there is none.
    ///
    /// Clients that may not connect (see ``LocalSocketListener/Options/access``) are turned away without being
    /// returned.
    ///
    /// The corresponding system call is `accept`.
    ///
    /// - Parameter timeout: How long to wait at most; `nil` is without limit.
    /// - Returns: The connection to the client.
    /// - Throws: ``IPCError/Code/timedOut``; ``IPCError/Code/wouldBlock`` (in nonblocking mode);
    ///   ``IPCError/Code/closed`` when the listener is closed, also during the call;
    ///   ``IPCError/Code/resourcesExhausted`` when no descriptor is left: the client goes on waiting.
    public func accept(timeout: Duration? = nil) throws(IPCError) -> UnixPacketSocket {
        makeSocket(try descriptorCore.accept(gate, settings.patience(timeout), spin))
    }

    func makeSocket(_ client: consuming OwnedDescriptor) -> UnixPacketSocket {
        UnixPacketSocket(
            DescriptorCore(client, name: descriptorCore.name, waker: LocalSocketBackend.streamWaker),
            nonblocking: socketsAreNonblocking.load(ordering: .relaxed),
            spinTime: spin.time
        )
    }

    /// Where it listens.
    ///
    /// The corresponding system call is `getsockname`, where it is not known anyway.
    ///
    /// - Returns: The address.
    /// - Throws: ``IPCError/Code/closed``.
    public func localAddress() throws(IPCError) -> UnixSocketAddress {
        // The system would tell the name that it had while it took the place of a dead one.
        address.isUnnamed ? try descriptorCore.localAddress() : address
    }

    /// Sets which calls return at once with ``IPCError/Code/wouldBlock`` instead of waiting.
    ///
    /// - Parameter nonblocking: Which. For connections it holds for those accepted from then on.
    public func setNonblocking(_ nonblocking: LocalSocketListener.Nonblocking) {
        settings.isNonblocking = nonblocking.accept
        socketsAreNonblocking.store(nonblocking.stream, ordering: .relaxed)
    }

    /// Lets the socket's file stay when the listener closes.
    public func keepNameOnClose() { file?.keep() }

    /// Stops listening: the socket's file is removed, if it still is the listener's own, and every blocked accept ends
    /// with ``IPCError/Code/closed``.
    ///
    /// Accepted connections are not touched. Further calls do nothing.
    public func close() {
        // The name goes first, so that no client finds a name with nobody behind it.
        if !isClosed { file?.reclaim() }
        if descriptorCore.close() { descriptorCore.waitUntilGone() }
    }
}
#endif
