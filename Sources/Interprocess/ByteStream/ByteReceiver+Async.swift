// SPDX-License-Identifier: MIT OR Apache-2.0

// The awaited forms of reading. Each suspends its task where the blocking form of the same name blocks its thread, and
// does the same otherwise. They suspend in nonblocking mode too, which is about the blocking forms.
//
// Cancelling the task ends each of them at once with `.cancelled`; no byte is lost, and the object stays usable.

extension ByteReceiver {
    /// Receives bytes into memory that the caller owns, suspending the task until there are any.
    ///
    /// The corresponding system call is `recv` (sockets) or `preadv2` (pipes).
    ///
    /// - Parameters:
    ///   - buffer: Where the bytes go; it has to stay until the call returns. With room for none, the call returns 0 at
    ///     once.
    ///   - timeout: How long to wait at most; `nil` means ``receiveTimeout``.
    /// - Returns: The number of bytes received, which may be fewer than there is room for; 0 at the end of the stream.
    /// - Throws: ``IPCError/Code/cancelled`` when the task is cancelled, ``IPCError/Code/timedOut``,
    ///   ``IPCError/Code/closed``, ``IPCError/Code/connectionReset``, ``IPCError/Code/resourcesExhausted`` (to wait
    ///   takes memory and, the first time, descriptors). No byte is lost when it throws.
    @inlinable
    public func read(
        into buffer: UnsafeMutableRawBufferPointer,
        timeout: Duration? = nil
    ) async throws(IPCError) -> Int {
        try unsafe await receivingSide.read(into: buffer, timeout: timeout)
    }

    /// Receives bytes into a span, from its start, suspending the task until there are any.
    ///
    /// - Parameters:
    ///   - buffer: Where the bytes go. With room for none, the call returns 0 at once.
    ///   - timeout: How long to wait at most; `nil` means ``receiveTimeout``.
    /// - Returns: The number of bytes received; 0 at the end of the stream.
    /// - Throws: As `read(into:timeout:)` does, and
    ///   ``IPCError/Code/cancelled``.
    @inlinable
    public func read(into buffer: inout MutableRawSpan, timeout: Duration? = nil) async throws(IPCError) -> Int {
        // The span stays as it is during this call.
        let memory = unsafe buffer.withUnsafeMutableBytes { unsafe $0 }
        return try unsafe await receivingSide.read(into: memory, timeout: timeout)
    }

    /// Receives bytes behind those that an output span holds already, suspending the task until there are any.
    ///
    /// - Parameters:
    ///   - buffer: Where the bytes go. With room for none, the call returns 0 at once.
    ///   - timeout: How long to wait at most; `nil` means ``receiveTimeout``.
    /// - Returns: The number of bytes received; 0 at the end of the stream.
    /// - Throws: As `read(into:timeout:)` does, and
    ///   ``IPCError/Code/cancelled``.
    @inlinable
    public func read(into buffer: inout OutputRawSpan, timeout: Duration? = nil) async throws(IPCError) -> Int {
        let free = unsafe buffer.withUnsafeMutableBytes { (memory, count) in
            unsafe UnsafeMutableRawBufferPointer(rebasing: memory[count...])
        }
        let received = try unsafe await receivingSide.read(into: free, timeout: timeout)
        unsafe buffer.withUnsafeMutableBytes { (_, count) in count += received }
        return received
    }

