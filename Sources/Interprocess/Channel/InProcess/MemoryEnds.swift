// SPDX-License-Identifier: MIT OR Apache-2.0

#if !os(Windows)
internal import CInterprocess

/// The sending end of a channel inside one process.
final class MemorySender<Message: Sendable>: Sendable {
    private let queue: MemoryQueue<Message>

    init(_ queue: MemoryQueue<Message>) { self.queue = queue }

    deinit { close() }

    var core: DescriptorCore { queue.sending }

    /// Sends a message.
    ///
    /// - Throws: `.disconnected`, `.closed`, `.timedOut`, `.wouldBlock`, `.resourcesExhausted`.
    func send(_ message: Message, _ patience: Patience) throws(IPCError) {
        let lease = try core.lease(.both, for: .write)
        while true {
            let result = queue.push(message, willWait: !patience.isNonblocking)
            if result == 0 { throw core.error(.disconnected, .write) }
            if result > 0 { return }
            if patience.isNonblocking { throw core.error(.wouldBlock, .write) }
            try core.wait(.receive, for: .write, lease, until: patience.deadline)
        }
    }

    /// The same, suspending the task.
    ///
    /// - Throws: Also `.cancelled`.
    func send(_ message: Message, until deadline: Deadline) async throws(IPCError) {
        let result = await core.awaiting(.receive, until: deadline, waitsFirst: false) {
            queue.push(message, willWait: true)
        }
        if result < 0 { throw core.failure(result, .write) }
        if result == 0 { throw core.error(.disconnected, .write) }
    }

    func checkOpen() throws(IPCError) {
        if core.isClosed(.both) { throw core.error(.closed, .write) }
    }

    func close() { queue.closeSender() }
}

/// The receiving end of a channel inside one process.
final class MemoryReceiver<Message: Sendable>: Sendable {
    private let queue: MemoryQueue<Message>
    private let membership = MembershipPlace()

    init(_ queue: MemoryQueue<Message>) { self.queue = queue }

    deinit { close() }

    var core: DescriptorCore { queue.receiving }
    var source: any GroupSource { self }

    /// Waits for the next message.
    ///
    /// - Returns: The message; `nil` when the sender is gone, and everything is received.
    /// - Throws: `.closed`, `.timedOut`, `.wouldBlock`, `.resourcesExhausted`.
    func receive(_ patience: Patience) throws(IPCError) -> Message? {
        let lease = try core.lease(.both, for: .read)
        var message: Message?
        while true {
            let result = queue.pop(into: &message, willWait: !patience.isNonblocking)
            if result >= 0 { return message }
            if patience.isNonblocking { throw core.error(.wouldBlock, .read) }
            try core.wait(.receive, for: .read, lease, until: patience.deadline)
        }
    }

    /// The same, suspending the task.
    ///
    /// - Throws: Also `.cancelled`: the message is the next caller's.
    func receive(until deadline: Deadline) async throws(IPCError) -> Message? {
        var message: Message?
        let result = await core.awaiting(.receive, until: deadline, waitsFirst: false) {
            queue.pop(into: &message, willWait: true)
        }
        if result < 0 { throw core.failure(result, .read) }
        return message
    }

    /// The next message if there is one; else `nil`.
    ///
    /// - Throws: `.disconnected`, `.closed`.
    func tryReceive() throws(IPCError) -> Message? {
        let lease = try core.lease(.both, for: .read)
        defer { withExtendedLifetime(lease) {} }
        var message: Message?
        if queue.pop(into: &message, willWait: false) == 0 { throw core.error(.disconnected, .read) }
        return message
    }

    func close() { membership.close { queue.closeReceiver() } }
}

extension MemoryReceiver: GroupSource {
    func tryTakeRaw() throws(IPCError) -> IPCRawMessage? {
        let lease = try core.lease(.both, for: .read)
        defer { withExtendedLifetime(lease) {} }
        var message: Message?
        if queue.pop(into: &message, willWait: true) == 0 { throw core.error(.disconnected, .read) }
        return message.map { IPCRawMessage(HeldValue($0)) }
    }

    func join(_ membership: any ReceiverMembership) -> Bool { self.membership.take(membership) }

    func leave() { membership.leave() }
}

extension IPCError {
    /// That of an end of a channel inside one process where messages have to be coded.
    static func isInProcess(_ operation: Operation) -> IPCError {
        IPCError(
            .unsupported,
            operation,
            name: IPCChannel.inProcessName,
            detail: "it is a channel inside one process, whose values are not coded: IPCChannel.make(of:) makes others"
        )
    }
}

extension IPCChannel {
    static let inProcessName = "a channel inside this process"

    /// Makes a channel for values inside this process: the same ends, and no encoding.
    ///
    /// ```swift
    /// let (sender, receiver) = try IPCChannel.makeInProcess(of: [String].self)
    /// try sender.send(["hello", "world"])
    /// print(try receiver.receive())
    /// ```
    ///
    /// A value is received as it was sent, without a copy or a system call, save those that wake who waits. Objects in it
    /// are the same ones on both sides; receivers among them do not move.
    ///
    /// Neither end can be sent to another process: encoding a value that has one in it throws
    /// ``IPCError/Code/unsupported``.
    ///
    /// The corresponding system call is `socketpair`, for what wakes who waits.
    ///
    /// - Parameters:
    ///   - type: The values' type.
    ///   - capacity: How many values can be on their way, whatever their size; senders wait while there are as many.
    /// - Returns: Both ends.
    /// - Throws: ``IPCError/Code/resourcesExhausted``; ``IPCError/Code/invalidArgument`` when the capacity is less than one.
    public static func makeInProcess<Message: Codable & Sendable>(
        of type: Message.Type,
        capacity: Int = 256
    ) throws(IPCError) -> (sender: IPCSender<Message>, receiver: IPCReceiver<Message>) {
        if capacity < 1 {
            throw IPCError(.invalidArgument, .create, name: inProcessName, detail: "there has to be room for a value")
        }
        let (sender, receiver) = try LocalSocketBackend.pair(
            CIP_STREAM,
            LocalSocketBackend.streamWaker,
            name: inProcessName
        )
        let queue = MemoryQueue<Message>(sender, receiver, capacity: capacity)
        return (IPCSender(MemorySender(queue)), IPCReceiver(MemoryReceiver(queue)))
    }
}
#endif
