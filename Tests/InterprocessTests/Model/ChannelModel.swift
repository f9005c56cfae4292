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
    private var dropped = Dropped()
    /// Members that the group still has to tell of that they are closed.
    var untold: Set<IPCReceiverGroup.ID> = []
    private var lastChannel = 0
    var lastNumber = 0

    init(_ journal: Journal, in directory: String) throws { self.journal = journal }

    deinit {
        // A channel's sender may be in its own queue.
        for channel in channels { channel.queue = [] }
    }

    func perform(_ step: Step<Kind>) async throws {
        try await dropped.waitUntilGone()
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
            if step.kind == .closeSender {
                sender.sender.close()
            } else {
                dropped.core = sender.sender.descriptorCore
                senders.removeAll { $0 === sender }
            }
            if !sender.isClosed { sender.channel.senderCount -= 1 }
            sender.isClosed = true
        default: break
        }
    }
}
