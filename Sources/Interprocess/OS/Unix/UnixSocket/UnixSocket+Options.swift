// SPDX-License-Identifier: MIT OR Apache-2.0

#if !os(Windows)
internal import CInterprocess

extension UnixSocket {
    /// How many bytes the kernel keeps of what was sent and not yet received, with what it needs to keep track of them.
    ///
    /// The corresponding system call is `getsockopt` (`SO_SNDBUF`). Linux tells twice what was set, and counts its own
    /// records: some hundred bytes a message, which also bound how many small messages fit.
    ///
    /// - Returns: The size in bytes, as the system tells it.
    /// - Throws: ``IPCError/Code/closed``.
    public func sendBufferSize() throws(IPCError) -> Int { try descriptorCore.option(CIP_OPTION_SEND_BUFFER) }

    /// Sets how many bytes the kernel keeps of what was sent and not yet received.
    ///
    /// The corresponding system call is `setsockopt` (`SO_SNDBUF`).
    ///
    /// - Parameter size: The size in bytes. Linux takes no less than some thousand and no more than
    ///   `net.core.wmem_max`, and doubles it.
    /// - Throws: ``IPCError/Code/resourcesExhausted`` where the system refuses what is too much,
    ///   ``IPCError/Code/closed``.
    public func setSendBufferSize(_ size: Int) throws(IPCError) {
        try descriptorCore.setOption(CIP_OPTION_SEND_BUFFER, Int64(size))
    }

    /// How many bytes the kernel keeps for this side to receive, on systems where that counts.
    ///
    /// The corresponding system call is `getsockopt` (`SO_RCVBUF`). On Linux only the sender's
    /// `setSendBufferSize(_:)` counts.
    ///
    /// - Returns: The size in bytes, as the system tells it.
    /// - Throws: ``IPCError/Code/closed``.
    public func receiveBufferSize() throws(IPCError) -> Int { try descriptorCore.option(CIP_OPTION_RECEIVE_BUFFER) }

    /// Sets how many bytes the kernel keeps for this side to receive, on systems where that counts.
    ///
    /// The corresponding system call is `setsockopt` (`SO_RCVBUF`). Linux doubles it, and does not heed it for Unix
    /// domain sockets.
    ///
    /// - Parameter size: The size in bytes.
    /// - Throws: ``IPCError/Code/resourcesExhausted`` where the system refuses what is too much,
    ///   ``IPCError/Code/closed``.
    public func setReceiveBufferSize(_ size: Int) throws(IPCError) {
        try descriptorCore.setOption(CIP_OPTION_RECEIVE_BUFFER, Int64(size))
    }

    #if os(Linux) || os(Android)
    /// Whether messages come with their senders' credentials: ``UnixMessage/credentials``.
    ///
    /// The corresponding system call is `getsockopt` (`SO_PASSCRED`).
    ///
    /// - Returns: Whether they do.
    /// - Throws: ``IPCError/Code/closed``.
    public func receivesCredentials() throws(IPCError) -> Bool {
        try descriptorCore.option(CIP_OPTION_CREDENTIALS) != 0
    }

    /// Sets whether messages come with their senders' credentials, also those that were sent before.
    ///
    /// A stream does not mix bytes of different senders in one call then. What was sent when no side had asked for them
    /// may come without. A socket that is not bound gets an address of the system's choice when it connects or sends.
    ///
    /// The corresponding system call is `setsockopt` (`SO_PASSCRED`).
    ///
    /// - Parameter receives: Whether they do.
    /// - Throws: ``IPCError/Code/closed``.
    public func setReceivesCredentials(_ receives: Bool) throws(IPCError) {
        try descriptorCore.setOption(CIP_OPTION_CREDENTIALS, receives ? 1 : 0)
    }

    /// Sets whether messages come with a descriptor for the process that has sent them: ``UnixMessage/process``.
    ///
    /// The corresponding system call is `setsockopt` (`SO_PASSPIDFD`, Linux 6.5).
    ///
    /// - Parameter receives: Whether they do.
    /// - Throws: ``IPCError/Code/unsupported`` on older systems, ``IPCError/Code/closed``.
    public func setReceivesProcesses(_ receives: Bool) throws(IPCError) {
        try descriptorCore.setOption(CIP_OPTION_PROCESS, receives ? 1 : 0)
    }

    /// Where peeking begins; `nil` is at what comes next, again and again.
    ///
    /// The corresponding system call is `getsockopt` (`SO_PEEK_OFF`).
    ///
    /// - Returns: How many bytes beyond what comes next.
    /// - Throws: ``IPCError/Code/closed``.
    public func peekOffset() throws(IPCError) -> Int? {
        let offset = try descriptorCore.option(CIP_OPTION_PEEK_OFFSET)
        return offset < 0 ? nil : offset
    }

    /// Sets where peeking begins.
    ///
    /// Each peek moves it on by what it returns, and each receive moves it back by that. It counts what is in the
    /// kernel: bytes that were read ahead are peeked at first, and do not move it.
    ///
    /// The corresponding system call is `setsockopt` (`SO_PEEK_OFF`).
    ///
    /// - Parameter offset: How many bytes beyond what comes next; `nil` lets it stay there.
    /// - Throws: ``IPCError/Code/closed``.
    public func setPeekOffset(_ offset: Int?) throws(IPCError) {
        try descriptorCore.setOption(CIP_OPTION_PEEK_OFFSET, offset.map { Int64($0) } ?? -1)
    }
    #endif
}

extension DescriptorCore {
    func option(_ option: Int) throws(IPCError) -> Int {
        let lease = try lease(.both, for: .configure)
        defer { withExtendedLifetime(lease) {} }
        var value: Int64 = 0
        let result = System.call(.option) { unsafe cip_option(descriptor, Int64(option), &value) }
        if result < 0 { throw error(result: result, .configure) }
        return Int(value)
    }

    func setOption(_ option: Int, _ value: Int64) throws(IPCError) {
        let lease = try lease(.both, for: .configure)
        defer { withExtendedLifetime(lease) {} }
        let result = System.call(.option) { cip_set_option(descriptor, Int64(option), value) }
        if result < 0 { throw error(result: result, .configure) }
    }
}
#endif
