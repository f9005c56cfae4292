// SPDX-License-Identifier: MIT OR Apache-2.0

/// Something that bytes can be sent to: a stream, its sending half, the sending end of a pipe or FIFO.
///
/// The forms of writing are written here once for all of them. Any thread may call any of them at any time; the bytes
/// of two calls at once may be mixed. Each waits until the bytes fit the kernel's buffer, the time is over, or the
/// object is closed; each blocks the thread while it waits, and so should not be called where a thread must not block,
/// such as in an asynchronous function. SIGPIPE is never raised.
public protocol ByteSender: AnyObject, Sendable {
    /// The sending direction, which has no public members.
    var sendingSide: SendingSide { get }
}

extension ByteSender {
    /// How long writes wait at most, unless a call says otherwise; `nil`, as it is at first, is without limit.
    ///
    /// A limit of zero lets a write send what fits, and else throws ``IPCError/Code/timedOut`` at once.
    public var sendTimeout: Duration? {
        get { sendingSide.settings.timeout }
        set { sendingSide.settings.timeout = newValue }
    }

    /// Sends bytes, some or all.
    ///
    /// The corresponding system call is `send` (sockets) or `pwritev2` (pipes).
    ///
    /// - Parameters:
    ///   - bytes: What to send.
    ///   - timeout: How long to wait at most; `nil` means ``sendTimeout``.
    /// - Returns: The number of bytes sent: at least one, unless there are none.
    /// - Throws: ``IPCError/Code/brokenPipe`` when the other side is gone, ``IPCError/Code/timedOut``,
    ///   ``IPCError/Code/wouldBlock`` (in nonblocking mode), ``IPCError/Code/closed``,
    ///   ``IPCError/Code/resourcesExhausted`` (to wait may take a descriptor). Nothing was sent when it throws.
    @inlinable
    public func write(_ bytes: UnsafeRawBufferPointer, timeout: Duration? = nil) throws(IPCError) -> Int {
        try unsafe sendingSide.write(bytes, timeout: timeout)
    }

    /// Sends bytes, some or all.
    ///
    /// - Parameters:
    ///   - bytes: What to send.
    ///   - timeout: How long to wait at most; `nil` means ``sendTimeout``.
    /// - Returns: The number of bytes sent: at least one, unless there are none.
    /// - Throws: As `write(_:timeout:)` does.
    @inlinable
    public func write(_ bytes: RawSpan, timeout: Duration? = nil) throws(IPCError) -> Int {
        try unsafe bytes.withUnsafeBytes { (memory) throws(IPCError) -> Int in
            try unsafe write(memory, timeout: timeout)
        }
    }

    /// Sends bytes, some or all.
    ///
    /// - Parameters:
    ///   - bytes: What to send.
    ///   - timeout: How long to wait at most; `nil` means ``sendTimeout``.
    /// - Returns: The number of bytes sent: at least one, unless there are none.
    /// - Throws: As `write(_:timeout:)` does.
    @inlinable
    public func write(_ bytes: [UInt8], timeout: Duration? = nil) throws(IPCError) -> Int {
        try unsafe bytes.withUnsafeBufferPointer { (memory) throws(IPCError) -> Int in
            try unsafe write(UnsafeRawBufferPointer(memory), timeout: timeout)
        }
    }

    /// Sends all of the bytes.
    ///
    /// - Parameters:
    ///   - bytes: What to send.
    ///   - timeout: How long the whole call may wait; `nil` means ``sendTimeout``.
    /// - Throws: As `write(_:timeout:)` does; ``IPCError/bytesTransferred`` tells how many
    ///   bytes, from the first, had been sent.
    @inlinable
    public func writeAll(_ bytes: UnsafeRawBufferPointer, timeout: Duration? = nil) throws(IPCError) {
        try unsafe sendingSide.writeAll(bytes, timeout: timeout)
    }

    /// Sends all of the bytes.
    ///
    /// - Parameters:
    ///   - bytes: What to send.
    ///   - timeout: How long the whole call may wait; `nil` means ``sendTimeout``.
    /// - Throws: As `writeAll(_:timeout:)` does.
    @inlinable
    public func writeAll(_ bytes: RawSpan, timeout: Duration? = nil) throws(IPCError) {
        try unsafe bytes.withUnsafeBytes { (memory) throws(IPCError) in
            try unsafe writeAll(memory, timeout: timeout)
        }
    }

    /// Sends all of the bytes.
    ///
    /// - Parameters:
    ///   - bytes: What to send.
    ///   - timeout: How long the whole call may wait; `nil` means ``sendTimeout``.
    /// - Throws: As `writeAll(_:timeout:)` does.
    @inlinable
    public func writeAll(_ bytes: [UInt8], timeout: Duration? = nil) throws(IPCError) {
        try unsafe bytes.withUnsafeBufferPointer { (memory) throws(IPCError) in
            try unsafe writeAll(UnsafeRawBufferPointer(memory), timeout: timeout)
        }
    }

    /// Sends all of a text, as UTF-8.
    ///
    /// - Parameters:
    ///   - text: What to send.
    ///   - timeout: How long the whole call may wait; `nil` means ``sendTimeout``.
    /// - Throws: As `writeAll(_:timeout:)` does.
    public func writeAll(_ text: String, timeout: Duration? = nil) throws(IPCError) {
        var text = text
        let outcome = text.withUTF8 { (memory) -> Result<Void, IPCError> in
            do throws(IPCError) {
                return .success(try unsafe writeAll(UnsafeRawBufferPointer(memory), timeout: timeout))
            } catch {
                return .failure(error)
            }
        }
        try outcome.get()
    }

    /// Does nothing, for what was written is in the kernel's hands already.
    ///
    /// It is here so that code written for buffered streams works.
    public func flush() {}
}
