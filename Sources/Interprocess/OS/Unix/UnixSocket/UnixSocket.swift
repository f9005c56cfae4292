// SPDX-License-Identifier: MIT OR Apache-2.0

#if !os(Windows)
internal import CInterprocess

/// A Unix domain socket that bytes or messages go through: a stream, a socket for packets, or one for datagrams.
///
/// What all of them can do is written here once: to send and receive with descriptors and credentials beside the bytes,
/// to look at what comes without taking it, to tell their addresses. Any thread may call any of it at any time. Each
/// call that waits has a form that blocks and one that suspends its task; `close()` ends both with
/// ``IPCError/Code/closed``.
public protocol UnixSocket: DescriptorOwner {
    /// What it carries.
    static var kind: UnixSocketKind { get }
    /// The receiving direction, which has no public members.
    var receivingSide: ReceivingSide { get }
    /// The sending direction, which has no public members.
    var sendingSide: SendingSide { get }
}

extension UnixSocket {
    func wishes(_ descriptors: Int) -> MessageWishes {
        MessageWishes(Self.kind, descriptors: descriptors, receivingSide.gate)
    }

    /// Where it is bound: for the server's end of a connection, the listener's address.
    ///
    /// The corresponding system call is `getsockname`.
    ///
    /// - Returns: The address, ``UnixSocketAddress/unnamed`` if it was not bound.
    /// - Throws: ``IPCError/Code/closed``.
    public func localAddress() throws(IPCError) -> UnixSocketAddress { try descriptorCore.localAddress() }

    /// Where the other side is bound: for the client's end of a connection, the address that it connected to.
    ///
    /// A deferred connection is made first. A listener that has taken the place of a dead one is known to the system by
    /// another name, that it had meanwhile (`.ipc-…` in the same directory), and so are its ends of connections.
    ///
    /// The corresponding system call is `getpeername`.
    ///
    /// - Returns: The address, ``UnixSocketAddress/unnamed`` if it was not bound.
    /// - Throws: ``IPCError/Code/notConnected``, ``IPCError/Code/closed``.
    public func peerAddress() throws(IPCError) -> UnixSocketAddress {
        try receivingSide.finishConnecting(.identify)
        return try descriptorCore.peerAddress()
    }
}

extension DescriptorCore {
    func localAddress() throws(IPCError) -> UnixSocketAddress { try askAddress { unsafe cip_local_address($0, $1) } }

    func peerAddress() throws(IPCError) -> UnixSocketAddress { try askAddress { unsafe cip_peer_address($0, $1) } }

    @safe
    private func askAddress(_ question: (Int64, UnsafeMutablePointer<UInt8>) -> Int64) throws(IPCError)
        -> UnixSocketAddress
    {
        let lease = try lease(.both, for: .identify)
        defer { withExtendedLifetime(lease) {} }
        let (address, result) = UnixSocketAddress.ask { unsafe question(descriptor, $0) }
        if result < 0 { throw error(result: result, .identify) }
        return address
    }
}
#endif
