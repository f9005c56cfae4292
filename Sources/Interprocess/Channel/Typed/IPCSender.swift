// SPDX-License-Identifier: MIT OR Apache-2.0

/// The sending end of a channel for values.
///
/// Any number of threads and tasks may send by it at the same time, and other processes may have it too: send it in a
/// message, and they get one of their own. Each value arrives whole, and those of one thread in their order.
public final class IPCSender<Message: Encodable & Sendable>: Sendable, DescriptorOwner {
    /// The descriptor's owner, which has no public members.
    public let descriptorCore: DescriptorCore
    let packets: PacketSender
    /// What it sends by instead, inside one process.
    let memory: MemorySender<Message>?
    private let encoders = EncoderPool()

    convenience init(_ core: DescriptorCore, limit: Int) { self.init(PacketSender(core, limit: limit)) }

    convenience init(_ memory: MemorySender<Message>) { self.init(PacketSender(memory.core, limit: 0), memory) }

    init(_ packets: PacketSender, _ memory: MemorySender<Message>? = nil) {
        descriptorCore = packets.side.core
        self.packets = packets
        self.memory = memory
    }

    /// How long sending waits at most, unless a call says otherwise; `nil`, as it is at first, is without limit.
    public var sendTimeout: Duration? {
        get { packets.side.settings.timeout }
        set { packets.side.settings.timeout = newValue }
    }

    /// Sends a value.
    ///
    /// It waits while the kernel's buffer is full, which is how a receiver slows its senders down.
    ///
    /// The corresponding system call is `sendmsg`.
    ///
    /// - Parameters:
    ///   - message: The value. Endpoints, regions and descriptors may be anywhere in it; receivers among them move to
    ///     whoever gets it, once it is sent.
    ///   - timeout: How long the whole call may wait; `nil` means ``sendTimeout``.
    /// - Throws: ``IPCError/Code/encodingFailed``; ``IPCError/Code/disconnected`` when the receiver is gone;
    ///   ``IPCError/Code/messageTooLarge``; ``IPCError/Code/timedOut``; ``IPCError/Code/closed``, also for an endpoint in the
    ///   value; ``IPCError/Code/busy`` while a thread is blocked in a call on one; ``IPCError/Code/endpointMoved`` for a
    ///   receiver that was sent before; ``IPCError/Code/resourcesExhausted``. The value does not arrive then, and nothing in
    ///   it is changed.
    public func send(_ message: Message, timeout: Duration? = nil) throws(IPCError) {
        try send(message, packets.side.settings.patience(timeout))
    }

    /// Sends a value if that takes no waiting.
    ///
    /// - Parameter message: The value.
    /// - Throws: ``IPCError/Code/wouldBlock`` when it would take waiting; otherwise as `send(_:timeout:)` does.
    public func trySend(_ message: Message) throws(IPCError) {
        try send(message, Patience(isNonblocking: true, deadline: .never))
    }

    /// The sizes of arrays that are sent from where they are: they are worth it, and go in one packet.
    private static var uncopied: ClosedRange<Int> { 4096...(FrameHead.maximumPacket - 64) }

    private func send(_ message: Message, _ patience: Patience) throws(IPCError) {
        if let memory { return try memory.send(message, patience) }
        try encoders.withEncoder(limit: packets.limit) { (encoder) throws(IPCError) in
            let isSent = try unsafe encoder.withPieces(of: message, sizes: Self.uncopied) {
                (start, rest) throws(IPCError) in
                try unsafe packets.send(start, rest, patience)
            }
            if isSent { return }
            try encoder.withMessage(of: message) { (bytes, attachments) throws(IPCError) in
                let memory = unsafe bytes.withUnsafeBytes { unsafe $0 }
                if attachments.isEmpty { return try unsafe packets.send(memory, patience) }
                try unsafe send(memory, attachments, patience)
            }
        }
    }

    private func send(
        _ memory: UnsafeRawBufferPointer,
        _ attachments: [any OutgoingAttachment],
        _ patience: Patience
    ) throws(IPCError) {
        let passed = try OutgoingDescriptors(attachments)
        try unsafe packets.send(memory, passed, patience)
        passed.areSent()
    }

    /// Sends many values, in as few packets as they fit.
    ///
    /// A system call costs as much as many small values. The receiver gets each of them as if it had been sent singly.
    ///
    /// - Parameters:
    ///   - messages: The values, in their order.
    ///   - timeout: How long the whole call may wait; `nil` means ``sendTimeout``.
    /// - Throws: As `send(_:timeout:)` does. The first values may arrive nevertheless.
    public func send(contentsOf messages: [Message], timeout: Duration? = nil) throws(IPCError) {
        let patience = packets.side.settings.patience(timeout)
        if let memory {
            for message in messages { try memory.send(message, patience) }
            return
        }
        try packets.sendBatch(patience) { (batch) throws(IPCError) in
            for message in messages { try add(message, to: &batch, patience) }
        }
    }

    private func add(_ message: Message, to batch: inout PacketOutbox, _ patience: Patience) throws(IPCError) {
        try encoders.withEncoder(limit: packets.limit) { (encoder) throws(IPCError) in
            try encoder.withMessage(of: message) { (bytes, attachments) throws(IPCError) in
                let memory = unsafe bytes.withUnsafeBytes { unsafe $0 }
                if attachments.isEmpty { return try unsafe packets.add(memory, to: &batch, patience) }
                try packets.send(&batch, patience)
                try unsafe send(memory, attachments, patience)
            }
        }
    }

    /// Encodes a value, and sends it if that takes no waiting.
    ///
    /// - Parameters:
    ///   - message: The value.
    ///   - take: Sends what is encoded, or has it sent; returns whether there is room.
    /// - Returns: What remains to be sent; `nil` if it is.
    /// - Throws: As `send(_:timeout:)` does.
    func begin(
        _ message: Message,
        _ take: (UnsafeRawBufferPointer) throws(IPCError) -> Bool
    ) throws(IPCError) -> EncodedMessage? {
        try encoders.withEncoder(limit: packets.limit) { (encoder) throws(IPCError) -> EncodedMessage? in
            try encoder.withMessage(of: message) { (bytes, attachments) throws(IPCError) -> EncodedMessage? in
                let memory = unsafe bytes.withUnsafeBytes { unsafe $0 }
                if attachments.isEmpty, try unsafe take(memory) { return nil }
                return EncodedMessage(
                    bytes: unsafe Array(memory),
                    descriptors: try OutgoingDescriptors(attachments)
                )
            }
        }
    }

    /// Waits until the kernel has everything that was sent.
    ///
    /// It has it when a call that sends returns, save what tasks on an event loop's thread have sent in this turn of the
    /// loop: that goes when the turn ends, that is, when the loop has nothing else to do at once.
    ///
    /// - Parameter timeout: How long to wait at most; `nil` means ``sendTimeout``.
    /// - Throws: As `send(_:timeout:)` does.
    public func flush(timeout: Duration? = nil) throws(IPCError) {
        if let memory { return try memory.checkOpen() }
        try packets.flush(packets.side.settings.patience(timeout))
    }

    /// Closes this end.
    ///
    /// Every blocked call on it ends with ``IPCError/Code/closed``. What was sent reaches the receiver; when the last
    /// sender is closed, in all processes, the receiver is told. Where tasks on an event loop's thread have sent what
    /// there is no room for yet, that goes first, however long it takes, and then the end closes.
    public func close() { if let memory { memory.close() } else { packets.close() } }
}
