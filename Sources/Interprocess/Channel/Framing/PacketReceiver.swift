// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess
internal import Synchronization

/// The receiving end of a channel: the one way in which all of them receive messages.
///
/// Whoever takes a message has the turn to receive until it gives it back, and the message until then.
@safe
final class PacketReceiver: @unchecked Sendable {
    let core: DescriptorCore
    let settings = WaitSettings()
    /// How large a message may be.
    let limit: Int
    private let membership = MembershipPlace()
    let turn = ReadingTurn()
    private let hasMoved = Atomic<Bool>(false)
    let guess = EmptinessGuess()
    /// Belongs to whoever has the turn.
    private let inbox: UnsafeMutablePointer<PacketInbox>

    init(_ core: DescriptorCore, limit: Int) {
        self.core = core
        self.limit = limit
        unsafe inbox = .allocate(capacity: 1)
        unsafe inbox.initialize(to: PacketInbox(limit: limit))
    }

    deinit {
        unsafe inbox.deinitialize(count: 1)
        unsafe inbox.deallocate()
    }

    /// Waits for the next message.
    ///
    /// - Returns: The message, after which `giveBack()` has to be called; `nil` when all senders are gone, and everything
    ///   is received.
    /// - Throws: `.closed`, `.timedOut`, `.wouldBlock`; `.protocolViolation`, `.messageTooLarge` or
    ///   `.resourcesExhausted` instead of what came and cannot be used: the channel goes on after it.
    func take(_ patience: Patience) throws(IPCError) -> PacketInbox.Message? {
        while !turn.tryTake() { try turn.wait(core, patience) }
        do throws(IPCError) {
            try checkUsable()
            if let message = try nextMessage() { return message }
            let lease = try core.lease(.receive, for: .read, blocking: !patience.isNonblocking)
            var overtime = Overtime(patience)
            while try !isEnd(receivePacket(lease, patience)) {
                if let message = try nextMessage() { return message }
                try overtime.spend(core, .read)
            }
        } catch {
            giveBack()
            throw error
        }
        giveBack()
        return nil
    }

    /// Ends the turn that came with a message, which must not be used any more.
    func giveBack() { turn.give(core) }

    func checkUsable() throws(IPCError) {
        if hasMoved.load(ordering: .relaxed) { throw core.error(.endpointMoved, .read) }
        if core.isClosed(.receive) { throw core.error(.closed, .read) }
    }

    // Inlined, as is what it calls, for after a system call the processor has forgotten where the calls around it return to.
    @inline(__always)
    private func receivePacket(
        _ lease: borrowing DescriptorCore.Lease,
        _ patience: Patience
    ) throws(IPCError) -> Int64 {
        let waits = patience.isUnlimited && Transport.socket.mayWait(lease)
        while true {
            let result = attempt(wait: waits)
            if result <= 0 && core.isClosed(.receive) { throw core.error(.closed, .read) }
            if result >= 0 { return result }
            if result != -cip_codes.would_block { throw core.error(result: result, .read) }
            if patience.isNonblocking { throw core.error(.wouldBlock, .read) }
            try core.wait(.receive, for: .read, lease, until: patience.deadline)
        }
    }

    @inline(__always)
    func attempt(wait: Bool) -> Int64 {
        let result = unsafe inbox.pointee.fill { message in
            System.call(.message) { unsafe PacketTransport.receive(core, &message, wait: wait) }
        }
        guess.learn(min(result, 1), of: 1)
        return result
    }

    /// Whether so many bytes are the end of the channel.
    ///
    /// - Throws: `.protocolViolation`, for they can be a packet of nothing, too.
    @inline(__always)
    func isEnd(_ count: Int64) throws(IPCError) -> Bool {
        if count > 0 { return false }
        if PacketTransport.hasEnded(core) { return true }
        throw error(.malformed)
    }

    func nextMessage() throws(IPCError) -> PacketInbox.Message? {
        switch unsafe inbox.pointee.next() {
        case .message(let message): return message
        case .none: return nil
        case .failure(let failure): throw error(failure)
        }
    }

    private func error(_ failure: PacketInbox.Failure) -> IPCError {
        core.error(failure.code, .read, detail: failure.detail)
    }

    /// The same if there is a message; else `nil`.
    ///
    /// - Throws: Also `.disconnected`.
    func tryTake() throws(IPCError) -> PacketInbox.Message? {
        do throws(IPCError) {
            guard let message = try take(Patience(isNonblocking: true, deadline: .never)) else { throw disconnected }
            return message
        } catch {
            if error.code == .wouldBlock { return nil }
            throw error
        }
    }

    var disconnected: IPCError { core.error(.disconnected, .read) }

    func close() { membership.close { core.close() } }
}

extension PacketReceiver: GroupSource {
    func tryTakeRaw() throws(IPCError) -> IPCRawMessage? {
        guard let message = try tryTake() else { return nil }
        defer { giveBack() }
        return IPCRawMessage(message)
    }

    func join(_ membership: any ReceiverMembership) -> Bool { self.membership.take(membership) }

    func leave() { membership.leave() }
}

// MARK: - Moving to another process

extension PacketReceiver {
    /// A receiver that somebody else had, who has received ahead.
    ///
    /// - Throws: `.protocolViolation`, `.messageTooLarge`: what came is nothing that a receiver receives.
    convenience init(_ core: DescriptorCore, limit: Int, _ ahead: ReceivedAhead) throws(IPCError) {
        self.init(core, limit: limit)
        do throws(PacketInbox.Failure) {
            try unsafe inbox.pointee.receive(ahead)
        } catch {
            throw core.error(error.code, .adopt, detail: error.detail)
        }
    }

    /// A move, during which nobody receives: undone unless it is finished.
    final class Move: EndMove {
        private let receiver: PacketReceiver

        fileprivate init(_ receiver: PacketReceiver) { self.receiver = receiver }

        /// What goes with the receiver.
        var ahead: ReceivedAhead { unsafe receiver.inbox.pointee.ahead }

        /// The receiver is somebody else's now.
        func finish() {
            receiver.hasMoved.store(true, ordering: .releasing)
            receiver.close()
        }

        deinit { receiver.turn.give(receiver.core) }
    }

    /// Begins to move what has not been received yet to somebody else.
    ///
    /// - Throws: `.busy` while somebody receives; `.endpointMoved`.
    func beginMove() throws(IPCError) -> Move {
        if hasMoved.load(ordering: .acquiring) { throw core.error(.endpointMoved, .write) }
        guard turn.tryTake() else {
            throw core.error(.busy, .write, detail: "somebody receives from a receiver that is to be sent")
        }
        return Move(self)
    }
}
