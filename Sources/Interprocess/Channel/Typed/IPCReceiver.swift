// SPDX-License-Identifier: MIT OR Apache-2.0

/// The receiving end of a channel for values.
///
/// Any thread may call any method at any time; those that receive at the same time take turns, and each value goes to
/// one of them. Sent in a message, a receiver moves: what it has not received yet, the other process receives.
public final class IPCReceiver<Message: Decodable & Sendable>: Sendable, DescriptorOwner {
    /// The descriptor's owner, which has no public members.
    public let descriptorCore: DescriptorCore
    let packets: PacketReceiver
    /// What it receives by instead, inside one process.
    let memory: MemoryReceiver<Message>?
    private let decoding: Decoding

    /// Belongs to whoever has the turn to receive.
    private struct Decoding: @unchecked Sendable {
        let decoder: IPCDecoder
    }

    convenience init(_ core: DescriptorCore, limit: Int) { self.init(PacketReceiver(core, limit: limit)) }

    convenience init(_ memory: MemoryReceiver<Message>) { self.init(PacketReceiver(memory.core, limit: 0), memory) }

    init(_ packets: PacketReceiver, _ memory: MemoryReceiver<Message>? = nil) {
        descriptorCore = packets.core
        self.packets = packets
        self.memory = memory
        var limits = IPCCodingLimits()
        limits.bytes = packets.limit
        decoding = Decoding(decoder: IPCDecoder(limits: limits))
    }

    /// How long receiving waits at most, unless a call says otherwise; `nil`, as it is at first, is without limit.
    public var receiveTimeout: Duration? {
        get { packets.settings.timeout }
        set { packets.settings.timeout = newValue }
    }

    /// Receives the next value, waiting for it.
    ///
    /// The corresponding system call is `recvmsg`.
    ///
    /// - Parameter timeout: How long to wait at most; `nil` means ``receiveTimeout``.
    /// - Returns: The value.
    /// - Throws: ``IPCError/Code/disconnected`` when all senders are gone and everything was received;
    ///   ``IPCError/Code/timedOut``; ``IPCError/Code/closed``; ``IPCError/Code/decodingFailed``,
    ///   ``IPCError/Code/protocolViolation``, ``IPCError/Code/messageTooLarge`` or
    ///   ``IPCError/Code/resourcesExhausted`` instead of something that came and cannot be used, after which the next
    ///   value can be received; ``IPCError/Code/endpointMoved`` when the receiver has been sent to somebody else.
    public func receive(timeout: Duration? = nil) throws(IPCError) -> Message {
        let patience = packets.settings.patience(timeout)
        if let memory {
            guard let message = try memory.receive(patience) else { throw packets.disconnected }
            return message
        }
        guard let message = try packets.take(patience) else { throw packets.disconnected }
        return try decode(message)
    }

    /// Receives the next value if there is one.
    ///
    /// - Returns: The value, or `nil` when there is none yet.
    /// - Throws: As `receive(timeout:)` does.
    public func tryReceive() throws(IPCError) -> Message? {
        if let memory { return try memory.tryReceive() }
        guard let message = try packets.tryTake() else { return nil }
        return try decode(message)
    }

    /// Decodes a message that was taken, and gives it back.
    func decode(_ message: PacketInbox.Message) throws(IPCError) -> Message {
        defer { packets.giveBack() }
        let bytes = unsafe RawSpan(_unsafeBytes: message.bytes)
        return try decoding.decoder.decode(Message.self, from: bytes, message.attachments)
    }

    /// Closes this end.
    ///
    /// Every blocked call on it ends with ``IPCError/Code/closed``. What was not received is lost, and senders are told
    /// by their next call.
    public func close() { if let memory { memory.close() } else { packets.close() } }
}
