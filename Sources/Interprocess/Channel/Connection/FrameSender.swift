// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess
internal import Synchronization

/// The sending side of a connection: frames of any number of threads and tasks, each whole before the next one begins.
///
/// What is sent by tasks on an event loop's thread is collected until the loop's turn ends, for a system call costs as
/// much as many small messages. Of a frame that has begun, what the kernel does not take at once is kept, and goes first:
/// whoever stops waiting then, the stream stays whole.
final class FrameSender: TurnEnd, Sendable {
    let side: SendingSide
    let outbox = Locked(FrameOutbox())
    /// Who sends a message of several frames: one at a time, so that the other side has one to put together.
    let partTurn = TurnLine()
    private let mostBytes: Atomic<Int>
    private let isClosing = Atomic<Bool>(false)
    private let waiting = Atomic<Int>(0)
    /// Whether anything is collected, for a look without the lock.
    private let hasCollected = Atomic<Bool>(false)

    /// How long what was sent has to go, once this side is closed.
    private static let closingTime: Duration = .seconds(5)

    /// How many bytes wait at most, with frames that never wait for room.
    private static let bearableCount = 1 << 20

    init(_ side: SendingSide, limit: Int) {
        self.side = side
        mostBytes = Atomic(limit)
    }

    var core: DescriptorCore { side.core }

    /// How large a message may be.
    var limit: Int {
        get { mostBytes.load(ordering: .relaxed) }
        set { mostBytes.store(newValue, ordering: .relaxed) }
    }

    /// Sends a message.
    ///
    /// - Parameters:
    ///   - frames: What it is.
    ///   - patience: How long to wait.
    ///   - withBytes: Lends the bytes.
    /// - Throws: `.messageTooLarge`, `.disconnected`, `.closed`, `.timedOut`, `.wouldBlock`, `.resourcesExhausted`. The
    ///   message does not arrive then.
    func send(
        _ frames: ConnectionFrames,
        _ patience: Patience,
        _ withBytes: ((UnsafeRawBufferPointer) -> Int64) -> Int64
    ) throws(IPCError) {
        try check(frames)
        if !frames.isWhole { try partTurn.take(core, patience) }
        defer { if !frames.isWhole { partTurn.give() } }
        var frames = frames
        var end: UInt64 = 0
        repeat {
            do throws(IPCError) {
                try wait(patience) { unsafe withBytes { unsafe put(frames, $0, &end) } }
            } catch {
                if frames.hasBegun { abandon() }
                throw error
            }
            frames.advance()
        } while !frames.areSent
        withExtendedLifetime(frames.descriptors) {}
        if hasSent(upTo: end) { return }
        do throws(IPCError) {
            try wait(patience) { flush(upTo: end) }
        } catch {
            try keepOn(error)
        }
    }

    /// Sends what is collected.
    func flush(_ patience: Patience) throws(IPCError) {
        if hasCollected.load(ordering: .acquiring) { try wait(patience) { flush(upTo: nil) } }
    }

    private func wait(_ patience: Patience, _ attempt: () -> Int64) throws(IPCError) {
        beginWaiting()
        defer { endWaiting() }
        var isClosed = false
        do throws(IPCError) {
            _ = try side.send(patience) { _ in
                let result = attempt()
                isClosed = result == Ending.closed
                return isClosed ? 0 : result
            }
        } catch { throw toldAsDisconnect(error) }
        if isClosed { throw core.error(.closed, .write) }
    }

    func beginWaiting() { waiting.add(1, ordering: .sequentiallyConsistent) }

    func endWaiting() { waiting.subtract(1, ordering: .sequentiallyConsistent) }

    /// Whether the other side has left with something that it has not received, or without, is the same.
    func toldAsDisconnect(_ error: IPCError) -> IPCError {
        guard error.code == .brokenPipe || error.code == .connectionReset else { return error }
        return IPCError(.disconnected, .write, systemCode: error.systemCode, name: error.name, detail: nil)
    }

    /// A message of which the kernel has a part goes, whatever keeps its sender from waiting for that, as long as there is
    /// somebody to receive it.
    func keepOn(_ error: IPCError) throws(IPCError) {
        if error.code == .disconnected || error.code == .closed { throw error }
        if !flushAsExpected() { Task { await flushInTheEnd() } }
    }

    func check(_ frames: ConnectionFrames) throws(IPCError) {
        if isClosing.load(ordering: .relaxed) { throw core.error(.closed, .write) }
        if frames.kind.isValue && frames.count > limit {
            throw core.error(.messageTooLarge, .write, detail: "it is larger than the limit of this side, or the other")
        }
        if frames.descriptors.numbers.count > Int(CIP_MAXIMUM_DESCRIPTORS) {
            throw core.error(.messageTooLarge, .write, detail: "a message can take 253 descriptors along")
        }
    }

