// SPDX-License-Identifier: MIT OR Apache-2.0

/// Channels: a receiver, and any number of senders, in any processes, whose messages arrive whole.
///
/// ```swift
/// let (sender, receiver) = try IPCChannel.makeBytes()
/// try sender.send(Array("hello".utf8))
/// print(try receiver.receive().count)
/// ```
public enum IPCChannel {
    /// What holds for one end of a channel.
    public struct Options: Sendable {
        /// How large a message may be, in bytes; what is larger is neither sent nor received.
        public var maximumMessageSize = 64 << 20

        /// Creates the options that are right for most channels.
        public init() {}
    }

    /// Makes a channel for messages of bytes.
    ///
    /// The corresponding system call is `socketpair` (`SOCK_SEQPACKET`; `SOCK_STREAM` on macOS), or on Windows
    /// `CreateNamedPipeW` (a pipe of messages).
    ///
    /// - Parameter options: What holds for both ends.
    /// - Returns: Both ends.
    /// - Throws: ``IPCError/Code/resourcesExhausted``.
    public static func makeBytes(
        _ options: Options = Options()
    ) throws(IPCError) -> (sender: IPCBytesSender, receiver: IPCBytesReceiver) {
        let (sender, receiver) = try PacketTransport.makePair()
        let limit = options.maximumMessageSize
        return (IPCBytesSender(sender, limit: limit), IPCBytesReceiver(receiver, limit: limit))
    }

    /// Takes over an end that was made in another process.
    ///
    /// - Throws: `.invalidArgument` when it is no end of a channel, and then closes it; `.closed`, `.busy`.
    static func adopt(_ descriptor: IPCDescriptor, toReceive: Bool) throws(IPCError) -> DescriptorCore {
        try PacketTransport.adopt(OwnedDescriptor(Int64(try descriptor.detach())), toReceive: toReceive, isShared: true)
    }
}
