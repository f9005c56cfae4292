// SPDX-License-Identifier: MIT OR Apache-2.0

/// What holds for this process's end of a connection.
public struct IPCConnectionOptions: Sendable {
    /// How large a message may be, in bytes: what is larger is neither sent nor received.
    ///
    /// The other side has a limit, too, and tells it: what is larger than the smaller of the two is not sent.
    public var maximumMessageSize = 64 << 20

    /// What both sides have to know, and prove to each other that they know, before anything else is said.
    ///
    /// It does not travel itself. A random one, of 16 bytes and more, cannot be guessed from what does; a password could.
    /// With `nil`, as it is at first, nothing is proved, and the other side must not want it either.
    public var secret: [UInt8]?

    /// What both sides call their protocol; with `nil`, as it is at first, the names of the messages' types are compared.
    ///
    /// Give one where the two programs have other names for the same types, or to tell versions apart.
    public var protocolName: String?

    /// How long the other side may take to introduce itself, unless the call that connects says otherwise.
    public var handshakeTimeout: Duration = .seconds(10)

    /// How many messages are kept at most that came while this side was waiting for replies, and not for messages.
    ///
    /// No more is received then until somebody takes some.
    public var maximumWaitingMessages = 1024

    /// How many bytes those messages may have together; one message may be larger.
    ///
    /// A descriptor that came with one counts as 16 KiB, for the process has only so many.
    public var maximumWaitingBytes = 4 << 20

    /// How many requests of the other side may be unanswered at a time: no more is received then until one is answered.
    public var maximumUnansweredRequests = 1024

    /// What a descriptor of a message that is kept counts as.
    static let bytesForDescriptor = 16 << 10

    /// Creates the options that are right for most connections.
    public init() {}
}
