// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess
internal import Synchronization

/// The one owner of a descriptor, which closes it exactly once: when it has been closed here and the last call has
/// left.
///
/// It has no public members; objects that share a descriptor (a stream and its halves) share one of these.
///
/// One atomic word holds everything that calls on different threads have to agree on:
///
///     bit 63        the receiving side is closed
///     bit 62        the sending side is closed
///     bit 61        others may hold the open file description too
///     bits 30...60  blocked calls under way: in a system call that waits by itself (see `Waker`)
///     bits 0...29   other calls under way
///
/// No call starts on a closed side, and the number goes back to the system only when both sides are closed and no call
/// is under way, so no call ever uses a number that has come to mean something else.
public final class DescriptorCore: Sendable {
    /// A direction of the descriptor, or both: calls that ask for either end only when both are closed.
    enum Side: UInt64, Sendable {
        case receive = 0x8000_0000_0000_0000
        case send = 0x4000_0000_0000_0000
        case both = 0xC000_0000_0000_0000
    }

    /// How `close` ends a call that waits inside the kernel, on a description that nobody else holds.
    enum Waker: Sendable {
        /// No such call is made: all of them wait by poll, and have a wake descriptor in it.
        case poll
        /// By shutdown(2).
        case shutdown
        /// By a byte sent into the pipe that is about to go.
        case pipeByte
    }

    private static let shared: UInt64 = 1 << 61
    private static let blockedCall: UInt64 = 1 << 30
    private static let otherCall: UInt64 = 1
    private static let allCalls: UInt64 = shared - 1

    let descriptor: Int64
    /// What errors call it.
    ///
    /// Objects made from one another share the text.
    let name: String?
    private let waker: Waker
    private let state: Atomic<UInt64>
    private let receiveWake = Atomic<Int64>(-1)
    private let sendWake = Atomic<Int64>(-1)
    /// For `.pipeByte`, which takes a descriptor: so that closing works even when none is left.
    private let wakeReserve = ReserveDescriptor()
    private let attachment = SetOnce<AttachmentBox>()
    private let isGone = Atomic<Bool>(false)

    /// Takes over a descriptor, which is shared if others may hold its open file description: it was adopted or
    /// inherited, not made here.
    init(_ descriptor: consuming OwnedDescriptor, name: String?, waker: Waker, isShared: Bool = false) {
        self.descriptor = descriptor.release()
        self.name = name
        self.waker = waker
        state = Atomic(isShared || waker == .poll ? Self.shared : 0)
    }

    deinit {
        if state.load(ordering: .acquiring) & Side.both.rawValue != Side.both.rawValue { destroy() }
    }

    /// The number of calls under way, for the tests.
    var callsUnderWay: UInt64 {
        let now = state.load(ordering: .relaxed) & Self.allCalls
        return now / Self.blockedCall + now % Self.blockedCall
    }

    func error(_ code: IPCError.Code, _ operation: IPCError.Operation, detail: StaticString? = nil) -> IPCError {
        IPCError(code, operation, name: name, detail: detail)
    }

    func error(result: Int64, _ operation: IPCError.Operation) -> IPCError {
        IPCError(result: result, operation, name: name)
    }
}

// MARK: - Calls

extension DescriptorCore {
    /// A call under way; while it lasts the descriptor is not closed.
    @safe
    struct Lease: ~Copyable {
        // Whoever makes a call on a core holds it for as long, so that the lease need not.
        private let core: Unmanaged<DescriptorCore>
        private let unit: UInt64

        /// Whether the call may wait inside the kernel, because `close` can end that.
        var mayBlock: Bool { unit == DescriptorCore.blockedCall }

        fileprivate init(_ core: DescriptorCore, unit: UInt64) {
            unsafe self.core = Unmanaged.passUnretained(core)
            self.unit = unit
        }

        @inline(__always)
        deinit { unsafe core._withUnsafeGuaranteedRef { $0.leave(unit) } }
    }

    /// Starts a call on a side, or throws `.closed`.
    ///
    /// A blocking one wants to wait inside the kernel, if that is possible on this descriptor.
    @inline(__always)
    func lease(
        _ side: Side,
        for operation: IPCError.Operation,
        blocking: Bool = false
    ) throws(IPCError) -> Lease {
        if blocking && waker == .pipeByte && !wakeReserve.isHeld { prepareToBlock() }
        var old = state.load(ordering: .relaxed)
        while true {
            if old & side.rawValue == side.rawValue { throw error(.closed, operation) }
            let unit = blocking && old & Self.shared == 0 ? Self.blockedCall : Self.otherCall
            let (done, seen) = state.weakCompareExchange(
                expected: old,
                desired: old + unit,
                successOrdering: .sequentiallyConsistent,
                failureOrdering: .relaxed
            )
            if done { return Lease(self, unit: unit) }
            old = seen
        }
    }

