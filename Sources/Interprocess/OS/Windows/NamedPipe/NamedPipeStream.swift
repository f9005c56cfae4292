// SPDX-License-Identifier: MIT OR Apache-2.0

#if os(Windows)
internal import CInterprocess

/// One connection through a named pipe.
///
/// It moves bytes like every stream of this library, and messages where the pipe keeps them
/// (``NamedPipeListener/Options/mode``). Which directions there are, the server has chosen; using the other one throws
/// ``IPCError/Code/permissionDenied``.
///
/// Any thread may call any method at any time; a read that waits holds up no write. It closes when the last reference to
/// it goes; what was written reaches the peer.
public final class NamedPipeStream: Sendable, DescriptorOwner, ByteReceiver, ByteSender {
    /// The descriptor's owner, which has no public members.
    public let descriptorCore: DescriptorCore
    /// The receiving direction, which has no public members.
    public let receivingSide: ReceivingSide
    /// The sending direction, which has no public members.
    public let sendingSide: SendingSide

    /// In which direction bytes go through the pipe.
    public let direction: NamedPipeDirection

    /// Whether this is the server's end.
    public let isServer: Bool

    let readsMessages: Bool

    init(
        _ core: DescriptorCore,
        direction: NamedPipeDirection,
        isServer: Bool,
        readsMessages: Bool,
        nonblocking: Bool = false
    ) {
        descriptorCore = core
        self.direction = direction
        self.isServer = isServer
        self.readsMessages = readsMessages
        if readsMessages { _ = core.companion.set(Mailbox(core.descriptor)) }
        receivingSide = ReceivingSide(core, readsMessages ? .messages : .pipe, nonblocking: nonblocking)
        sendingSide = SendingSide(core, .pipe, nonblocking: nonblocking)
    }

    /// Takes over a handle of a named pipe that was opened for overlapped operations.
    ///
    /// - Parameters:
    ///   - handle: The handle, which belongs to the stream from then on, and is not inherited by programs started from now
    ///     on. When the call throws, it stays the caller's.
    ///   - direction: In which direction bytes go.
    /// - Throws: ``IPCError/Code/invalidArgument`` when it is no pipe, or was not opened for overlapped operations.
    public convenience init(
        adopting handle: RawDescriptor,
        direction: NamedPipeDirection = .duplex
    ) throws(IPCError) {
        let end = try OwnedDescriptor(adoptingPipe: handle)
        var status = cip_named_pipe_status()
        let result = System.call(.option) { unsafe cip_named_pipe_status(handle, &status) }
        if result < 0 {
            // It stays the caller's.
            _ = end.release()
            throw IPCError(result: result, .adopt, name: "handle \(handle)")
        }
        self.init(
            DescriptorCore(end, name: "handle \(handle)", waker: .poll, isShared: true),
            direction: direction,
            isServer: status.is_server,
            readsMessages: status.reads_messages
        )
    }

    /// Sets whether reads and writes return at once with ``IPCError/Code/wouldBlock`` instead of waiting.
    ///
    /// It is a setting of this object; the pipe's own mode is left alone.
    ///
    /// - Parameter nonblocking: Whether they do.
    public func setNonblocking(_ nonblocking: Bool) {
        receivingSide.settings.isNonblocking = nonblocking
        sendingSide.settings.isNonblocking = nonblocking
    }

    /// Waits until the peer has read everything that was written.
    ///
    /// Nothing needs it for what was written to arrive. The corresponding system call is `FlushFileBuffers`, which only
    /// the peer ends, by reading or leaving.
    ///
    /// - Throws: ``IPCError/Code/closed``.
    public func waitUntilRead() throws(IPCError) {
        let lease = try descriptorCore.lease(.send, for: .write)
        defer { withExtendedLifetime(lease) {} }
        let result = System.call(.send) { cip_handle_flush(descriptorCore.descriptor) }
        // A peer that has left reads no more.
        if result < 0 && !PipeCode.isEndOfStream(result) { throw descriptorCore.error(result: result, .write) }
    }

    /// The process at the other end.
    ///
    /// The corresponding system calls are `GetNamedPipeClientProcessId` and `GetNamedPipeServerProcessId`.
    ///
    /// - Throws: ``IPCError/Code/closed``.
    public var peerProcessID: UInt32 {
        get throws(IPCError) { UInt32(truncatingIfNeeded: try identify { cip_named_pipe_process($0, $1) }) }
    }

