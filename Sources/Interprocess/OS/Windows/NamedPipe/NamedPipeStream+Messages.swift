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
    ///   ``IPCError/Code/wouldBlock``, ``IPCError/Code/closed``; ``IPCError/Code/messageTooLarge`` for more than 1 GiB.
    ///   Nothing was sent when it throws, save that a message that was being read when the stream was closed may have come
    ///   in part.
    public func sendMessage(_ message: [UInt8], timeout: Duration? = nil) throws(IPCError) {
        try checkSize(message)
        let core = descriptorCore
        let patience = sendingSide.settings.patience(timeout)
        let lease = try core.lease(.send, for: .write)
        while true {
            let result = patience.isUnlimited ? sendWaiting(message) : sendNow(message)
            if result >= 0 { return }
            if core.isClosed(.send) { throw core.error(.closed, .write) }
            if result != -cip_codes.would_block { throw core.error(result: result, .write) }
            if patience.isNonblocking { throw core.error(.wouldBlock, .write) }
            try core.wait(.send, for: .write, lease, until: patience.deadline)
        }
    }

    /// - Throws: `.messageTooLarge` for what no call takes.
    func checkSize(_ message: [UInt8]) throws(IPCError) {
        if message.count > System.maximumTransfer { throw descriptorCore.error(.messageTooLarge, .write) }
    }

    private func sendWaiting(_ message: [UInt8]) -> Int64 {
        let core = descriptorCore
        let wake = core.wakeOfOpen(.send)
        if wake < 0 { return wake }
        return unsafe send(message) { unsafe cip_handle_write(core.descriptor, $0, $1, wake, -1) }
    }

    /// Sends a copy of a message; "would block" while an earlier one is on its way.
    func sendNow(_ message: [UInt8]) -> Int64 {
        unsafe send(message) { unsafe descriptorCore.outbox.write($0, $1, whole: true) }
    }

    private func send(_ message: [UInt8], _ call: (UnsafeRawPointer, Int) -> Int64) -> Int64 {
        unsafe message.withUnsafeBytes { bytes -> Int64 in
            // An empty array may have no address, and an empty message has one.
            var nothing: UInt8 = 0
            return unsafe withUnsafeBytes(of: &nothing) { none in
                let memory = unsafe bytes.baseAddress ?? none.baseAddress.unsafelyUnwrapped
                return System.call(.send) { unsafe call(memory, bytes.count) }
            }
        }
    }

    /// Receives a message, waiting for one if there is none.
    ///
    /// The corresponding system call is `ReadFile`. Threads and tasks that receive messages at the same time take turns.
    ///
    /// - Parameters:
    ///   - limit: The longest message to accept, in bytes; 1 MiB unless told otherwise.
    ///   - timeout: How long to wait at most; `nil` means ``ByteReceiver/receiveTimeout``.
    /// - Returns: The message, which may be empty; `nil` at the end of the stream.
    /// - Throws: ``IPCError/Code/messageTooLarge`` for a longer one, which is thrown away, and whose length is
    ///   ``IPCError/bytesTransferred``; ``IPCError/Code/invalidArgument`` when this end reads bytes;
    ///   ``IPCError/Code/timedOut``, ``IPCError/Code/wouldBlock``, ``IPCError/Code/closed``.
    public func receiveMessage(limit: Int = 1 << 20, timeout: Duration? = nil) throws(IPCError) -> [UInt8]? {
        try checkReadsMessages(limit)
        let (side, core) = (receivingSide, descriptorCore)
        let patience = side.settings.patience(timeout)
        let lease = try core.lease(.receive, for: .read)
        while !side.turn.tryTake() { try side.turn.wait(core, patience) }
        defer { side.turn.give(core) }
        var message = IncomingMessage(limit: limit)
        while true {
            let result = message.receive(core)
            if result != -cip_codes.would_block { return try message.whole(result, core) }
            if core.isClosed(.receive) { throw core.error(.closed, .read) }
            let isOver = patience.isNonblocking || patience.deadline.hasPassed
            if isOver && core.mailbox.withdraw() == nil {
                throw core.error(patience.isNonblocking ? .wouldBlock : .timedOut, .read)
            }
            if isOver { continue }
            do throws(IPCError) { try core.wait(.receive, for: .read, lease, until: patience.deadline) } catch {
                if error.code != .timedOut { throw error }
            }
        }
    }

    func checkReadsMessages(_ limit: Int) throws(IPCError) {
        try receivingSide.check(limit)
        if readsMessages { return }
        throw descriptorCore.error(
            .invalidArgument,
            .read,
            detail: "this end reads bytes: set `receiveMode` to `.messages`"
        )
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
        let kept = readsMessages ? core.mailbox.withdraw() : nil
        var (available, left) = (0, 0)
        let result = System.call(.receive) {
            unsafe cip_named_pipe_peek(core.descriptor, nil, 0, &available, &left)
        }
        if let kept { return (kept.count + available, kept.count + (kept.isWhole ? 0 : left)) }
        if result < 0 { throw core.error(result: result, .read) }
        return (available, left)
    }
}
#endif
