// SPDX-License-Identifier: MIT OR Apache-2.0

#if !os(Windows)
// The awaited forms of receiving. They suspend in nonblocking mode too, which is about the blocking forms.

extension UnixSocket {
    /// Receives bytes, and what came beside them, suspending the task until one comes: one message, or on a stream what
    /// there is.
    ///
    /// On a stream, bytes that were read ahead (by `readLine` and its like) come first, without attachments. Reading as
    /// bytes, by `read` and `readLine`, drops descriptors; they are closed.
    ///
    /// The corresponding system call is `recvmsg`.
    ///
    /// - Parameters:
    ///   - buffer: Where the bytes go, which has to stay until the call returns. What does not fit of a packet or
    ///     datagram is lost, and told.
    ///   - maximumDescriptors: How many descriptors to take. Further ones are closed, and told.
    ///   - timeout: How long to wait at most; `nil` means the socket's `receiveTimeout`.
    /// - Returns: What came.
    /// - Throws: ``IPCError/Code/resourcesExhausted`` when descriptors came that the process has no free numbers for
    ///   (all that came are closed; ``IPCError/bytesTransferred`` bytes were received into the buffer, and do not come
    ///   again), or when waiting takes one; ``IPCError/Code/cancelled`` when the task is cancelled;
    ///   ``IPCError/Code/timedOut``; ``IPCError/Code/closed``; ``IPCError/Code/connectionReset``;
    ///   ``IPCError/Code/notConnected``.
    public func receive(
        into buffer: UnsafeMutableRawBufferPointer,
        maximumDescriptors: Int = 0,
        timeout: Duration? = nil
    ) async throws(IPCError) -> UnixMessage {
        try await unsafe receivingSide.receive(
            into: .one(buffer),
            wishes(maximumDescriptors),
            timeout
        )
    }

    /// Receives bytes into a span, from its start, and what came beside them, suspending the task until one comes.
    ///
    /// - Parameters:
    ///   - buffer: Where the bytes go.
    ///   - maximumDescriptors: How many descriptors to take.
    ///   - timeout: How long to wait at most; `nil` means the socket's `receiveTimeout`.
    /// - Returns: What came.
    /// - Throws: As the form for raw memory does, ``IPCError/Code/cancelled`` included.
    public func receive(
        into buffer: inout MutableRawSpan,
        maximumDescriptors: Int = 0,
        timeout: Duration? = nil
    ) async throws(IPCError) -> UnixMessage {
        // The span stays as it is during this call.
        let memory = unsafe buffer.withUnsafeMutableBytes { unsafe $0 }
        return try await unsafe receive(into: memory, maximumDescriptors: maximumDescriptors, timeout: timeout)
    }

    /// Receives up to so many bytes, and what came beside them, suspending the task until one comes.
    ///
    /// - Parameters:
    ///   - count: How many bytes there is room for.
    ///   - maximumDescriptors: How many descriptors to take.
    ///   - timeout: How long to wait at most; `nil` means the socket's `receiveTimeout`.
    /// - Returns: The bytes, and what came beside them.
    /// - Throws: As the form for raw memory does, ``IPCError/Code/cancelled`` included; the bytes are lost when it throws
    ///   ``IPCError/Code/resourcesExhausted``; ``IPCError/Code/invalidArgument`` for a negative count.
    public func receive(
        upTo count: Int,
        maximumDescriptors: Int = 0,
        timeout: Duration? = nil
    ) async throws(IPCError) -> (bytes: [UInt8], message: UnixMessage) {
        try receivingSide.check(count)
        let memory = MessageRoom(count, Self.kind)
        let message = try await unsafe receive(
            into: memory.bytes,
            maximumDescriptors: maximumDescriptors,
            timeout: timeout
        )
        return (memory.first(message.byteCount), message)
    }

    /// Receives bytes into several pieces of memory, filling one before the next, and what came beside them, suspending
    /// the task until one comes.
    ///
    /// - Parameters:
    ///   - buffers: Where the bytes go, which has to stay until the call returns; at most 1024 pieces count.
    ///   - maximumDescriptors: How many descriptors to take.
    ///   - timeout: How long to wait at most; `nil` means the socket's `receiveTimeout`.
    /// - Returns: What came.
    /// - Throws: As the form for raw memory does, ``IPCError/Code/cancelled`` included.
    public func receive(
        scattering buffers: [UnsafeMutableRawBufferPointer],
        maximumDescriptors: Int = 0,
        timeout: Duration? = nil
    ) async throws(IPCError) -> UnixMessage {
        try await unsafe receivingSide.receive(
            into: .several(buffers),
            wishes(maximumDescriptors),
            timeout
        )
    }

    /// Looks at the bytes that come next, which stay, suspending the task until there are any.
    ///
    /// On a stream, bytes that were read ahead are all that is looked at, if there are any.
    ///
    /// The corresponding system call is `recvmsg` (`MSG_PEEK`).
    ///
    /// - Parameters:
    ///   - buffer: Where a copy goes, which has to stay until the call returns.
    ///   - timeout: How long to wait at most; `nil` means the socket's `receiveTimeout`.
    /// - Returns: The number of bytes; 0 also at the end.
    /// - Throws: ``IPCError/Code/timedOut``, ``IPCError/Code/cancelled``, ``IPCError/Code/closed``,
    ///   ``IPCError/Code/connectionReset``, ``IPCError/Code/notConnected``, ``IPCError/Code/resourcesExhausted``.
    public func peek(
        into buffer: UnsafeMutableRawBufferPointer,
        timeout: Duration? = nil
    ) async throws(IPCError) -> Int {
        try await unsafe receivingSide.peek(into: .one(buffer), Self.kind, timeout)
    }

    /// Looks at up to so many bytes that come next, which stay, suspending the task until there are any.
    ///
    /// - Parameters:
    ///   - count: How many.
    ///   - timeout: How long to wait at most; `nil` means the socket's `receiveTimeout`.
    /// - Returns: The bytes; none also at the end.
    /// - Throws: As `peek(into:timeout:)` does; ``IPCError/Code/invalidArgument`` for a negative count.
    public func peek(upTo count: Int, timeout: Duration? = nil) async throws(IPCError) -> [UInt8] {
        try receivingSide.check(count)
        let memory = MessageRoom(count, Self.kind)
        return memory.first(try await unsafe peek(into: memory.bytes, timeout: timeout))
    }

    /// Where the other side is bound, once a deferred connection is made.
    ///
    /// The corresponding system call is `getpeername`.
    ///
    /// - Returns: The address, ``UnixSocketAddress/unnamed`` if it was not bound.
    /// - Throws: ``IPCError/Code/notConnected``, ``IPCError/Code/closed``, ``IPCError/Code/cancelled``.
    public func peerAddress() async throws(IPCError) -> UnixSocketAddress {
        try await receivingSide.finishConnectingBothSides()
        return try descriptorCore.peerAddress()
    }
}
#endif
