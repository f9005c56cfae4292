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
        /// By shutdown(2), too; but that does not end waiting for room in another socket's queue, so that a call that
        /// sends has a limit (SO_SNDTIMEO), as long as nobody else holds the description.
        case shutdownAndSendLimit
        /// By a byte sent into the pipe that is about to go.
        case pipeByte
    }

    private static let shared: UInt64 = 1 << 61
    private static let blockedCall: UInt64 = 1 << 30
    private static let otherCall: UInt64 = 1
    private static let allCalls: UInt64 = shared - 1

    /// What calls are made on.
    let descriptor: Int64
    /// What is lent and given away: the same, or what was adopted, where calls are made on a description of our own.
    let lent: Int64
    /// What errors call it.
    ///
    /// Objects made from one another share the text.
    let name: String?
    let waker: Waker
    private let state: Atomic<UInt64>
    let wakes = WakePair()
    private let pipeWaker = PipeWaker()
    let attachment = SetOnce<DescriptorAttachment>()
    /// What the system's backend keeps for it.
    let companion = SetOnce<DescriptorAttachment>()
    let budget = CooperativeBudget()
    private let isGone = Atomic<Bool>(false)

    /// Takes over a descriptor, which is shared if others may hold its open file description: it was adopted or
    /// inherited, not made here.
    init(
        _ descriptor: consuming OwnedDescriptor,
        name: String?,
        waker: Waker,
        isShared: Bool = false,
        lending adopted: consuming OwnedDescriptor? = nil
    ) {
        self.descriptor = descriptor.release()
        lent = adopted?.release() ?? self.descriptor
        self.name = name
        self.waker = waker
        state = Atomic(isShared || waker == .poll ? Self.shared : 0)
    }

    deinit {
        assert(callsUnderWay == 0, "a call is under way on what is gone")
        if state.load(ordering: .acquiring) & Side.both.rawValue != Side.both.rawValue { destroy() }
    }

    /// The number of calls under way, for the tests.
    var callsUnderWay: UInt64 {
        let now = state.load(ordering: .relaxed) & Self.allCalls
        return now / Self.blockedCall + now % Self.blockedCall
    }

    func error(_ code: IPCError.Code, _ operation: IPCError.Operation, detail: String? = nil) -> IPCError {
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
        if blocking && waker == .pipeByte && !pipeWaker.isReady && !isShared { prepareToBlock() }
        guard let lease = leaseIfOpen(side, blocking: blocking) else { throw error(.closed, operation) }
        return lease
    }

    /// The same, or nothing if the side is closed.
    @inline(__always)
    func leaseIfOpen(_ side: Side, blocking: Bool = false) -> Lease? {
        var old = state.load(ordering: .relaxed)
        while true {
            if old & side.rawValue == side.rawValue { return nil }
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
        if !pipeWaker.prepare(descriptor) { try? share(for: .read) }
        // If that came from another thread meanwhile, it could not undo what came after it.
        if isShared { pipeWaker.forget(descriptor) }
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
        if others >= Self.blockedCall { pipeWaker.wake(descriptor) }
    }

    func isClosed(_ side: Side) -> Bool {
        state.load(ordering: .sequentiallyConsistent) & side.rawValue == side.rawValue
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
        let lease = try lease(.both, for: operation)
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
            if done { break }
            old = seen
        }
        if waker == .pipeByte { pipeWaker.forget(descriptor) }
        if waker == .shutdownAndSendLimit { _ = System.call(.option) { cip_set_send_timeout(descriptor, 0) } }
        withExtendedLifetime(lease) {}
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
        attached?.willClose(Side(rawValue: side.rawValue & ~old) ?? side)
        wakes.signal(side)
        let blocked = old & Self.allCalls >= Self.blockedCall
        // Where the description is shared there is no such call: `share` saw to that.
        if blocked {
            switch waker {
            case .shutdown, .shutdownAndSendLimit: _ = cip_shutdown(descriptor, Int64(CIP_SHUT_BOTH))
            case .pipeByte: pipeWaker.wake(descriptor)
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
            if old & Self.allCalls != 0 || attached?.isBusy == true {
                throw error(.busy, .detach, detail: "another call is under way on it")
            }
            let (done, seen) = state.weakCompareExchange(
                expected: old,
                desired: old | Side.both.rawValue,
                ordering: .acquiringAndReleasing
            )
            if done { break }
            old = seen
        }
        attached?.willClose(.both)
        if waker == .shutdownAndSendLimit { _ = cip_set_send_timeout(lent, 0) }
        forgetDescriptor()
        return lent
    }

    @inline(never)
    private func destroy() {
        forgetDescriptor()
        // Not repeated when interrupted: the number may already be somebody else's.
        let result = cip_close(lent)
        assert(
            cip_meaning(-result) != CIP_MEANS_INVALID_ARGUMENT,
            "descriptor \(lent) was closed by somebody else, who must own it too"
        )
        isGone.store(true, ordering: .releasing)
    }

    /// Closes everything but what is lent.
    private func forgetDescriptor() {
        attached?.didDrain()
        companion.value?.didDrain()
        wakes.destroy()
        if waker == .pipeByte { pipeWaker.forget(descriptor) }
        if descriptor != lent { _ = cip_close(descriptor) }
    }
}