    /// Receives bytes behind those that an output span, such as an array gives out, holds already, suspending the task
    /// until there are any.
    ///
    /// - Parameters:
    ///   - buffer: Where the bytes go. With room for none, the call returns 0 at once.
    ///   - timeout: How long to wait at most; `nil` means ``receiveTimeout``.
    /// - Returns: The number of bytes received; 0 at the end of the stream.
    /// - Throws: As `read(into:timeout:)` does, and
    ///   ``IPCError/Code/cancelled``.
    @inlinable
    public func read(into buffer: inout OutputSpan<UInt8>, timeout: Duration? = nil) async throws(IPCError) -> Int {
        let free = unsafe buffer.withUnsafeMutableBufferPointer { (memory, count) in
            unsafe UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(memory)[count...])
        }
        let received = try unsafe await receivingSide.read(into: free, timeout: timeout)
        unsafe buffer.withUnsafeMutableBufferPointer { (_, count) in count += received }
        return received
    }

    /// Receives up to a number of bytes, suspending the task until there are any.
    ///
    /// - Parameters:
    ///   - count: The most to receive. Zero returns at once.
    ///   - timeout: How long to wait at most; `nil` means ``receiveTimeout``.
    /// - Returns: The bytes; none at the end of the stream.
    /// - Throws: As `read(into:timeout:)` does, and
    ///   ``IPCError/Code/cancelled``; ``IPCError/Code/invalidArgument`` for a negative count.
    public func read(upTo count: Int, timeout: Duration? = nil) async throws(IPCError) -> [UInt8] {
        let side = receivingSide
        try side.check(count)
        return try await side.read(upTo: count, until: side.settings.deadline(timeout))
    }

    /// Receives exactly a number of bytes, suspending the task until they have come.
    ///
    /// When it throws, the bytes that had come are not lost: the next read returns them.
    ///
    /// - Parameters:
    ///   - count: How many. Memory is taken as they come, so that a hostile number costs nothing.
    ///   - timeout: How long the whole call may wait; `nil` means ``receiveTimeout``.
    /// - Returns: That many bytes.
    /// - Throws: ``IPCError/Code/endOfStream`` when the stream ends before; ``IPCError/Code/cancelled``; else as
    ///   `read(into:timeout:)` does; ``IPCError/Code/invalidArgument`` for a
    ///   negative count.
    public func readExactly(_ count: Int, timeout: Duration? = nil) async throws(IPCError) -> [UInt8] {
        let side = receivingSide
        try side.check(count)
        var bytes: [UInt8] = []
        let isComplete = try await side.collect(into: &bytes, atMost: count, until: side.settings.deadline(timeout))
        if isComplete { return bytes }
        throw side.prematureEnd(returning: bytes)
    }

    /// Receives exactly as many bytes as a span has room for, suspending the task until they have come.
    ///
    /// When it throws, the bytes that had come are not lost: the next read returns them.
    ///
    /// - Parameters:
    ///   - buffer: What to fill.
    ///   - timeout: How long the whole call may wait; `nil` means ``receiveTimeout``.
    /// - Throws: ``IPCError/Code/endOfStream`` when the stream ends before; ``IPCError/Code/cancelled``; else as
    ///   `read(into:timeout:)` does.
    @inlinable
    public func readExactly(into buffer: inout MutableRawSpan, timeout: Duration? = nil) async throws(IPCError) {
        let memory = unsafe buffer.withUnsafeMutableBytes { unsafe $0 }
        try unsafe await receivingSide.fill(memory, timeout: timeout)
    }

    /// Receives everything up to the end of the stream, suspending the task until it has come.
    ///
    /// When it throws, the bytes that had come are not lost: the next read returns them.
    ///
    /// - Parameters:
    ///   - limit: The most bytes to accept; 64 MiB unless told otherwise.
    ///   - timeout: How long the whole call may wait; `nil` means ``receiveTimeout``.
    /// - Returns: The bytes.
    /// - Throws: ``IPCError/Code/messageTooLarge`` when more than `limit` bytes come; ``IPCError/Code/cancelled``; else
    ///   as `read(into:timeout:)` does.
    public func readToEnd(limit: Int = 64 << 20, timeout: Duration? = nil) async throws(IPCError) -> [UInt8] {
        let side = receivingSide
        try side.check(limit)
        var bytes: [UInt8] = []
        let most = limit == .max ? limit : limit + 1
        _ = try await side.collect(into: &bytes, atMost: most, until: side.settings.deadline(timeout))
        if bytes.count <= limit { return bytes }
        throw side.putBack(bytes, side.core.error(.messageTooLarge, .read))
    }

    /// Receives a line of text, suspending the task until it has come.
    ///
    /// A line ends as for the blocking form. When the call throws, nothing is lost: the next read goes on where this
    /// one stopped.
    ///
    /// - Parameters:
    ///   - limit: The longest line to accept, in bytes without its line feed; 1 MiB unless told otherwise.
    ///   - timeout: How long the whole call may wait; `nil` means ``receiveTimeout``.
    /// - Returns: The line, or `nil` at the end of the stream.
    /// - Throws: ``IPCError/Code/messageTooLarge`` when the line is longer than `limit`; ``IPCError/Code/cancelled``;
    ///   else as `read(into:timeout:)` does; ``IPCError/Code/invalidArgument`` for
    ///   a negative limit.
    public func readLine(limit: Int = 1 << 20, timeout: Duration? = nil) async throws(IPCError) -> String? {
        let side = receivingSide
        try side.check(limit)
        return try await side.readLine(limit: limit, until: side.settings.deadline(timeout)).map {
            String(decoding: $0, as: UTF8.self)
        }
    }
}
