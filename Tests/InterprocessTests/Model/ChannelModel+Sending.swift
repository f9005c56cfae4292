// SPDX-License-Identifier: MIT OR Apache-2.0

import Interprocess

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
        if !isLarge && step.has(2) && canMove { moving = moved }
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
                return journal.add("no room")
            }
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

    func send(_ step: Step<Kind>, _ sender: Sender) async throws {
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
    func trySend(_ step: Step<Kind>, _ sender: Sender) throws {
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
    func sendSeveral(_ step: Step<Kind>, _ sender: Sender) async throws {
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
        sender.channel.queue += parcels.map {
            ModelChannel.Message(number: $0.number, count: $0.bytes.count, sender: nil, receiver: nil)
        }
    }

    /// One that is sent in parts, while everything that is there is received.
    func sendLarge(_ step: Step<Kind>, _ sender: Sender) async throws {
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
