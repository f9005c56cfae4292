// SPDX-License-Identifier: MIT OR Apache-2.0

import Interprocess

/// What is sent: bytes that follow from a number, and perhaps ends of channels.
struct Parcel: Codable, Sendable {
    let number: Int
    let bytes: [UInt8]
    let sender: IPCSender<Parcel>?
    let receiver: IPCReceiver<Parcel>?

    /// Others for each number, and not the same again where parts of a message could be exchanged.
    static func bytes(_ number: Int, _ count: Int) -> [UInt8] {
        let block = (0..<251).map { UInt8(truncatingIfNeeded: number &+ $0) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + block.count)
        while bytes.count < count { bytes += block }
        bytes.removeLast(bytes.count - count)
        return bytes
    }
}

/// A channel, beside its model.
final class ModelChannel {
    struct Message {
        let number: Int
        let count: Int
        let sender: ModelChannel?
        let receiver: ModelChannel?
    }

    let number: Int
    /// `nil` while it is in a message.
    var receiver: IPCReceiver<Parcel>?
    /// What has been sent and not been received, oldest first.
    var queue: [Message] = []
    /// How many sending ends there are, those in messages included.
    var senderCount = 1
    /// Whether the receiving end is gone.
    var isDeaf = false
    var membership: IPCReceiverGroup.ID?
    /// Whether several messages may have gone in one packet, of which its receiver may have some ahead.
    var mayReadAhead = false

    init(_ number: Int, _ receiver: IPCReceiver<Parcel>) {
        self.number = number
        self.receiver = receiver
    }

    var name: String { "channel \(number)" }
    /// Whether parts may be under way of a message that did not fit.
    var mayBeFull = false
    /// Whether so little is under way that some more must fit.
    var hasRoom: Bool { !mayBeFull && queue.reduce(0) { $0 + $1.count + 1000 } < 40_000 }

    /// The receiving end goes, and with it what is in the messages.
    func becomeDeaf() {
        isDeaf = true
        let lost = queue
        queue = []
        for message in lost {
            message.sender?.senderCount -= 1
            message.receiver?.becomeDeaf()
        }
    }
}

/// Channels whose ends travel in messages, and a group of receivers.
final class ChannelModel: ModelledSystem {
    enum Kind: Sendable {
        case make, send, trySend, sendSeveral, sendLarge, receive, tryReceive
        case closeSender, dropSender, closeReceiver, add, remove, select, closeGroup
    }

    static let kinds: [Kind] =
        [.make, .sendLarge, .closeSender, .dropSender, .closeReceiver, .remove, .closeGroup, .sendSeveral]
        + [Kind.send, .send, .trySend, .receive, .receive, .tryReceive, .add, .select, .select].flatMap { [$0, $0] }

    final class Sender {
        let sender: IPCSender<Parcel>
        let channel: ModelChannel
        var isClosed = false

        init(_ sender: IPCSender<Parcel>, _ channel: ModelChannel) {
            self.sender = sender
            self.channel = channel
        }
    }

    let journal: Journal
    var senders: [Sender] = []
    var channels: [ModelChannel] = []
    var group: IPCReceiverGroup?
    /// Members that the group still has to tell of that they are closed.
    var untold: Set<IPCReceiverGroup.ID> = []
    private var lastChannel = 0
    private var lastNumber = 0

    init(_ journal: Journal, in directory: String) throws { self.journal = journal }

    deinit {
        // A channel's sender may be in its own queue.
        for channel in channels { channel.queue = [] }
    }

    func perform(_ step: Step<Kind>) async throws {
        if channels.isEmpty || step.kind == .make && channels.count < 6 { return try make() }
        let channel = channels[step.object % channels.count]
        switch step.kind {
        case .receive, .tryReceive: try await receive(step, channel)
        case .closeReceiver: try closeReceiver(channel)
        case .add, .remove, .select, .closeGroup: try await performGrouping(step, channel)
        default:
            if senders.isEmpty { return }
            try await perform(step, senders[step.object % senders.count])
        }
    }

    private func make() throws {
        lastChannel += 1
        journal.note("make channel \(lastChannel)")
        let (sender, receiver) = try IPCChannel.make(of: Parcel.self)
        let channel = ModelChannel(lastChannel, receiver)
        channels.append(channel)
        senders.append(Sender(sender, channel))
    }

