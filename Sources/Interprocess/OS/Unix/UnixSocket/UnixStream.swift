// SPDX-License-Identifier: MIT OR Apache-2.0

#if !os(Windows)
/// A connection over a Unix domain socket that carries bytes (`SOCK_STREAM`): here that is what a local socket is.
public typealias UnixStream = LocalSocketStream

/// A Unix domain socket that listens for connections which carry bytes.
public typealias UnixListener = LocalSocketListener

extension LocalSocketStream: UnixSocket {
    /// Bytes.
    public static var kind: UnixSocketKind { .stream }

    /// Connects to a server at an address, as `connect(to:options:)` does to one with a name.
    ///
    /// The corresponding system call is `connect`. Blocks as ``ConnectOptions/wait`` says.
    ///
    /// - Parameters:
    ///   - address: Where the server listens.
    ///   - options: How to connect. Unless they say otherwise, a server with an abstract name has to be the current
    ///     user's, for anybody can be first to take one.
    /// - Returns: The connection.
    /// - Throws: As for a name; ``IPCError/Code/invalidArgument`` for ``UnixSocketAddress/unnamed``.
    public static func connect(
        toAddress address: UnixSocketAddress,
        options: ConnectOptions = ConnectOptions()
    ) throws(IPCError) -> LocalSocketStream {
        LocalSocketStream(try ConnectPlan(address, .stream, options).open(options.wait), options)
    }

    /// Sends all of the bytes, with attachments, which go along with the first one.
    ///
    /// The corresponding system calls are `sendmsg` and `send`.
    ///
    /// - Parameters:
    ///   - bytes: What to send.
    ///   - attachments: What goes with it.
    ///   - timeout: How long the whole call may wait; `nil` means ``ByteSender/sendTimeout``.
    /// - Throws: As `send(_:with:timeout:)` does; ``IPCError/bytesTransferred`` tells how many bytes had been sent: if
    ///   any, then also the attachments.
    public func sendAll(
        _ bytes: [UInt8],
        with attachments: UnixAttachments,
        timeout: Duration? = nil
    ) throws(IPCError) {
        let deadline = sendingSide.settings.deadline(timeout)
        let sent = try send(bytes, with: attachments, timeout: timeout)
        do throws(IPCError) {
            try writeAll(Array(bytes.dropFirst(sent)), timeout: deadline.left)
        } catch {
            throw error.adding(bytesTransferred: sent)
        }
    }
}

extension LocalSocketListener {
    /// Starts to listen at an address, as ``init(_:options:)`` does at a name.
    ///
    /// The corresponding system calls are `socket`, `bind` and `listen`. Blocks for ``Options/maxSpinTime`` at most.
    ///
    /// - Parameters:
    ///   - address: Where to listen.
    ///   - options: How.
    /// - Throws: As for a name; ``IPCError/Code/invalidArgument`` for ``UnixSocketAddress/unnamed``, where that does
    ///   not let the system choose.
    public convenience init(address: UnixSocketAddress, options: Options = Options()) throws(IPCError) {
        let binding = try BindPlan(address: address, label: address.description, options).bind()
        let name = LocalSocketBackend.name(of: binding.descriptor)
        try self.init(binding, name, label: name?.description ?? address.description, options)
    }

    /// Where it listens.
    ///
    /// The corresponding system call is `getsockname`, where it is not known anyway.
    ///
    /// - Returns: The address.
    /// - Throws: ``IPCError/Code/closed``.
    public func localAddress() throws(IPCError) -> UnixSocketAddress {
        // The system would tell the name that it had while it took the place of a dead one.
        if let name { return name.address }
        return try descriptorCore.localAddress()
    }
}
#endif
