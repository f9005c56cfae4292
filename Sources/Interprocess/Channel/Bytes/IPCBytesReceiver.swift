// SPDX-License-Identifier: MIT OR Apache-2.0

/// The receiving end of a channel for messages of bytes.
///
/// Any thread may call any method at any time; those that receive at the same time take turns, and each message goes to
/// one of them.
public final class IPCBytesReceiver: Sendable, DescriptorOwner {
    /// The descriptor's owner, which has no public members.
    public let descriptorCore: DescriptorCore
    let packets: PacketReceiver

    convenience init(_ core: DescriptorCore, limit: Int) { self.init(PacketReceiver(core, limit: limit)) }

    init(_ packets: PacketReceiver) {
        descriptorCore = packets.core
        self.packets = packets
    }

    /// Takes over a receiving end that has come from another process, or was inherited.
    ///
    /// Several processes that have the same one share its messages.
    ///
    /// - Parameters:
    ///   - descriptor: The descriptor, which is given away by this; when the call throws, it has been closed.
    ///   - options: What holds for this end.
    /// - Throws: ``IPCError/Code/invalidArgument`` when it is no end of a channel; ``IPCError/Code/closed``,
    ///   ``IPCError/Code/busy``.
    public convenience init(
        adopting descriptor: IPCDescriptor,
        options: IPCChannel.Options = IPCChannel.Options()
    ) throws(IPCError) {
        self.init(try IPCChannel.adopt(descriptor, toReceive: true), limit: options.maximumMessageSize)
    }

    /// How long receiving waits at most, unless a call says otherwise; `nil`, as it is at first, is without limit.
    public var receiveTimeout: Duration? {
        get { packets.settings.timeout }
        set { packets.settings.timeout = newValue }
    }

    /// Receives the next message, waiting for it; descriptors that come with it are closed.
    ///
    /// The corresponding system call is `recvmsg`.
    ///
    /// - Parameter timeout: How long to wait at most; `nil` means ``receiveTimeout``.
    /// - Returns: The message.
    /// - Throws: ``IPCError/Code/disconnected`` when all senders are gone and everything was received;
    ///   ``IPCError/Code/timedOut``; ``IPCError/Code/closed``; ``IPCError/Code/protocolViolation``,
    ///   ``IPCError/Code/messageTooLarge`` or ``IPCError/Code/resourcesExhausted`` instead of something that came and
    ///   cannot be used, after which the next message can be received; ``IPCError/Code/endpointMoved`` when the receiver
    ///   has been sent to somebody else.
    public func receive(timeout: Duration? = nil) throws(IPCError) -> [UInt8] {
        guard let message = try packets.take(packets.settings.patience(timeout)) else { throw packets.disconnected }
        defer { packets.giveBack() }
        return unsafe Array(message.bytes)
    }

    /// Receives the next message, and the descriptors that come with it, waiting for it.
    ///
    /// - Parameter timeout: How long to wait at most; `nil` means ``receiveTimeout``.
    /// - Returns: The message.
    /// - Throws: As `receive(timeout:)` does.
    public func receiveMessage(timeout: Duration? = nil) throws(IPCError) -> IPCRawMessage {
        guard let message = try packets.take(packets.settings.patience(timeout)) else { throw packets.disconnected }
        defer { packets.giveBack() }
        return IPCRawMessage(message)
    }

    /// Receives the next message if there is one; descriptors that come with it are closed.
    ///
    /// - Returns: The message, or `nil` when there is none yet.
    /// - Throws: As `receive(timeout:)` does.
    public func tryReceive() throws(IPCError) -> [UInt8]? {
        guard let message = try packets.tryTake() else { return nil }
        defer { packets.giveBack() }
        return unsafe Array(message.bytes)
    }

    /// Receives the next message, and the descriptors that come with it, if there is one.
    ///
    /// - Returns: The message, or `nil` when there is none yet.
    /// - Throws: As `receive(timeout:)` does.
    public func tryReceiveMessage() throws(IPCError) -> IPCRawMessage? {
        guard let message = try packets.tryTake() else { return nil }
        defer { packets.giveBack() }
        return IPCRawMessage(message)
    }

    /// Receives the next message, and lends it where it is, without a copy.
    ///
    /// Nobody else receives meanwhile, so the body should not wait, and must not receive from the same channel.
    ///
    /// - Parameters:
    ///   - timeout: How long to wait at most; `nil` means ``receiveTimeout``.
    ///   - body: What to do with the message.
    /// - Returns: What the body returns.
    /// - Throws: As `receive(timeout:)` does.
    public func withMessage<Value>(
        timeout: Duration? = nil,
        _ body: (RawSpan) throws(IPCError) -> Value
    ) throws(IPCError) -> Value {
        guard let message = try packets.take(packets.settings.patience(timeout)) else { throw packets.disconnected }
        defer { packets.giveBack() }
        return try body(unsafe RawSpan(_unsafeBytes: message.bytes))
    }

    /// Closes this end.
    ///
    /// Every blocked call on it ends with ``IPCError/Code/closed``. What was not received is lost, and senders are told
    /// by their next call.
    public func close() { packets.close() }
}
