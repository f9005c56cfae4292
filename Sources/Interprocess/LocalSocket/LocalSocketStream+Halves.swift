// SPDX-License-Identifier: MIT OR Apache-2.0

extension LocalSocketStream {
    /// Makes an object for each direction, to be used and closed by itself.
    ///
    /// The halves share the connection with this stream, which stays usable. Closing a half ends that direction for all
    /// of them, on this side only: the peer notices when both are closed, or when a direction is shut down. Dropping a
    /// half ends nothing.
    ///
    /// - Returns: Both halves.
    /// - Throws: ``IPCError/Code/closed``; ``IPCError/Code/busy`` while another thread waits in a read or write: split
    ///   before that call starts.
    public func split() throws(IPCError) -> (receiver: LocalSocketReceiver, sender: LocalSocketSender) {
        try descriptorCore.share(for: .split)
        return (LocalSocketReceiver(receivingSide), LocalSocketSender(sendingSide))
    }

    /// Makes a stream of two halves again.
    ///
    /// - Parameters:
    ///   - receiver: A receiving half.
    ///   - sender: A sending half of the same connection.
    /// - Returns: The stream; the halves stay usable.
    /// - Throws: ``IPCError/Code/invalidArgument`` when they are of different connections; both are as they were.
    public static func reunite(
        _ receiver: LocalSocketReceiver,
        _ sender: LocalSocketSender
    ) throws(IPCError) -> LocalSocketStream {
        if receiver.descriptorCore !== sender.descriptorCore {
            throw receiver.descriptorCore.error(
                .invalidArgument,
                .split,
                detail: "the halves are of different connections"
            )
        }
        return LocalSocketStream(receiver.receivingSide, sender.sendingSide)
    }
}

/// The receiving half of a local socket's stream.
public final class LocalSocketReceiver: Sendable, DescriptorOwner, ByteReceiver {
    /// The receiving direction, which has no public members.
    public let receivingSide: ReceivingSide
    /// The descriptor's owner, which has no public members.
    public var descriptorCore: DescriptorCore { receivingSide.core }

    init(_ side: ReceivingSide) { receivingSide = side }

    /// Sets whether reads return at once with ``IPCError/Code/wouldBlock`` instead of waiting.
    ///
    /// - Parameter nonblocking: Whether they do.
    public func setNonblocking(_ nonblocking: Bool) { receivingSide.settings.isNonblocking = nonblocking }

    /// Whether this direction has been closed here.
    public var isClosed: Bool { descriptorCore.isClosed(.receive) }

    /// Closes this direction here: blocked reads end with ``IPCError/Code/closed``.
    ///
    /// Writing goes on.
    public func close() { descriptorCore.close(.receive) }
}

/// The sending half of a local socket's stream.
public final class LocalSocketSender: Sendable, DescriptorOwner, ByteSender {
    /// The sending direction, which has no public members.
    public let sendingSide: SendingSide
    /// The descriptor's owner, which has no public members.
    public var descriptorCore: DescriptorCore { sendingSide.core }

    init(_ side: SendingSide) { sendingSide = side }

    /// Sets whether writes return at once with ``IPCError/Code/wouldBlock`` instead of waiting.
    ///
    /// - Parameter nonblocking: Whether they do.
    public func setNonblocking(_ nonblocking: Bool) { sendingSide.settings.isNonblocking = nonblocking }

    #if !os(Windows)
    /// Tells the peer that nothing more comes: it reads what was sent, and then the end of the stream.
    ///
    /// The corresponding system call is `shutdown` (`SHUT_WR`).
    ///
    /// - Throws: ``IPCError/Code/notConnected``, ``IPCError/Code/closed``.
    public func shutdown() throws(IPCError) { try LocalSocketBackend.shutdown(descriptorCore, .send) }
    #endif

    /// Whether this direction has been closed here.
    public var isClosed: Bool { descriptorCore.isClosed(.send) }

    /// Closes this direction here: blocked writes end with ``IPCError/Code/closed``.
    ///
    /// Reading goes on, and the peer is not told: use ``shutdown()`` for that.
    public func close() { descriptorCore.close(.send) }
}