    /// The session of the process at the other end.
    ///
    /// The corresponding system calls are `GetNamedPipeClientSessionId` and `GetNamedPipeServerSessionId`.
    ///
    /// - Throws: ``IPCError/Code/closed``.
    public var peerSessionID: UInt32 {
        get throws(IPCError) { UInt32(truncatingIfNeeded: try identify { cip_named_pipe_session($0, $1) }) }
    }

    private func identify(_ call: (Int64, _ ofServer: Bool) -> Int64) throws(IPCError) -> Int64 {
        let lease = try descriptorCore.lease(.both, for: .identify)
        defer { withExtendedLifetime(lease) {} }
        let result = System.call(.credentials) { call(descriptorCore.descriptor, !isServer) }
        if result < 0 { throw descriptorCore.error(result: result, .identify) }
        return result
    }

    /// Runs a body in which this thread acts as the client, and reverts in any case.
    ///
    /// Something must have been read from the client before. The corresponding system calls are
    /// `ImpersonateNamedPipeClient` and `RevertToSelf`; if that failed, the thread would go on as somebody else, so the
    /// process ends then.
    ///
    /// - Parameter body: What to do as the client.
    /// - Returns: What `body` returns.
    /// - Throws: ``IPCError/Code/permissionDenied`` when the client does not allow it (see
    ///   ``ConnectOptions/allows``), ``IPCError/Code/closed``.
    public func withClientsIdentity<Value>(_ body: () -> Value) throws(IPCError) -> Value {
        let lease = try descriptorCore.lease(.both, for: .identify)
        defer { withExtendedLifetime(lease) {} }
        let result = System.call(.credentials) { cip_impersonate(descriptorCore.descriptor) }
        if result < 0 { throw descriptorCore.error(result: result, .identify) }
        defer { precondition(cip_revert() >= 0, "the thread cannot stop acting as the client") }
        return body()
    }

    /// Makes another stream for the same end, which stays open until both are closed.
    ///
    /// What was read ahead stays with this one. The corresponding system call is `DuplicateHandle`.
    ///
    /// - Returns: The other stream.
    /// - Throws: ``IPCError/Code/closed``; ``IPCError/Code/resourcesExhausted``.
    public func duplicate() throws(IPCError) -> NamedPipeStream {
        let lease = try descriptorCore.lease(.both, for: .duplicate)
        defer { withExtendedLifetime(lease) {} }
        let made = System.call(.duplicate) { cip_duplicate(descriptorCore.descriptor) }
        let handle = try OwnedDescriptor(result: made, .duplicate, name: descriptorCore.name)
        return NamedPipeStream(
            DescriptorCore(handle, name: descriptorCore.name, waker: .poll, isShared: true),
            direction: direction,
            isServer: isServer,
            readsMessages: readsMessages
        )
    }

    /// Makes a handle for this end in another process, whose it is from then on.
    ///
    /// The corresponding system call is `DuplicateHandle`.
    ///
    /// - Parameter process: A handle of the process that allows `PROCESS_DUP_HANDLE`.
    /// - Returns: The handle's number there.
    /// - Throws: ``IPCError/Code/closed``; ``IPCError/Code/permissionDenied``.
    public func share(withProcess process: RawDescriptor) throws(IPCError) -> RawDescriptor {
        let lease = try descriptorCore.lease(.both, for: .duplicate)
        defer { withExtendedLifetime(lease) {} }
        let made = System.call(.duplicate) { cip_duplicate_into(descriptorCore.descriptor, process) }
        if made < 0 { throw descriptorCore.error(result: made, .duplicate) }
        return made
    }

    /// Closes this end: every blocked call ends with ``IPCError/Code/closed``.
    ///
    /// What was written reaches the peer. Further calls do nothing.
    public func close() { descriptorCore.close() }

    /// Gives the handle away, open.
    ///
    /// - Returns: The handle, which is the caller's to close.
    /// - Throws: ``IPCError/Code/closed``; ``IPCError/Code/busy`` while another call is under way, or while bytes were
    ///   read ahead that nobody has asked for: take them first (``ByteReceiver/takeBuffered()``), or while a part of a
    ///   message is left.
    public func detach() throws(IPCError) -> RawDescriptor {
        try receivingSide.checkNothingBuffered()
        if readsMessages && descriptorCore.mailbox.withdraw() != nil {
            throw descriptorCore.error(
                .busy,
                .detach,
                detail: "a message has come, or a part of it is left: receive it first"
            )
        }
        return RawDescriptor(try descriptorCore.detach())
    }
}
#endif
