// SPDX-License-Identifier: MIT OR Apache-2.0

/// Something that bytes can be received from: a stream, its receiving half, the receiving end of a pipe or FIFO.
///
/// The forms of reading are written here once for all of them. They share one read-ahead buffer, which
/// `readLine(limit:timeout:)` fills with more than it returns: whatever form comes next gets those bytes first, so
/// that forms can be mixed freely.
///
/// Any thread may call any of them at any time. Several that read lines take turns, and each gets whole lines; several
/// that call `read` get what the kernel gives them. Do not let one thread wait in `read` while another one calls a form
/// that may put bytes back, such as `readExactly(_:timeout:)` with a time limit: it is not told of them.
///
/// Each waits until bytes come, the stream ends, the time is over, or the
/// object is closed; each blocks the thread while it waits, and so should not be called where a thread must not block,
/// such as in an asynchronous function.
public protocol ByteReceiver: AnyObject, Sendable {
    /// The receiving direction, which has no public members.
    var receivingSide: ReceivingSide { get }
}

extension ByteReceiver {
    /// How long reads wait at most, unless a call says otherwise; `nil`, as it is at first, is without limit.
    ///
    /// A limit of zero lets a read take what is there, and else throws ``IPCError/Code/timedOut`` at once.
    public var receiveTimeout: Duration? {
        get { receivingSide.settings.timeout }
        set { receivingSide.settings.timeout = newValue }
    }

    /// How long a read tries again and again before it goes to sleep; zero, as it is at first, is not at all.
    ///
    /// A thread that sleeps takes longer to be woken than many an answer takes to come, above all on virtual machines.
    /// Where requests are answered within some tens of microseconds, by a process or thread on another processor, 30
    /// microseconds on both sides made round trips several times as fast.
    ///
    /// What it costs is a busy processor for that long at most in each read that waits. It is spent only where that has
    /// recently paid: while nothing comes in time, fewer and fewer reads try, down to one in four thousand. None does
    /// where the process may run on one processor only, as of when that is first needed, nor in nonblocking mode.
    /// Closing ends the trying at once, and time limits hold as ever.
    ///
    /// It goes for every form of reading, and not for writing. The corresponding system calls are those of
    /// `read(into:timeout:)`, told not to wait, in place of `poll`.
    public var spinTime: Duration {
        get { receivingSide.spin.time }
        set { receivingSide.spin.time = newValue }
    }

    /// Receives bytes into memory that the caller owns.
    ///
    /// The corresponding system call is `recv` (sockets), or `preadv2` or `read` (pipes).
    ///
    /// - Parameters:
    ///   - buffer: Where the bytes go. With room for none, the call returns 0 at once.
    ///   - timeout: How long to wait at most; `nil` means ``receiveTimeout``.
    /// - Returns: The number of bytes received, which may be fewer than there is room for; 0 at the end of the stream.
    /// - Throws: ``IPCError/Code/timedOut``, ``IPCError/Code/wouldBlock`` (in nonblocking mode),
    ///   ``IPCError/Code/closed``, ``IPCError/Code/connectionReset``, ``IPCError/Code/resourcesExhausted`` (to wait may
    ///   take a descriptor). No byte is lost when it throws.
    @inlinable
    public func read(
        into buffer: UnsafeMutableRawBufferPointer,
        timeout: Duration? = nil
    ) throws(IPCError) -> Int {
        try unsafe receivingSide.read(into: buffer, timeout: timeout)
    }

    /// Receives bytes into a span, from its start.
    ///
    /// - Parameters:
    ///   - buffer: Where the bytes go. With room for none, the call returns 0 at once.
    ///   - timeout: How long to wait at most; `nil` means ``receiveTimeout``.
    /// - Returns: The number of bytes received; 0 at the end of the stream.
    /// - Throws: As `read(into:timeout:)` does.
    @inlinable
    public func read(into buffer: inout MutableRawSpan, timeout: Duration? = nil) throws(IPCError) -> Int {
        try unsafe buffer.withUnsafeMutableBytes { (memory) throws(IPCError) -> Int in
            try unsafe read(into: memory, timeout: timeout)
        }
    }

    /// Receives bytes behind those that an output span holds already.
    ///
    /// - Parameters:
    ///   - buffer: Where the bytes go. With room for none, the call returns 0 at once.
    ///   - timeout: How long to wait at most; `nil` means ``receiveTimeout``.
    /// - Returns: The number of bytes received; 0 at the end of the stream.
    /// - Throws: As `read(into:timeout:)` does.
    @inlinable
    public func read(into buffer: inout OutputRawSpan, timeout: Duration? = nil) throws(IPCError) -> Int {
        try unsafe buffer.withUnsafeMutableBytes { (memory, count) throws(IPCError) -> Int in
            let free = unsafe UnsafeMutableRawBufferPointer(rebasing: memory[count...])
            let received = try unsafe read(into: free, timeout: timeout)
            count += received
            return received
        }
    }

