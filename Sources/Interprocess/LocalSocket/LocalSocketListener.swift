// SPDX-License-Identifier: MIT OR Apache-2.0

internal import Synchronization

/// A server's end of a local socket: it has a name, and accepts the clients that connect to it.
///
/// ```swift
/// let listener = try LocalSocketListener(.namespaced("com.example.echo"))
/// let client = try listener.accept()
/// while let line = try client.readLine() { try client.writeAll(line + "\n") }
/// ```
///
/// Any thread may call any method at any time. The listener closes when the last reference to it goes.
public final class LocalSocketListener: Sendable, DescriptorOwner {
    /// The descriptor's owner, which has no public members.
    public let descriptorCore: DescriptorCore

    /// The name that the listener was made for; `nil` for one that was adopted and has none that can be written.
    public let name: LocalSocketName?

    let gate: Gate
    let reserve = ReserveDescriptor()
    let settings: WaitSettings
    private let spin: AdaptiveSpin
    private let streamsAreNonblocking: Atomic<Bool>
    private let file: NameHolder?

    /// Starts to listen.
    ///
    /// From its return on, clients can connect; they wait until they are accepted. By default only processes of the
    /// same user can: see ``Options/access``.
    ///
    /// The corresponding system calls are `socket`, `bind` and `listen`. Blocks for ``Options/maxSpinTime`` at most.
    ///
    /// - Parameters:
    ///   - name: Where to listen.
    ///   - options: How.
    /// - Throws: ``IPCError/Code/addressInUse`` when a server listens there, or a file is there that may not be
    ///   replaced; ``IPCError/Code/notFound`` when the directory does not exist; ``IPCError/Code/permissionDenied``;
    ///   ``IPCError/Code/busy`` when another program is in the way for longer than ``Options/maxSpinTime``;
    ///   ``IPCError/Code/resourcesExhausted``.
    public convenience init(_ name: LocalSocketName, options: Options = Options()) throws(IPCError) {
        try self.init(LocalSocketBackend.listen(name, options), name, label: name.description, options)
    }

    init(
        _ binding: consuming LocalSocketBackend.Binding,
        _ name: LocalSocketName?,
        label: String,
        _ options: Options
    ) throws(IPCError) {
        self.name = name
        file = binding.file
        gate = binding.gate
        settings = WaitSettings(nonblocking: options.nonblocking.accept)
        spin = AdaptiveSpin(options.spinTime)
        streamsAreNonblocking = Atomic(options.nonblocking.stream)
        descriptorCore = binding.makeCore(label)
        // Made now, so that closing can wake a blocked accept even when no descriptor is left later.
        try descriptorCore.wake(.receive, for: .listen)
    }

    #if !os(Windows)
    /// Takes over a socket that listens already, such as one inherited from the program that started this one.
    ///
    /// The socket's file is not removed when the listener closes, and other holders of the socket are not disturbed by
    /// it. The socket is put into nonblocking mode, which its other holders share. Who may connect is up to whoever
    /// made it.
    ///
    /// - Parameter descriptor: The socket, which belongs to the listener from then on, and is made close-on-exec. When
    ///   the call throws, it stays the caller's.
    /// - Throws: ``IPCError/Code/invalidArgument`` when it is not a listening Unix stream socket.
    public init(adopting descriptor: RawDescriptor) throws(IPCError) {
        let socket = try LocalSocketBackend.adoptListener(descriptor)
        name = LocalSocketBackend.name(of: socket)
        file = nil
        gate = .open
        settings = WaitSettings()
        spin = AdaptiveSpin()
        streamsAreNonblocking = Atomic(false)
        descriptorCore = DescriptorCore(
            socket,
            name: name?.description ?? "descriptor \(descriptor)",
            waker: .poll,
            isShared: true
        )
        do throws(IPCError) {
            try descriptorCore.wake(.receive, for: .adopt)
        } catch {
            // It stays the caller's.
            _ = try? descriptorCore.detach()
            throw error
        }
    }
    #endif

    deinit { close() }

    /// Accepts the next client, waiting for one if there is none.
    ///
    /// Clients that may not connect (see ``Options/access``) are turned away without being returned. A client that has
    /// left again already may be returned: reading from it tells.
    ///
    /// The corresponding system call is `accept`.
    ///
    /// - Parameter timeout: How long to wait at most; `nil` is without limit.
    /// - Returns: The connection to the client.
    /// - Throws: ``IPCError/Code/timedOut``; ``IPCError/Code/wouldBlock`` (in nonblocking mode);
    ///   ``IPCError/Code/closed`` when the listener is closed, also during the call;
    ///   ``IPCError/Code/resourcesExhausted`` when no descriptor is left: the client goes on waiting, and the next call
    ///   may find it.
    public func accept(timeout: Duration? = nil) throws(IPCError) -> LocalSocketStream {
        makeStream(try descriptorCore.accept(gate, settings.patience(timeout), spin))
    }

    func makeStream(_ client: consuming OwnedDescriptor) -> LocalSocketStream {
        LocalSocketStream(
            DescriptorCore(client, name: descriptorCore.name, waker: LocalSocketBackend.streamWaker),
            nonblocking: streamsAreNonblocking.load(ordering: .relaxed),
            spinTime: spin.time
        )
    }

    /// Sets which calls return at once with ``IPCError/Code/wouldBlock`` instead of waiting.
    ///
    /// - Parameter nonblocking: Which. For streams it holds for those accepted from then on.
    public func setNonblocking(_ nonblocking: Nonblocking) {
        settings.isNonblocking = nonblocking.accept
        streamsAreNonblocking.store(nonblocking.stream, ordering: .relaxed)
    }

    /// Lets the socket's file stay when the listener closes.
    public func keepNameOnClose() { file?.keep() }

    /// Stops listening: the name is removed (see ``Options/reclaimsName``), and every blocked accept ends with
    /// ``IPCError/Code/closed``.
    ///
    /// Accepted streams are not touched. Clients that were not accepted yet are disconnected. Further calls do nothing.
    public func close() {
        // The name goes first, so that no client finds a name with nobody behind it.
        if !isClosed { file?.reclaim() }
        // A name without a file is free when the socket is gone, which another thread may be about to leave.
        if descriptorCore.close() { descriptorCore.waitUntilGone() }
        _ = reserve.give()
    }

    #if !os(Windows)
    /// Gives the listening socket away, open and blocking.
    ///
    /// The name is not removed.
    ///
    /// - Returns: The descriptor, which is the caller's to close.
    /// - Throws: ``IPCError/Code/closed``; ``IPCError/Code/busy`` while another call is under way.
    public func detach() throws(IPCError) -> RawDescriptor {
        let descriptor = try descriptorCore.detach()
        file?.keep()
        LocalSocketBackend.restoreBlocking(descriptor)
        return RawDescriptor(descriptor)
    }
    #endif
}
