// SPDX-License-Identifier: MIT OR Apache-2.0

extension IPCChannel {
    /// Makes a channel for values.
    ///
    /// ```swift
    /// let (sender, receiver) = try IPCChannel.make(of: [String].self)
    /// try sender.send(["hello", "world"])
    /// print(try receiver.receive())
    /// ```
    ///
    /// The corresponding system call is `socketpair` (`SOCK_SEQPACKET`; `SOCK_STREAM` on macOS), or on Windows
    /// `CreateNamedPipeW` (a pipe of messages).
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
        let (sender, receiver) = try PacketTransport.makePair()
        let limit = options.maximumMessageSize
        return (IPCSender(sender, limit: limit), IPCReceiver(receiver, limit: limit))
    }
}