    /// Makes sure, before the first call that waits inside the kernel, that `close` will be able to end it; where it
    /// will not, all calls wait by poll.
    private func prepareToBlock() {
        guard let lease = try? lease(.receive, for: .read) else { return }
        let canBeWoken = cip_pipe_can_wake_reader(descriptor) != 0
        if !canBeWoken || !wakeReserve.fill({ System.call(.duplicate) { cip_duplicate(descriptor) } }) {
            try? share(for: .read)
        }
        withExtendedLifetime(lease) {}
    }

    @inline(__always)
    fileprivate func leave(_ unit: UInt64) {
        if waker == .pipeByte { wakeNextReader(leaving: unit) }
        let now = state.wrappingSubtract(unit, ordering: .acquiringAndReleasing).newValue
        if now & Side.both.rawValue == Side.both.rawValue && now & Self.allCalls == 0 { destroy() }
    }

    /// A read that `close` has ended may have taken, with its own byte, those that were to wake others.
    ///
    /// So each call that leaves a closed pipe sends one more, as long as others are there. Must be called before
    /// leaving: until then the descriptor is open.
    @inline(never)
    private func wakeNextReader(leaving unit: UInt64) {
        let now = state.load(ordering: .sequentiallyConsistent)
        guard now & Side.both.rawValue == Side.both.rawValue else { return }
        let others = now & Self.allCalls - unit
        if others >= Self.blockedCall { wakeReader() }
    }

    func isClosed(_ side: Side) -> Bool {
        state.load(ordering: .sequentiallyConsistent) & side.rawValue == side.rawValue
    }

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
        try wait(polling: descriptor, interest, side, for: operation, lease, until: deadline)
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

    private func wait(
        polling descriptor: Int64,
        _ interest: Int64,
        _ side: Side,
        for operation: IPCError.Operation,
        _ lease: borrowing Lease,
        until deadline: Deadline
    ) throws(IPCError) {
        // A call that `close` ends by its waker needs no wake descriptor: shutdown ends polls too.
        let needsWake = !lease.mayBlock || waker == .pipeByte || descriptor < 0
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
    @discardableResult
    func wake(_ side: Side, for operation: IPCError.Operation) throws(IPCError) -> Int64 {
        var wake = load(wakeOf: side)
        if wake < 0 {
            let made = System.call(.wake) { cip_wake_create() }
            if made < 0 { throw error(result: made, operation) }
            let (done, seen) = compareExchange(wakeOf: side, -1, made)
            if !done { cip_wake_destroy(made) }
            wake = done ? made : seen
        }
        if isClosed(side) { throw error(.closed, operation) }
        return wake
    }

    private func load(wakeOf side: Side) -> Int64 {
        side == .send
            ? sendWake.load(ordering: .sequentiallyConsistent) : receiveWake.load(ordering: .sequentiallyConsistent)
    }

    private func compareExchange(wakeOf side: Side, _ old: Int64, _ new: Int64) -> (Bool, Int64) {
        side == .send
            ? sendWake.compareExchange(expected: old, desired: new, ordering: .sequentiallyConsistent)
            : receiveWake.compareExchange(expected: old, desired: new, ordering: .sequentiallyConsistent)
    }
}

// MARK: - Sharing and closing

extension DescriptorCore {
    var isShared: Bool { state.load(ordering: .relaxed) & Self.shared != 0 }

    /// Notes that others will hold the open file description too, so that from now on nothing is done to it to end a
    /// waiting call.
    ///
    /// - Throws: `.busy` when a call waits inside the kernel, which could no longer be ended; `.closed`.
    func share(for operation: IPCError.Operation) throws(IPCError) {
        var old = state.load(ordering: .relaxed)
        while true {
            if old & Side.both.rawValue == Side.both.rawValue { throw error(.closed, operation) }
            if old & Self.shared != 0 { return }
            if old & Self.allCalls >= Self.blockedCall {
                throw error(
                    .busy,
                    operation,
                    detail: """
                        another thread waits in a read or write on it: do this before that call starts, \
                        or after it has ended
                        """
                )
            }
            let (done, seen) = state.weakCompareExchange(
                expected: old,
                desired: old | Self.shared,
                ordering: .sequentiallyConsistent
            )
            if done { return }
            old = seen
        }
    }