    private func perform(_ step: Step<Kind>, _ sender: Sender) async throws {
        switch step.kind {
        case .send: try await send(step, sender)
        case .trySend: try trySend(step, sender)
        case .sendSeveral: try await sendSeveral(step, sender)
        case .sendLarge: try await sendLarge(step, sender)
        case .closeSender, .dropSender:
            journal.note("\(step.kind) of \(sender.channel.name)")
            if step.kind == .closeSender { sender.sender.close() } else { senders.removeAll { $0 === sender } }
            if !sender.isClosed { sender.channel.senderCount -= 1 }
            sender.isClosed = true
        default: break
        }
    }
}

// MARK: - Sending

extension ChannelModel {
    /// Makes a message, and says what of it the model has to know.
    private func parcel(
        _ step: Step<Kind>,
        _ count: Int,
        to channel: ModelChannel,
        isLarge: Bool = false
    ) -> (Parcel, ModelChannel.Message) {
        lastNumber += 1
        var sender: Sender?
        var moving: ModelChannel?
        let other = senders[step.other % senders.count]
        // The ends in a message that has come in part only are kept until it is clear that no more comes.
        if !isLarge && step.has(1) && !other.isClosed && senders.count < 12 { sender = other }
        // Never around in a circle, which the kernel takes its time to clear away.
        let moved = channels[step.other % channels.count]
        let canMove = moved.number > channel.number && moved.receiver != nil && !moved.isDeaf
        // One that has received ahead may be refused, which a message in parts tells too late.
        let isSure = !moved.mayReadAhead || step.kind != .sendLarge
        if !isLarge && step.has(2) && canMove && isSure { moving = moved }
        let parcel = Parcel(
            number: lastNumber,
            bytes: Parcel.bytes(lastNumber, count),
            sender: sender?.sender,
            receiver: moving?.receiver
        )
        let message = ModelChannel.Message(number: lastNumber, count: count, sender: sender?.channel, receiver: moving)
        let taken = [sender.map { "a sender of \($0.channel.name)" }, moving.map { "the receiver of \($0.name)" }]
        journal.note(
            "\(step.kind) message \(lastNumber) of \(count) bytes to \(channel.name)\(step.formDescription)"
                + taken.compactMap { $0 }.map { ", with " + $0 }.joined()
        )
        return (parcel, message)
    }

    /// Notes that a message was sent, or looks why not.
    private func note(
        _ result: Result<Bool, any Error>,
        _ message: ModelChannel.Message,
        _ parcel: Parcel,
        _ sender: Sender,
        mayBlock: Bool = false
    ) throws {
        let channel = sender.channel
        if case .failure(let error as IPCError) = result {
            if mayBlock && error.code == .wouldBlock {
                // Its parts are there until the receiver has seen that no more come.
                channel.mayBeFull = true
                channel.mayReadAhead = true
                return journal.add("no room")
            }
            if message.receiver?.mayReadAhead == true && error.code == .busy { return journal.add("busy") }
        }
        if sender.isClosed { return try expect(result, .closed) }
        if channel.isDeaf { return try expect(result, .disconnected) }
        try expect(result, true)
        channel.queue.append(message)
        message.sender?.senderCount += 1
        guard let moved = message.receiver else { return }
        moved.receiver = nil
        if let membership = moved.membership { untold.insert(membership) }
        moved.membership = nil
        try expect(Result { try parcel.receiver?.tryReceive()?.number }, .endpointMoved)
    }

    private func send(_ step: Step<Kind>, _ sender: Sender) async throws {
        if !sender.channel.hasRoom && !sender.channel.isDeaf && !sender.isClosed { return }
        let (parcel, message) = parcel(step, step.size, to: sender.channel)
        let (object, patience) = (sender.sender, step.patience)
        let result = await step.either {
            try object.send(parcel, timeout: patience)
            return true
        } awaited: {
            try await object.send(parcel, timeout: patience)
            try await object.flush(timeout: patience)
            return true
        }
        try note(result, message, parcel, sender)
    }

