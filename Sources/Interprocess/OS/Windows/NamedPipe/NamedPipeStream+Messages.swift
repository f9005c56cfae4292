// SPDX-License-Identifier: MIT OR Apache-2.0

#if os(Windows)
internal import CInterprocess

// Messages, where the pipe keeps them. Each is sent whole or not at all, and received whole or given up.
extension NamedPipeStream {
    /// Sends a message, waiting until there is room for it.
    ///
    /// The corresponding system call is `WriteFile`. With a time limit, or in nonblocking mode, the message is copied, and
    /// on its way when the call returns.
    ///
    /// - Parameters:
    ///   - message: The message, which may be empty.
    ///   - timeout: How long to wait at most; `nil` means ``ByteSender/sendTimeout``.
    /// - Throws: ``IPCError/Code/brokenPipe`` when the peer is gone, ``IPCError/Code/timedOut``,
    ///   ``IPCError/Code/wouldBlock``, ``IPCError/Code/closed``. Nothing was sent when it throws, save that a message that
    ///   was being read when the stream was closed may have come in part.
    public func sendMessage(_ message: [UInt8], timeout: Duration? = nil) throws(IPCError) {
        let core = descriptorCore
        let patience = sendingSide.settings.patience(timeout)
        let lease = try core.lease(.send, for: .write)
        while true {
            let result = unsafe message.withUnsafeBytes { bytes -> Int64 in
                // An empty array may have no address, and an empty message has one.
                var nothing: UInt8 = 0
                return unsafe withUnsafeBytes(of: &nothing) { none in
                    let memory = unsafe bytes.baseAddress ?? none.baseAddress.unsafelyUnwrapped
                    return unsafe send(memory, bytes.count, patience)
                }
            }
            if result >= 0 { return }
            if core.isClosed(.send) { throw core.error(.closed, .write) }
            if result != -cip_codes.would_block { throw core.error(result: result, .write) }
            if patience.isNonblocking { throw core.error(.wouldBlock, .write) }
            try core.wait(.send, for: .write, lease, until: patience.deadline)
        }
    }

    private func send(_ memory: UnsafeRawPointer, _ count: Int, _ patience: Patience) -> Int64 {
        let core = descriptorCore
        if !patience.isUnlimited {
            return System.call(.send) { unsafe core.outbox.write(memory, count, whole: true) }
        }
        let wake = core.wakeOfOpen(.send)
        if wake < 0 { return wake }
        return System.call(.send) { unsafe cip_handle_write(core.descriptor, memory, count, wake, -1) }
    }

    /// Receives a message, waiting for one if there is none.
    ///
    /// The corresponding system call is `ReadFile`. Threads that receive messages at the same time take turns.
    ///
    /// - Parameters:
    ///   - limit: The longest message to accept, in bytes; 1 MiB unless told otherwise.
    ///   - timeout: How long to wait at most; `nil` means ``ByteReceiver/receiveTimeout``.
    /// - Returns: The message, which may be empty; `nil` at the end of the stream.
    /// - Throws: ``IPCError/Code/messageTooLarge`` for a longer one, which is thrown away, and whose length is
    ///   ``IPCError/bytesTransferred``; ``IPCError/Code/timedOut``, ``IPCError/Code/wouldBlock``,
    ///   ``IPCError/Code/closed``.
    public func receiveMessage(limit: Int = 1 << 20, timeout: Duration? = nil) throws(IPCError) -> [UInt8]? {
        let side = receivingSide
        let core = descriptorCore
        try side.check(limit)
        let patience = side.settings.patience(timeout)
        let lease = try core.lease(.receive, for: .read)
        while !side.turn.tryTake() { try side.turn.wait(core, patience) }
        defer {
            side.turn.give(core)
            withExtendedLifetime(lease) {}
        }
        var message: [UInt8] = []
        var length = 0
        while true {
            var result: Int64 = 0
            var received = 0
            // One byte beyond the limit tells that the message is too long.
            let room = min(limit, Int.max - 1) + 1 - length
            if room > 0 {
                _ = unsafe message.append(atMost: min(room, max(4096, length))) { memory, count in
                    result = unsafe receive(memory, count, isFirst: length == 0, patience, &received)
                    return Int64(received)
                }
            } else {
                // The rest of it goes nowhere.
                unsafe withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 16) { memory in
                    let base = unsafe memory.baseAddress.unsafelyUnwrapped
                    result = unsafe receive(base, memory.count, isFirst: false, patience, &received)
                }
            }
            length += received
            if result == -PipeCode.moreData { continue }
            if result < 0 {
                if PipeCode.isEndOfStream(result) { return nil }
                if core.isClosed(.receive) { throw core.error(.closed, .read) }
                if result != -cip_codes.would_block { throw core.error(result: result, .read) }
                throw core.error(patience.isNonblocking ? .wouldBlock : .timedOut, .read)
            }
            if length <= limit { return message }
            throw core.error(.messageTooLarge, .read).adding(bytesTransferred: length)
        }
    }

    /// Receives a part of a message; only the first is waited for.
    private func receive(
        _ memory: UnsafeMutableRawPointer,
        _ count: Int,
        isFirst: Bool,
        _ patience: Patience,
        _ received: inout Int
    ) -> Int64 {
        let core = descriptorCore
        let wake = core.wakeOfOpen(.receive)
        if wake < 0 { return wake }
        let limit = !isFirst ? -1 : patience.isNonblocking ? 0 : patience.deadline.remaining
        return System.call(.receive) {
            unsafe cip_handle_read(core.descriptor, memory, count, isFirst ? wake : -1, limit, &received)
        }
    }

    /// Looks at what has come without taking it.
    ///
    /// The corresponding system call is `PeekNamedPipe`, which never waits.
    ///
    /// - Returns: How many bytes there are in all, and how many in the next message.
    /// - Throws: ``IPCError/Code/brokenPipe`` when the peer is gone and nothing is left, ``IPCError/Code/closed``.
    public func peek() throws(IPCError) -> (available: Int, nextMessage: Int) {
        let core = descriptorCore
        let lease = try core.lease(.receive, for: .read)
        defer { withExtendedLifetime(lease) {} }
        var (available, left) = (0, 0)
        let result = System.call(.receive) {
            unsafe cip_named_pipe_peek(core.descriptor, nil, 0, &available, &left)
        }
        if result < 0 { throw core.error(result: result, .read) }
        return (available, left)
    }
}
#endif