    /// Closes one side or both: no call starts there any more, and those under way end soon.
    ///
    /// - Returns: Whether it was this call that closed it.
    @discardableResult
    func close(_ side: Side = .both) -> Bool {
        var old = state.load(ordering: .relaxed)
        while true {
            if old & side.rawValue == side.rawValue { return false }
            let (done, seen) = state.weakCompareExchange(
                expected: old,
                desired: (old | side.rawValue) + Self.otherCall,
                ordering: .sequentiallyConsistent
            )
            if done { break }
            old = seen
        }
        // A side that was closed before has been told of.
        attachment.value?.attachment.willClose(Side(rawValue: side.rawValue & ~old) ?? side)
        if side != .send { signal(load(wakeOf: .receive)) }
        if side != .receive { signal(load(wakeOf: .send)) }
        let blocked = old & Self.allCalls >= Self.blockedCall
        // Where the description is shared there is no such call: `share` saw to that.
        if blocked {
            switch waker {
            case .shutdown: _ = cip_shutdown(descriptor, Int64(CIP_SHUT_BOTH))
            case .pipeByte: wakeReader()
            case .poll: break
            }
        }
        leave(Self.otherCall)
        return true
    }

    /// Waits until the calls that `close` has ended have left, so that what the descriptor stood for is gone too.
    ///
    /// They are on their way; should one of them not be let run, a tenth of a second is enough.
    func waitUntilGone() {
        let deadline = Deadline(after: .milliseconds(100))
        while !isGone.load(ordering: .acquiring) && !deadline.hasPassed {
            _ = cip_poll(-1, Int64(CIP_READABLE), -1, 20_000)
        }
    }

    /// Gives the descriptor away, open.
    ///
    /// - Throws: `.closed`; `.busy` while a call is under way.
    func detach() throws(IPCError) -> Int64 {
        var old = state.load(ordering: .relaxed)
        while true {
            if old & Side.both.rawValue != 0 { throw error(.closed, .detach) }
            if old & Self.allCalls != 0 { throw error(.busy, .detach, detail: "another call is under way on it") }
            let (done, seen) = state.weakCompareExchange(
                expected: old,
                desired: old | Side.both.rawValue,
                ordering: .acquiringAndReleasing
            )
            if done { break }
            old = seen
        }
        attachment.value?.attachment.willClose(.both)
        forgetDescriptor()
        return descriptor
    }

    private func wakeReader() {
        for _ in 0..<1000 {
            if cip_pipe_wake_reader(descriptor) >= 0 { return }
            // Another thread may be faster to take the number that the reserve leaves; then it is a matter of time.
            if !wakeReserve.give() { _ = cip_poll(-1, Int64(CIP_READABLE), -1, 1_000_000) }
        }
    }

    private func signal(_ wake: Int64) {
        if wake >= 0 { _ = cip_wake_signal(wake) }
    }

    @inline(never)
    private func destroy() {
        forgetDescriptor()
        // Not repeated when interrupted: the number may already be somebody else's.
        let result = cip_close(descriptor)
        assert(
            cip_meaning(-result) != CIP_MEANS_INVALID_ARGUMENT,
            "descriptor \(descriptor) was closed by somebody else, who must own it too"
        )
        isGone.store(true, ordering: .releasing)
    }

    private func forgetDescriptor() {
        attachment.value?.attachment.didDrain()
        let receive = receiveWake.load(ordering: .acquiring)
        let send = sendWake.load(ordering: .acquiring)
        if receive >= 0 { cip_wake_destroy(receive) }
        if send >= 0 { cip_wake_destroy(send) }
        _ = wakeReserve.give()
    }
}

// MARK: - Attachments

/// What else has to know when a descriptor closes: an event loop it is registered with, or an engine that has
/// operations under way.
protocol DescriptorAttachment: AnyObject, Sendable {
    /// A side is marked closed; calls may still be under way. Comes once for each side that is closed, on the closing
    /// thread.
    func willClose(_ side: DescriptorCore.Side)
    /// No call is under way and none can come: the descriptor is closed, or given away, when this returns.
    func didDrain()
}

private final class AttachmentBox: Sendable {
    let attachment: any DescriptorAttachment
    init(_ attachment: any DescriptorAttachment) { self.attachment = attachment }
}

extension DescriptorCore {
    /// Attaches something, once.
    ///
    /// - Returns: What is attached from now on: it, or what another thread attached first.
    func attach(_ new: any DescriptorAttachment) -> any DescriptorAttachment {
        attachment.set(AttachmentBox(new)).attachment
    }

    var attached: (any DescriptorAttachment)? { attachment.value?.attachment }
}
