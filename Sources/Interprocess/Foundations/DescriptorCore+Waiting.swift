// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess
internal import Synchronization

// Waiting by poll, in such a way that closing ends it.

extension DescriptorCore {
    /// Waits until the descriptor is ready for reading or writing.
    ///
    /// Must be called with a lease on the side.
    ///
    /// - Throws: `.closed` when the side is closed meanwhile, `.timedOut`, `.resourcesExhausted`.
    func wait(
        _ side: Side,
        for operation: IPCError.Operation,
        _ lease: borrowing Lease,
        until deadline: Deadline
    ) throws(IPCError) {
        let interest = Int64(side == .receive ? CIP_READABLE : CIP_WRITABLE)
        try wait(polling: waitable(side), interest, side, for: operation, lease, until: deadline)
    }

    /// Makes attempts for a while instead of waiting, if that is likely to be worth it; closing the side ends that.
    ///
    /// - Returns: The result of the last attempt; `nil` when it was "would block", on a side that is open.
    func spin(
        _ side: Side,
        _ spin: borrowing AdaptiveSpin,
        until deadline: Deadline,
        _ attempt: () -> Int64
    ) -> Int64? {
        spin.run(until: deadline) {
            let result = attempt()
            return result == -cip_codes.would_block && !isClosed(side) ? nil : result
        }
    }

    /// Waits until the deadline has passed, or the side is closed.
    ///
    /// - Throws: `.closed`, `.resourcesExhausted`.
    func pause(
        _ side: Side,
        for operation: IPCError.Operation,
        _ lease: borrowing Lease,
        until deadline: Deadline
    ) throws(IPCError) {
        do throws(IPCError) {
            try wait(polling: -1, Int64(CIP_READABLE), side, for: operation, lease, until: deadline)
        } catch {
            if error.code != .timedOut { throw error }
        }
    }

    /// Waits until a descriptor or a wake is ready, or none (-1), as above.
    func wait(
        polling descriptor: Int64,
        _ interest: Int64,
        _ side: Side,
        for operation: IPCError.Operation,
        _ lease: borrowing Lease,
        until deadline: Deadline
    ) throws(IPCError) {
        // A call that `close` ends by its waker needs no wake descriptor: shutdown ends polls too.
        let needsWake = !lease.mayBlock || waker == .pipeByte || descriptor != self.descriptor
        let wake = needsWake ? try self.wake(side, for: operation) : -1
        while true {
            let result = System.once(.poll) { cip_poll(descriptor, interest, wake, deadline.remaining) }
            if isClosed(side) { throw error(.closed, operation) }
            if result > 0 { return }
            if result < 0 && result != -cip_codes.interrupted { throw error(result: result, operation) }
            // A wait that is interrupted over and over ends in time, too: nothing was ready.
            if deadline.hasPassed { throw error(.timedOut, operation) }
        }
    }

    /// The wake descriptor of a side, made when first needed.
    ///
    /// Having it published and then looking whether the side is closed, while `close` marks the side and then looks for
    /// a wake, leaves no order in which a waiter misses the close. A wake that another call made after the close is
    /// never signalled, so whoever finds one has to look as well.
    ///
    /// Who waits until both sides are closed gets the wake of one that is open: the other one's says no more.
    @discardableResult
    func wake(_ side: Side, for operation: IPCError.Operation) throws(IPCError) -> Int64 {
        let open = side == .both ? (isClosed(.receive) ? .send : .receive) : side
        let wake = wakes.wake(of: open)
        if wake < 0 { throw error(result: wake, operation) }
        if isClosed(side) { throw error(.closed, operation) }
        return side == .both && open == .receive && isClosed(open) ? try self.wake(.send, for: operation) : wake
    }
}

/// A wake for each side, made when first needed.
struct WakePair: ~Copyable, Sendable {
    private let receive = Atomic<Int64>(-1)
    private let send = Atomic<Int64>(-1)

    deinit { destroy() }

    /// Closes both wakes.
    ///
    /// Nobody may be waiting.
    func destroy() {
        let (receive, send) = (
            receive.exchange(-1, ordering: .acquiringAndReleasing), send.exchange(-1, ordering: .acquiringAndReleasing)
        )
        if receive >= 0 { cip_wake_destroy(receive) }
        if send >= 0 { cip_wake_destroy(send) }
    }

    /// The side's wake, or a negated error.
    func wake(of side: DescriptorCore.Side) -> Int64 {
        let present = load(side)
        if present >= 0 { return present }
        let made = System.call(.wake) { cip_wake_create() }
        if made < 0 { return made }
        let (done, seen) =
            side == .send
            ? send.compareExchange(expected: -1, desired: made, ordering: .sequentiallyConsistent)
            : receive.compareExchange(expected: -1, desired: made, ordering: .sequentiallyConsistent)
        if !done { cip_wake_destroy(made) }
        return done ? made : seen
    }

    /// Wakes those who wait on a side, or on both.
    func signal(_ side: DescriptorCore.Side) {
        if side == .both {
            signal(.receive)
            signal(.send)
        } else if case let wake = load(side), wake >= 0 {
            _ = cip_wake_signal(wake)
        }
    }

    private func load(_ side: DescriptorCore.Side) -> Int64 {
        side == .send ? send.load(ordering: .sequentiallyConsistent) : receive.load(ordering: .sequentiallyConsistent)
    }
}
