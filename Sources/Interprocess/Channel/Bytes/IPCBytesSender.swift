// SPDX-License-Identifier: MIT OR Apache-2.0

/// The sending end of a channel for messages of bytes.
///
/// Any number of threads and tasks may send by it at the same time, and other processes may have it too: each message
/// arrives whole, and those of one thread in their order.
public final class IPCBytesSender: Sendable, DescriptorOwner {
    /// The descriptor's owner, which has no public members.
    public let descriptorCore: DescriptorCore
    let packets: PacketSender

    convenience init(_ core: DescriptorCore, limit: Int) { self.init(PacketSender(core, limit: limit)) }

    init(_ packets: PacketSender) {
        descriptorCore = packets.side.core
        self.packets = packets
    }

    /// Takes over a sending end that has come from another process, or was inherited.
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
        self.init(try IPCChannel.adopt(descriptor, toReceive: false), limit: options.maximumMessageSize)
    }

    /// How long sending waits at most, unless a call says otherwise; `nil`, as it is at first, is without limit.
    public var sendTimeout: Duration? {
        get { packets.side.settings.timeout }
        set { packets.side.settings.timeout = newValue }
    }

    /// Sends a message.
    ///
    /// It waits while the kernel's buffer is full, which is how a receiver slows its senders down. A message of more than
    /// 64 KiB goes in parts, between which others may go; the receiver gets it when it is whole.
    ///
    /// The corresponding system call is `sendmsg`.
    ///
    /// - Parameters:
    ///   - bytes: The message, which may be empty.
    ///   - descriptors: What goes with it: the receiver gets descriptors of its own for the same things, up to 253. Those
    ///     here stay open.
    ///   - timeout: How long the whole call may wait; `nil` means ``sendTimeout``.
    /// - Throws: ``IPCError/Code/disconnected`` when the receiver is gone; ``IPCError/Code/messageTooLarge``;
    ///   ``IPCError/Code/timedOut``; ``IPCError/Code/closed``; ``IPCError/Code/busy`` while a thread is blocked in a call on
    ///   one of the descriptors; ``IPCError/Code/resourcesExhausted``. The message does not arrive then.
    public func send(
        _ bytes: UnsafeRawBufferPointer,
        with descriptors: [any DescriptorOwner] = [],
        timeout: Duration? = nil
    ) throws(IPCError) {
        let patience = packets.side.settings.patience(timeout)
        if descriptors.isEmpty {
            try unsafe packets.send(bytes, patience)
        } else {
            try unsafe packets.send(bytes, OutgoingDescriptors(descriptors), patience)
        }
    }

    /// Sends a message.
    ///
    /// - Parameters:
    ///   - bytes: The message, which may be empty.
    ///   - descriptors: What goes with it.
    ///   - timeout: How long the whole call may wait; `nil` means ``sendTimeout``.
    /// - Throws: As `send(_:with:timeout:)` does.
    public func send(
        _ bytes: RawSpan,
        with descriptors: [any DescriptorOwner] = [],
        timeout: Duration? = nil
    ) throws(IPCError) {
        try unsafe bytes.withUnsafeBytes { (memory) throws(IPCError) in
            try unsafe send(memory, with: descriptors, timeout: timeout)
        }
    }

    /// Sends a message.
    ///
    /// - Parameters:
    ///   - bytes: The message, which may be empty.
    ///   - descriptors: What goes with it.
    ///   - timeout: How long the whole call may wait; `nil` means ``sendTimeout``.
    /// - Throws: As `send(_:with:timeout:)` does.
    public func send(
        _ bytes: [UInt8],
        with descriptors: [any DescriptorOwner] = [],
        timeout: Duration? = nil
    ) throws(IPCError) {
        try unsafe bytes.withUnsafeBufferPointer { (memory) throws(IPCError) in
            try unsafe send(UnsafeRawBufferPointer(memory), with: descriptors, timeout: timeout)
        }
    }

    /// Sends many messages, in as few packets as they fit.
    ///
    /// A system call costs as much as many small messages. The receiver gets each of them as if it had been sent singly.
    ///
    /// - Parameters:
    ///   - messages: The messages, in their order.
    ///   - timeout: How long the whole call may wait; `nil` means ``sendTimeout``.
    /// - Throws: As `send(_:with:timeout:)` does. The first messages may arrive nevertheless.
    public func send(contentsOf messages: [[UInt8]], timeout: Duration? = nil) throws(IPCError) {
        let patience = packets.side.settings.patience(timeout)
        try packets.sendBatch(patience) { (batch) throws(IPCError) in
            for message in messages {
                try unsafe message.withUnsafeBufferPointer { (memory) throws(IPCError) in
                    try unsafe packets.add(UnsafeRawBufferPointer(memory), to: &batch, patience)
                }
            }
        }
    }

    /// Sends a message if that takes no waiting.
    ///
    /// A message of more than 64 KiB is sent only if all of it fits the kernel's buffer at once.
    ///
    /// - Parameter bytes: The message.
    /// - Throws: ``IPCError/Code/wouldBlock`` when it would take waiting; otherwise as `send(_:with:timeout:)` does.
    public func trySend(_ bytes: [UInt8]) throws(IPCError) {
        try unsafe bytes.withUnsafeBufferPointer { (memory) throws(IPCError) in
            try unsafe packets.send(UnsafeRawBufferPointer(memory), Patience(isNonblocking: true, deadline: .never))
        }
    }

    /// Closes this end.
    ///
    /// Every blocked call on it ends with ``IPCError/Code/closed``. What was sent reaches the receiver; when the last
    /// sender is closed, in all processes, the receiver is told. Where tasks on an event loop's thread have sent what
    /// there is no room for yet, that goes first, however long it takes, and then the end closes.
    public func close() { packets.close() }

    /// Waits until the kernel has everything that was sent.
    ///
    /// It has it when a call that sends returns, save what tasks on an event loop's thread have sent in this turn of the
    /// loop: that goes when the turn ends, that is, when the loop has nothing else to do at once.
    ///
    /// - Parameter timeout: How long to wait at most; `nil` means ``sendTimeout``.
    /// - Throws: As `send(_:with:timeout:)` does.
    public func flush(timeout: Duration? = nil) throws(IPCError) {
        try packets.flush(packets.side.settings.patience(timeout))
    }
}