    /// Of any size, so that one may fit in part only: then it must not come.
    private func trySend(_ step: Step<Kind>, _ sender: Sender) throws {
        let mayBlock = step.has(3) || !sender.channel.hasRoom
        let (parcel, message) = parcel(
            step,
            mayBlock ? step.size * 100 : step.size,
            to: sender.channel,
            isLarge: mayBlock
        )
        let result = Result {
            try sender.sender.trySend(parcel)
            return true
        }
        try note(result, message, parcel, sender, mayBlock: mayBlock)
    }

    /// On the loop's thread, where they go together.
    private func sendSeveral(_ step: Step<Kind>, _ sender: Sender) async throws {
        if !sender.channel.hasRoom || sender.channel.isDeaf || sender.isClosed { return }
        let parcels = (0..<3).map { _ in
            lastNumber += 1
            return Parcel(number: lastNumber, bytes: Parcel.bytes(lastNumber, 20), sender: nil, receiver: nil)
        }
        journal.note("send messages \(lastNumber - 2) to \(lastNumber) to \(sender.channel.name), awaited on the loop")
        let object = sender.sender
        try await RunningTask(on: EventLoop.shared) {
            for parcel in parcels { try await object.send(parcel) }
            try await object.flush()
        }.value()
        sender.channel.mayReadAhead = true
        sender.channel.queue += parcels.map {
            ModelChannel.Message(number: $0.number, count: $0.bytes.count, sender: nil, receiver: nil)
        }
    }

    /// One that is sent in parts, while everything that is there is received.
    private func sendLarge(_ step: Step<Kind>, _ sender: Sender) async throws {
        let channel = sender.channel
        guard let receiver = channel.receiver, !channel.isDeaf, !sender.isClosed, channel.membership == nil else {
            return
        }
        let (parcel, message) = parcel(step, 50_000 + step.size * 200, to: channel, isLarge: !step.has(4))
        let object = sender.sender
        let sending: @Sendable () async throws -> Bool
        if step.isAwaited {
            let task = RunningTask(on: step.isOnLoop ? EventLoop.shared : nil) { try await object.send(parcel) }
            sending = {
                try await task.value()
                return true
            }
        } else {
            let thread = Running { try object.send(parcel, timeout: .seconds(20)) }
            sending = {
                try await onThread { try thread.value() }
                return true
            }
        }
        while !channel.queue.isEmpty { try note(await taken(step, receiver), of: channel) }
        let arrived = await taken(step, receiver)
        try note(await result(sending), message, parcel, sender)
        try note(arrived, of: channel)
    }

    private func result(_ body: @Sendable () async throws -> Bool) async -> Result<Bool, any Error> {
        do { return .success(try await body()) } catch { return .failure(error) }
    }
}

// MARK: - Receiving

extension ChannelModel {
    private func taken(_ step: Step<Kind>, _ receiver: IPCReceiver<Parcel>) async -> Result<Parcel?, any Error> {
        await step.either {
            try receiver.receive(timeout: .seconds(20))
        } awaited: {
            try await receiver.receive(timeout: .seconds(20))
        }
    }

    private func receive(_ step: Step<Kind>, _ channel: ModelChannel) async throws {
        // A group's members are received from by the group alone.
        guard let receiver = channel.receiver, channel.membership == nil else { return }
        journal.note("\(step.kind) from \(channel.name)\(step.formDescription)")
        let isOver = !channel.queue.isEmpty || channel.senderCount == 0 || channel.isDeaf
        let timeout = isOver ? step.patience : step.impatience
        let tries = step.kind == .tryReceive
        let result: Result<Parcel?, any Error> = await step.either {
            tries ? try receiver.tryReceive() : try receiver.receive(timeout: timeout)
        } awaited: {
            try await receiver.receive(timeout: timeout)
        }
        if channel.isDeaf { return try expect(result, .closed) }
        if !channel.queue.isEmpty { return try note(result, of: channel) }
        if channel.senderCount == 0 { return try expect(result, .disconnected) }
        channel.mayBeFull = false
        if !tries || step.isAwaited { return try expect(result, .timedOut) }
        try expect(result.map { $0?.number }, nil)
    }

