// SPDX-License-Identifier: MIT OR Apache-2.0

#if !canImport(Darwin) && !os(Windows)
internal import CInterprocess

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

    /// Makes a channel for values.
    ///
    /// ```swift
    /// let (sender, receiver) = try IPCChannel.make(of: [String].self)
    /// try sender.send(["hello", "world"])
    /// print(try receiver.receive())
    /// ```
    ///
    /// The corresponding system call is `socketpair` (`SOCK_SEQPACKET`).
    ///
    /// - Parameters:
    ///   - type: The values' type.
    ///   - options: What holds for both ends.
    /// - Returns: Both ends.
    /// - Throws: ``IPCError/Code/resourcesExhausted``.
    public static func make<Message: Codable & Sendable>(
        of type: Message.Type,
        _ options: Options = Options()
    ) throws(IPCError) -> (sender: IPCSender<Message>, receiver: IPCReceiver<Message>) {
        let (sender, receiver) = try makeEnds()
        let limit = options.maximumMessageSize
        return (IPCSender(sender, limit: limit), IPCReceiver(receiver, limit: limit))
    }

    /// Makes a channel for messages of bytes.
    ///
    /// The corresponding system call is `socketpair` (`SOCK_SEQPACKET`).
    ///
    /// - Parameter options: What holds for both ends.
    /// - Returns: Both ends.
    /// - Throws: ``IPCError/Code/resourcesExhausted``.
    public static func makeBytes(
        _ options: Options = Options()
    ) throws(IPCError) -> (sender: IPCBytesSender, receiver: IPCBytesReceiver) {
        let (sender, receiver) = try makeEnds()
        let limit = options.maximumMessageSize
        return (IPCBytesSender(sender, limit: limit), IPCBytesReceiver(receiver, limit: limit))
    }

    /// Takes over an end that was made in another process.
    ///
    /// - Throws: `.invalidArgument` when it is no end of a channel, and then closes it; `.closed`, `.busy`.
    static func adopt(_ descriptor: IPCDescriptor) throws(IPCError) -> DescriptorCore {
        try adopt(OwnedDescriptor(Int64(try descriptor.detach())), isShared: true)
    }

    static func adopt(_ owned: consuming OwnedDescriptor, isShared: Bool) throws(IPCError) -> DescriptorCore {
        let raw = owned.raw
        let type = System.call(.option) { cip_socket_type(raw) }
        if type != Int64(CIP_SEQUENCED_PACKETS) {
            throw IPCError(.invalidArgument, .adopt, name: "descriptor \(raw)", detail: "it is no end of a channel")
        }
        return DescriptorCore(owned, name: "a channel", waker: LocalSocketBackend.streamWaker, isShared: isShared)
    }

    static func makeEnds(named name: String = "a channel") throws(IPCError) -> (DescriptorCore, DescriptorCore) {
        var ends: (Int64, Int64) = (-1, -1)
        let result = System.call(.socket) {
            unsafe withUnsafeMutableBytes(of: &ends) {
                unsafe cip_socket_pair(
                    Int64(CIP_SEQUENCED_PACKETS),
                    $0.assumingMemoryBound(to: Int64.self).baseAddress.unsafelyUnwrapped
                )
            }
        }
        if result < 0 { throw IPCError(result: result, .create, name: name) }
        return (
            DescriptorCore(OwnedDescriptor(ends.0), name: name, waker: LocalSocketBackend.streamWaker),
            DescriptorCore(OwnedDescriptor(ends.1), name: name, waker: LocalSocketBackend.streamWaker)
        )
    }
}
#endif
