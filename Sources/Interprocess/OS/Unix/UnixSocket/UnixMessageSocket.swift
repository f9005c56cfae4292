// SPDX-License-Identifier: MIT OR Apache-2.0

#if !os(Windows)
internal import CInterprocess

/// A Unix domain socket that keeps the boundaries of messages: what is sent in one call is received in one, or lost.
///
/// What sockets for packets and for datagrams have in common is written here once.
public protocol UnixMessageSocket: UnixSocket {}

extension UnixMessageSocket {
    /// How long receiving waits at most, unless a call says otherwise; `nil`, as it is at first, is without limit.
    public var receiveTimeout: Duration? {
        get { receivingSide.settings.timeout }
        set { receivingSide.settings.timeout = newValue }
    }

    /// How long sending waits at most, unless a call says otherwise; `nil`, as it is at first, is without limit.
    public var sendTimeout: Duration? {
        get { sendingSide.settings.timeout }
        set { sendingSide.settings.timeout = newValue }
    }

    /// How long receiving tries before it goes to sleep; zero, as it is at first, is not at all: see
    /// ``ByteReceiver/spinTime``.
    public var spinTime: Duration {
        get { receivingSide.spin.time }
        set { receivingSide.spin.time = newValue }
    }

    /// Sets whether calls return at once with ``IPCError/Code/wouldBlock`` instead of waiting.
    ///
    /// It is a setting of this object; the descriptor's own mode, which other processes may share, is left alone.
    ///
    /// - Parameter nonblocking: Whether they do.
    public func setNonblocking(_ nonblocking: Bool) {
        receivingSide.settings.isNonblocking = nonblocking
        sendingSide.settings.isNonblocking = nonblocking
    }

    #if os(Linux) || os(Android)
    /// The size of the message that comes next, which stays, waiting for one.
    ///
    /// The corresponding system call is `recv` (`MSG_PEEK | MSG_TRUNC`).
    ///
    /// - Parameter timeout: How long to wait at most; `nil` means ``receiveTimeout``.
    /// - Returns: The number of bytes: 0 for an empty message, and at the end of a connection.
    /// - Throws: ``IPCError/Code/timedOut``, ``IPCError/Code/wouldBlock`` (in nonblocking mode),
    ///   ``IPCError/Code/closed``, ``IPCError/Code/connectionReset``, ``IPCError/Code/resourcesExhausted``.
    public func nextMessageSize(timeout: Duration? = nil) throws(IPCError) -> Int {
        try receivingSide.nextSize(receivingSide.settings.patience(timeout))
    }
    #endif

    /// Takes the error that the socket holds for the next call, if there is one.
    ///
    /// The corresponding system call is `getsockopt` (`SO_ERROR`), which clears it.
    ///
    /// - Returns: The error.
    /// - Throws: ``IPCError/Code/closed``.
    public func takeError() throws(IPCError) -> IPCError? { try LocalSocketBackend.takeError(descriptorCore) }
}
#endif