    /// Receives bytes behind those that an output span, such as an array gives out, holds already.
    ///
    /// - Parameters:
    ///   - buffer: Where the bytes go. With room for none, the call returns 0 at once.
    ///   - timeout: How long to wait at most; `nil` means ``receiveTimeout``.
    /// - Returns: The number of bytes received; 0 at the end of the stream.
    /// - Throws: As `read(into:timeout:)` does.
    @inlinable
    public func read(into buffer: inout OutputSpan<UInt8>, timeout: Duration? = nil) throws(IPCError) -> Int {
        try unsafe buffer.withUnsafeMutableBufferPointer { (memory, count) throws(IPCError) -> Int in
            let free = unsafe UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(memory)[count...])
            let received = try unsafe read(into: free, timeout: timeout)
            count += received
            return received
        }
    }

    /// Receives up to a number of bytes, as soon as there are any.
    ///
    /// - Parameters:
    ///   - count: The most to receive. Zero returns at once.
    ///   - timeout: How long to wait at most; `nil` means ``receiveTimeout``.
    /// - Returns: The bytes; none at the end of the stream.
    /// - Throws: As `read(into:timeout:)` does; ``IPCError/Code/invalidArgument``
    ///   for a negative count.
    public func read(upTo count: Int, timeout: Duration? = nil) throws(IPCError) -> [UInt8] {
        let side = receivingSide
        try side.check(count)
        // A caller's "as much as there is" should not allocate as much as can be imagined.
        return try [UInt8](capacity: min(count, ReceivingSide.step)) { (buffer) throws(IPCError) in
            _ = try read(into: &buffer, timeout: timeout)
        }
    }

    /// Receives exactly a number of bytes.
    ///
    /// When it throws, the bytes that had come are not lost: the next read returns them.
    ///
    /// - Parameters:
    ///   - count: How many. Memory is taken as they come, so that a hostile number costs nothing.
    ///   - timeout: How long the whole call may wait; `nil` means ``receiveTimeout``.
    /// - Returns: That many bytes.
    /// - Throws: ``IPCError/Code/endOfStream`` when the stream ends before; else as
    ///   `read(into:timeout:)` does; ``IPCError/Code/invalidArgument`` for a
    ///   negative count.
    public func readExactly(_ count: Int, timeout: Duration? = nil) throws(IPCError) -> [UInt8] {
        let side = receivingSide
        try side.check(count)
        var bytes: [UInt8] = []
        let isComplete = try side.collect(into: &bytes, atMost: count, side.settings.patience(timeout))
        if isComplete { return bytes }
        throw side.prematureEnd(returning: bytes)
    }

    /// Receives exactly as many bytes as a span has room for.
    ///
    /// When it throws, the bytes that had come are not lost: the next read returns them.
    ///
    /// - Parameters:
    ///   - buffer: What to fill.
    ///   - timeout: How long the whole call may wait; `nil` means ``receiveTimeout``.
    /// - Throws: ``IPCError/Code/endOfStream`` when the stream ends before; else as
    ///   `read(into:timeout:)` does.
    @inlinable
    public func readExactly(into buffer: inout MutableRawSpan, timeout: Duration? = nil) throws(IPCError) {
        try receivingSide.readExactly(into: &buffer, timeout: timeout)
    }

    /// Receives everything up to the end of the stream.
    ///
    /// When it throws, the bytes that had come are not lost: the next read returns them.
    ///
    /// - Parameters:
    ///   - limit: The most bytes to accept; 64 MiB unless told otherwise.
    ///   - timeout: How long the whole call may wait; `nil` means ``receiveTimeout``.
    /// - Returns: The bytes.
    /// - Throws: ``IPCError/Code/messageTooLarge`` when more than `limit` bytes come; else as
    ///   `read(into:timeout:)` does.
    public func readToEnd(limit: Int = 64 << 20, timeout: Duration? = nil) throws(IPCError) -> [UInt8] {
        let side = receivingSide
        try side.check(limit)
        var bytes: [UInt8] = []
        let most = limit == .max ? limit : limit + 1
        _ = try side.collect(into: &bytes, atMost: most, side.settings.patience(timeout))
        if bytes.count <= limit { return bytes }
        throw side.putBack(bytes, side.core.error(.messageTooLarge, .read))
    }

    /// Receives a line of text.
    ///
    /// A line ends with a line feed; a carriage return before it is taken as part of the ending. Neither is returned.
    /// Bytes that are not UTF-8 are replaced (U+FFFD). The last line may lack its ending.
    ///
    /// When it throws, nothing is lost: the next read goes on where this one stopped.
    ///
    /// - Parameters:
    ///   - limit: The longest line to accept, in bytes without its line feed; 1 MiB unless told otherwise.
    ///   - timeout: How long the whole call may wait; `nil` means ``receiveTimeout``.
    /// - Returns: The line, or `nil` at the end of the stream.
    /// - Throws: ``IPCError/Code/messageTooLarge`` when the line is longer than `limit`; else as
    ///   `read(into:timeout:)` does; ``IPCError/Code/invalidArgument`` for a
    ///   negative limit.
    public func readLine(limit: Int = 1 << 20, timeout: Duration? = nil) throws(IPCError) -> String? {
        let side = receivingSide
        try side.check(limit)
        return try side.readLine(limit: limit, side.settings.patience(timeout)).map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    /// How many bytes have been received and wait in the read-ahead buffer.
    public var bufferedByteCount: Int { receivingSide.bufferedByteCount }

    /// Takes the bytes out of the read-ahead buffer, without receiving more.
    ///
    /// - Returns: The bytes that were received and that no read has returned yet.
    public func takeBuffered() -> [UInt8] { receivingSide.readAhead.takeAll() }
}