    var isClosed: Bool { isClosing.load(ordering: .relaxed) || core.isClosed(.send) }
}

// MARK: - Attempts, none of which waits

extension FrameSender {
    /// Sends the next frame, and tells up to where that is.
    func put(_ frames: ConnectionFrames, _ bytes: UnsafeRawBufferPointer, _ end: inout UInt64) -> Int64 {
        outbox.withLock { outbox in
            if isClosed { return Ending.closed }
            let result = unsafe outbox.send(frames, bytes, side)
            end = outbox.accepted
            note(outbox.count)
            return result
        }
    }

    /// Lets the next frame go with others, at the end of this turn of the loop.
    func collect(_ frames: ConnectionFrames, _ bytes: UnsafeRawBufferPointer, _ reactor: Reactor) -> Int64 {
        outbox.withLock { outbox in
            if isClosed { return Ending.closed }
            let result = unsafe outbox.collect(frames, bytes)
            if result < 0 { return result }
            note(outbox.count)
            if !outbox.isExpected {
                outbox.isExpected = true
                reactor.callAtEndOfTurn(self)
            }
            return 0
        }
    }

    /// Sends a frame without a body, or has it go later: never waits.
    ///
    /// - Returns: Whether that may go on, or the other side has left more of the kind unread than is bearable.
    @discardableResult
    func sendInAnyCase(_ frames: ConnectionFrames) -> Bool {
        let count = outbox.withLock { outbox in
            if !isClosed { _ = unsafe outbox.add(frames, UnsafeRawBufferPointer(start: nil, count: 0)) }
            note(outbox.count)
            return outbox.count
        }
        if !flushAsExpected() { Task { await flushInTheEnd() } }
        return count < Self.bearableCount
    }

    /// Lets the other side forget what has come of a message.
    func abandon() { sendInAnyCase(ConnectionFrames(.abandonment, count: 0)) }

    /// Sends what is here up to a place, or all of it.
    func flush(upTo end: UInt64?) -> Int64 {
        outbox.withLock { outbox in
            let result = outbox.flush(side)
            note(outbox.count)
            if let end, outbox.sent >= end { return 0 }
            return result
        }
    }

    func hasSent(upTo end: UInt64) -> Bool { outbox.withLock { $0.sent >= end } }

    private func note(_ count: Int) { hasCollected.store(count > 0, ordering: .releasing) }

    var mayHaveCollected: Bool { hasCollected.load(ordering: .acquiring) }
}

// MARK: - What goes by itself

extension FrameSender {
    func turnDidEnd() {
        // Where there is no room, whoever makes some lets it go.
        if !flushOnceExpected() { Task { await flushInTheEnd() } }
    }

    func flushInTheEnd() async {
        repeat { await flushPatiently(until: .never) } while !flushOnceExpected()
    }

    /// Sends what is here, also where the system is short of something for a while.
    ///
    /// Nobody waits for this, so that closing gives it time.
    private func flushPatiently(until deadline: Deadline) async {
        repeat {
            let result = await core.awaiting(.send, until: deadline, waitsFirst: false) { flush(upTo: nil) }
            if !isShortage(result) { return }
            await EventLoop.pauseInShortage()
        } while !deadline.hasPassed
    }

    /// Sends what is here; returns whether nothing is left to be seen to, or somebody sees to it already.
    private func flushAsExpected() -> Bool {
        let lease = core.leaseIfOpen(.send)
        return outbox.withLock { outbox in
            if outbox.isExpected || lease == nil { return true }
            let result = outbox.flush(side)
            note(outbox.count)
            outbox.isExpected = isPassing(result)
            return !outbox.isExpected
        }
    }

    /// The same for the one who sees to it.
    private func flushOnceExpected() -> Bool {
        outbox.withLock { $0.isExpected = false }
        return flushAsExpected()
    }

    /// Closes the descriptor as soon as what was sent has gone, or has not for some time.
    func close() {
        if isClosing.exchange(true, ordering: .sequentiallyConsistent) { return }
        partTurn.close()
        core.close(.receive)
        // Who waits for room is not kept waiting.
        if waiting.load(ordering: .sequentiallyConsistent) > 0 || flushAtLast() {
            core.close()
            return
        }
        Task {
            await flushPatiently(until: Deadline(after: Self.closingTime))
            core.close()
        }
    }

    /// Sends what is here; returns whether nothing is left that could still go.
    private func flushAtLast() -> Bool {
        guard let lease = core.leaseIfOpen(.send) else { return true }
        defer { withExtendedLifetime(lease) {} }
        return !isPassing(flush(upTo: nil))
    }

    /// Closes the descriptor at once.
    func abort() {
        isClosing.store(true, ordering: .sequentiallyConsistent)
        partTurn.close()
        core.close()
    }
}