    /// Looks whether what was received is the oldest message, and keeps the ends that came with it.
    func note(_ result: Result<Parcel?, any Error>, of channel: ModelChannel) throws {
        let message = channel.queue.removeFirst()
        guard case .success(let parcel?) = result else {
            throw Mismatch("expected message \(message.number), but it came to \(brief(result))")
        }
        journal.add("message \(parcel.number)")
        if parcel.number != message.number { throw Mismatch("expected message \(message.number)") }
        if parcel.bytes != Parcel.bytes(message.number, message.count) {
            throw Mismatch("the message's bytes are others: \(brief(parcel.bytes))")
        }
        if (parcel.sender == nil) != (message.sender == nil) || (parcel.receiver == nil) != (message.receiver == nil) {
            throw Mismatch("the message came with other ends than it was sent with")
        }
        if let sender = parcel.sender, let of = message.sender { senders.append(Sender(sender, of)) }
        if let receiver = parcel.receiver { message.receiver?.receiver = receiver }
    }

    private func closeReceiver(_ channel: ModelChannel) throws {
        guard let receiver = channel.receiver else { return }
        journal.note("close the receiver of \(channel.name)")
        receiver.close()
        if let membership = channel.membership { untold.insert(membership) }
        channel.membership = nil
        if !channel.isDeaf { return channel.becomeDeaf() }
        // The second time it is forgotten.
        channels.removeAll { $0 === channel }
    }
}

// MARK: - The group

extension ChannelModel {
    private func performGrouping(_ step: Step<Kind>, _ channel: ModelChannel) async throws {
        switch step.kind {
        case .add: try add(channel)
        case .remove:
            guard let group, let membership = channel.membership else { return }
            journal.note("take \(channel.name) out of the group")
            try expect(.success(group.remove(membership) as? IPCReceiver<Parcel> === channel.receiver), true)
            try expect(.success(group.remove(membership) == nil), true)
            channel.membership = nil
        case .closeGroup:
            guard let group else { return }
            journal.note("close the group")
            group.close()
            try expect(Result { try group.tryNext().map { "\($0)" } }, .closed)
            for channel in channels { channel.membership = nil }
            untold = []
            self.group = nil
        default: try await select(step)
        }
        guard let group else { return }
        let count = channels.count { $0.membership != nil } + untold.count
        if group.count != count { throw Mismatch("the group has \(group.count) members instead of \(count)") }
    }

    private func add(_ channel: ModelChannel) throws {
        guard let receiver = channel.receiver else { return }
        journal.note("add \(channel.name) to the group")
        let group = try group ?? IPCReceiverGroup()
        self.group = group
        let result = Result { try group.add(receiver) }
        if channel.isDeaf { return try expect(result, .closed) }
        if channel.membership != nil { return try expect(result, .alreadyExists) }
        channel.membership = try result.get()
    }

    private func select(_ step: Step<Kind>) async throws {
        guard let group else { return }
        journal.note("see what happens to the group\(step.formDescription)")
        let members = channels.filter { $0.membership != nil }
        let isOver = !untold.isEmpty || members.contains { !$0.queue.isEmpty || $0.senderCount == 0 }
        let timeout = isOver ? step.patience : step.impatience
        let tries = step.has(1) && !step.isAwaited
        let result: Result<IPCReceiverGroup.Event?, any Error> = await step.either {
            tries ? try group.tryNext() : try group.next(timeout: timeout)
        } awaited: {
            try await group.next(timeout: timeout)
        }
        if !isOver { return tries ? try expect(result.map { $0 == nil }, true) : try expect(result, .timedOut) }
        switch result {
        case .success(.message(let id, let message)):
            guard let channel = members.first(where: { $0.membership == id }), !channel.queue.isEmpty else { break }
            journal.add(channel.name)
            return try note(Result { try message.decode(as: Parcel.self) }, of: channel)
        case .success(.closed(let id)):
            if untold.remove(id) != nil { return journal.add("closed") }
            guard let channel = members.first(where: { $0.membership == id }) else { break }
            if !channel.queue.isEmpty || channel.senderCount > 0 { break }
            channel.membership = nil
            return journal.add("\(channel.name) is over")
        default: break
        }
        throw Mismatch("the group came to \(brief(result))")
    }
}
