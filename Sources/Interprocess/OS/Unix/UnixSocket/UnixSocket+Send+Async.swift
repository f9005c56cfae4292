// SPDX-License-Identifier: MIT OR Apache-2.0

#if !os(Windows)
// The awaited forms of sending. They suspend in nonblocking mode too, which is about the blocking forms.

extension UnixSocket {
    /// Sends bytes, with attachments, suspending the task until there is room: as one message, or on a stream some or
    /// all of them.
    ///
    /// A stream that sends some of the bytes has sent all attachments, along with the first one: send the rest without,
    /// or use `sendAll(_:with:timeout:)`. Nothing is sent when it throws.
    ///
    /// The corresponding system call is `sendmsg`; SIGPIPE is never raised.
    ///
    /// - Parameters:
    ///   - bytes: What to send; the memory has to stay until the call returns. A packet or datagram may be empty.
    ///   - attachments: What goes with it.
    ///   - timeout: How long to wait at most; `nil` means the socket's `sendTimeout`.
    /// - Returns: The number of bytes sent: on a stream at least one, unless there are none.
    /// - Throws: ``IPCError/Code/cancelled`` when the task is cancelled; ``IPCError/Code/messageTooLarge`` for a
    ///   message larger than the send buffer, and for more than ``UnixAttachments/maximumDescriptors`` descriptors;
    ///   ``IPCError/Code/invalidArgument`` for attachments without a byte on a stream; ``IPCError/Code/busy`` while
    ///   another thread waits in a read or write on what is attached; ``IPCError/Code/permissionDenied`` for
    ///   credentials that may not be presented; ``IPCError/Code/brokenPipe``, ``IPCError/Code/connectionReset`` or
    ///   ``IPCError/Code/connectionRefused`` when the other side is gone; ``IPCError/Code/notConnected``;
    ///   ``IPCError/Code/resourcesExhausted`` also when too many descriptors are on their way;
    ///   ``IPCError/Code/timedOut``; ``IPCError/Code/closed``.
    @discardableResult
    public func send(
        _ bytes: UnsafeRawBufferPointer,
        with attachments: UnixAttachments = UnixAttachments(),
        timeout: Duration? = nil
    ) async throws(IPCError) -> Int {
        try await sendingSide.send(
            OutgoingMessage(unsafe MessageMemory(bytes), Self.kind, attachments, from: descriptorCore),
            Self.kind,
            timeout
        )
    }

    /// Sends bytes, with attachments, suspending the task until there is room.
    ///
    /// - Parameters:
    ///   - bytes: What to send.
    ///   - attachments: What goes with it.
    ///   - timeout: How long to wait at most; `nil` means the socket's `sendTimeout`.
    /// - Returns: The number of bytes sent.
    /// - Throws: As the form for raw memory does, ``IPCError/Code/cancelled`` included.
    @discardableResult
    public func send(
        _ bytes: RawSpan,
        with attachments: UnixAttachments = UnixAttachments(),
        timeout: Duration? = nil
    ) async throws(IPCError) -> Int {
        // The span stays as it is during this call.
        let memory = unsafe bytes.withUnsafeBytes { unsafe $0 }
        return try await unsafe send(memory, with: attachments, timeout: timeout)
    }

    /// Sends bytes, with attachments, suspending the task until there is room.
    ///
    /// - Parameters:
    ///   - bytes: What to send.
    ///   - attachments: What goes with it.
    ///   - timeout: How long to wait at most; `nil` means the socket's `sendTimeout`.
    /// - Returns: The number of bytes sent.
    /// - Throws: As the form for raw memory does, ``IPCError/Code/cancelled`` included.
    @discardableResult
    public func send(
        _ bytes: [UInt8],
        with attachments: UnixAttachments = UnixAttachments(),
        timeout: Duration? = nil
    ) async throws(IPCError) -> Int {
        try await sendingSide.send(
            OutgoingMessage(MessageMemory(bytes), Self.kind, attachments, from: descriptorCore),
            Self.kind,
            timeout
        )
    }

    /// Sends the bytes of several pieces of memory, one after another, with attachments, suspending the task until
    /// there is room: as one message, or on a stream some or all of them.
    ///
    /// - Parameters:
    ///   - buffers: What to send, which has to stay until the call returns: at most 1024 pieces for a message.
    ///   - attachments: What goes with it.
    ///   - timeout: How long to wait at most; `nil` means the socket's `sendTimeout`.
    /// - Returns: The number of bytes sent.
    /// - Throws: As the form for raw memory does, ``IPCError/Code/cancelled`` included;
    ///   ``IPCError/Code/invalidArgument`` for a message of too many
    ///   pieces.
    @discardableResult
    public func send(
        gathering buffers: [UnsafeRawBufferPointer],
        with attachments: UnixAttachments = UnixAttachments(),
        timeout: Duration? = nil
    ) async throws(IPCError) -> Int {
        try await sendingSide.send(
            OutgoingMessage(unsafe MessageMemory(buffers), Self.kind, attachments, from: descriptorCore),
            Self.kind,
            timeout
        )
    }
}
#endif
