// SPDX-License-Identifier: MIT OR Apache-2.0

#if !os(Windows)
extension UnixDatagramSocket {
    /// Sends a datagram to an address, suspending the task while the receiver's queue is full.
    ///
    /// The system does not tell when there is room in a queue that the socket is not connected to: it is looked for
    /// again and again, every 2 milliseconds at most.
    ///
    /// The corresponding system call is `sendmsg`.
    ///
    /// - Parameters:
    ///   - bytes: What to send, which may be nothing; the memory has to stay until the call returns.
    ///   - address: Where to.
    ///   - attachments: What goes with it.
    ///   - timeout: How long to wait at most; `nil` means ``UnixMessageSocket/sendTimeout``.
    /// - Returns: The number of bytes sent: all of them.
    /// - Throws: ``IPCError/Code/cancelled`` when the task is cancelled; as `send(_:with:timeout:)` does;
    ///   ``IPCError/Code/notFound`` or ``IPCError/Code/connectionRefused`` when nobody is there;
    ///   ``IPCError/Code/permissionDenied`` when this user may not send there; ``IPCError/Code/invalidArgument`` for
    ///   ``UnixSocketAddress/unnamed``.
    @discardableResult
    public func send(
        _ bytes: UnsafeRawBufferPointer,
        to address: UnixSocketAddress,
        with attachments: UnixAttachments = UnixAttachments(),
        timeout: Duration? = nil
    ) async throws(IPCError) -> Int {
        try await sendingSide.send(
            OutgoingMessage(unsafe MessageMemory(bytes), Self.kind, attachments, to: address, from: descriptorCore),
            Self.kind,
            timeout
        )
    }

    /// Sends a datagram to an address, suspending the task while the receiver's queue is full.
    ///
    /// - Parameters:
    ///   - bytes: What to send, which may be nothing.
    ///   - address: Where to.
    ///   - attachments: What goes with it.
    ///   - timeout: How long to wait at most; `nil` means ``UnixMessageSocket/sendTimeout``.
    /// - Returns: The number of bytes sent: all of them.
    /// - Throws: As the form for raw memory does, ``IPCError/Code/cancelled`` included.
    @discardableResult
    public func send(
        _ bytes: RawSpan,
        to address: UnixSocketAddress,
        with attachments: UnixAttachments = UnixAttachments(),
        timeout: Duration? = nil
    ) async throws(IPCError) -> Int {
        // The span stays as it is during this call.
        let memory = unsafe bytes.withUnsafeBytes { unsafe $0 }
        return try await unsafe send(memory, to: address, with: attachments, timeout: timeout)
    }

    /// Sends a datagram to an address, suspending the task while the receiver's queue is full.
    ///
    /// - Parameters:
    ///   - bytes: What to send, which may be nothing.
    ///   - address: Where to.
    ///   - attachments: What goes with it.
    ///   - timeout: How long to wait at most; `nil` means ``UnixMessageSocket/sendTimeout``.
    /// - Returns: The number of bytes sent: all of them.
    /// - Throws: As the form for raw memory does, ``IPCError/Code/cancelled`` included.
    @discardableResult
    public func send(
        _ bytes: [UInt8],
        to address: UnixSocketAddress,
        with attachments: UnixAttachments = UnixAttachments(),
        timeout: Duration? = nil
    ) async throws(IPCError) -> Int {
        try await sendingSide.send(
            OutgoingMessage(MessageMemory(bytes), Self.kind, attachments, to: address, from: descriptorCore),
            Self.kind,
            timeout
        )
    }

    /// Sends the bytes of several pieces of memory, one after another, as one datagram to an address, suspending the
    /// task while the receiver's queue is full.
    ///
    /// - Parameters:
    ///   - buffers: What to send, which has to stay until the call returns: at most 1024 pieces.
    ///   - address: Where to.
    ///   - attachments: What goes with it.
    ///   - timeout: How long to wait at most; `nil` means ``UnixMessageSocket/sendTimeout``.
    /// - Returns: The number of bytes sent: all of them.
    /// - Throws: As the form for raw memory does, ``IPCError/Code/cancelled`` included;
    ///   ``IPCError/Code/invalidArgument`` for too many pieces.
    @discardableResult
    public func send(
        gathering buffers: [UnsafeRawBufferPointer],
        to address: UnixSocketAddress,
        with attachments: UnixAttachments = UnixAttachments(),
        timeout: Duration? = nil
    ) async throws(IPCError) -> Int {
        try await sendingSide.send(
            OutgoingMessage(unsafe MessageMemory(buffers), Self.kind, attachments, to: address, from: descriptorCore),
            Self.kind,
            timeout
        )
    }
}
#endif
