// SPDX-License-Identifier: MIT OR Apache-2.0

#if os(Windows)
internal import CInterprocess

/// A server's end of a named pipe: it has a path, and accepts the clients that connect to it.
///
/// ```swift
/// let listener = try NamedPipeListener(#"\\.\pipe\com.example.echo"#)
/// let client = try listener.accept()
/// while let line = try client.readLine() { try client.writeAll(line + "\n") }
/// ```
///
/// Any thread may call any method at any time. The listener closes when the last reference to it goes.
public final class NamedPipeListener: Sendable, DescriptorOwner {
    /// The descriptor's owner, which has no public members.
    ///
    /// A listener has several handles; the one that is owned here is an event, which tells of clients.
    public let descriptorCore: DescriptorCore

    /// The path that clients connect to.
    public let path: String

    private let settings: WaitSettings
    private let spin = AdaptiveSpin()
    private let options: Options

    /// Starts to listen.
    ///
    /// From its return on, clients can connect: ``Options/idleInstances`` of them before any is accepted, and more of them
    /// wait. By default only processes of the same user can: see ``Options/securityDescriptor``.
    ///
    /// The corresponding system call is `CreateNamedPipeW`, with `FILE_FLAG_FIRST_PIPE_INSTANCE`.
    ///
    /// - Parameters:
    ///   - path: `\\.\pipe\NAME`.
    ///   - options: How.
    /// - Throws: ``IPCError/Code/invalidName``; ``IPCError/Code/permissionDenied`` when somebody has a pipe of that name;
    ///   ``IPCError/Code/invalidArgument`` for options that contradict each other; ``IPCError/Code/resourcesExhausted``.
    public init(_ path: String, options: Options = Options()) throws(IPCError) {
        let address = try PipeAddress(path: Array(path.utf8))
        if let flaw = options.flaw { throw IPCError(.invalidArgument, .listen, name: path, detail: flaw) }
        var options = options
        if options.securityDescriptor == nil { options.securityDescriptor = try .currentUser() }
        self.path = path
        self.options = options
        settings = WaitSettings(nonblocking: options.nonblocking)
        let event = try OwnedDescriptor(result: System.call(.wake) { cip_event_create() }, .listen, name: path)
        let instances = try PipeInstances(address, options, event: event.raw)
        descriptorCore = DescriptorCore(event, name: path, waker: .poll)
        _ = descriptorCore.companion.set(instances)
        try descriptorCore.wake(.receive, for: .listen)
    }

    deinit { close() }

    /// Accepts the next client, waiting for one if there is none.
    ///
    /// A client that has left again already may be returned: reading from it tells.
    ///
    /// The corresponding system call is `ConnectNamedPipe`.
    ///
    /// - Parameter timeout: How long to wait at most; `nil` is without limit.
    /// - Returns: The connection to the client.
    /// - Throws: ``IPCError/Code/timedOut``; ``IPCError/Code/wouldBlock`` (in nonblocking mode);
    ///   ``IPCError/Code/closed`` when the listener is closed, also during the call;
    ///   ``IPCError/Code/resourcesExhausted``.
    public func accept(timeout: Duration? = nil) throws(IPCError) -> NamedPipeStream {
        makeStream(try descriptorCore.accept(.open, settings.patience(timeout), spin))
    }

    func makeStream(_ handle: consuming OwnedDescriptor) -> NamedPipeStream {
        NamedPipeStream(
            DescriptorCore(handle, name: path, waker: .poll),
            direction: options.direction,
            isServer: true,
            readsMessages: options.readsMessages,
            nonblocking: options.streamsAreNonblocking
        )
    }

    /// Sets whether ``accept(timeout:)`` throws ``IPCError/Code/wouldBlock`` instead of waiting.
    ///
    /// - Parameter nonblocking: Whether it does.
    public func setNonblocking(_ nonblocking: Bool) { settings.isNonblocking = nonblocking }

    /// Stops listening: every blocked accept ends with ``IPCError/Code/closed``.
    ///
    /// Accepted streams are not touched. Clients that were not accepted yet are disconnected. Further calls do nothing.
    public func close() {
        // The name goes first, so that no client finds a name with nobody behind it.
        if !isClosed { descriptorCore.instances.reclaim() }
        descriptorCore.close()
    }
}

extension NamedPipeListener.Options {
    /// What is wrong with them.
    fileprivate var flaw: String? {
        if (receiveMode ?? mode) == .messages && mode == .bytes {
            return "a pipe that keeps bytes cannot be read as messages: set `mode` to `.messages` too"
        }
        if let instanceLimit, !(1...254).contains(instanceLimit) { return "an instance limit is from 1 to 254" }
        if !(1...32).contains(idleInstances) { return "from 1 to 32 instances can wait for clients" }
        let sizes = 0...Int(Int32.max)
        if !sizes.contains(receiveBufferSize) || !sizes.contains(sendBufferSize) {
            return "a buffer's size is a number of bytes up to 2 GiB"
        }
        return nil
    }
}
#endif
