// SPDX-License-Identifier: MIT OR Apache-2.0

import Interprocess

extension ChannelModel {
    func taken(_ step: Step<Kind>, _ receiver: IPCReceiver<Parcel>) async -> Result<Parcel?, any Error> {
        await step.either {
            try receiver.receive(timeout: .seconds(20))
        } awaited: {
            try await receiver.receive(timeout: .seconds(20))
        }
    }

    func receive(_ step: Step<Kind>, _ channel: ModelChannel) async throws {
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

    func closeReceiver(_ channel: ModelChannel) throws {
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
    func performGrouping(_ step: Step<Kind>, _ channel: ModelChannel) async throws {
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
