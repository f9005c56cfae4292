// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess

// Awaiting readiness, in such a way that closing and cancelling end it. No call is under way on the descriptor while a
// task is suspended, so that closing need not wait for it.
//
// What is awaited has a result as system calls do: a value, or a negated error code, or one of those below. It becomes
// an error at the very end, for every place that throws takes room in the frame of a suspended task.

/// Reasons why an awaited call has no result, beyond the codes of any system.
enum Ending {
    static let closed = Int64.min
    static let cancelled = Int64.min + 1
    static let timedOut = Int64.min + 2
}

extension DescriptorCore {
    /// Makes attempts, none of which waits, until one does not return "would block"; waits for readiness in between.
    ///
    /// - Parameters:
    ///   - side: What is waited for.
    ///   - deadline: For how long.
    ///   - waitsFirst: Whether an attempt is likely to be in vain before there was an event.
    ///   - attempt: The call, made with a lease.
    /// - Returns: What the last attempt returned; or one of `Ending`, or a negated error code.
    @inline(__always)
    func awaiting(
        _ side: Side,
        until deadline: Deadline,
        waitsFirst: Bool,
        _ attempt: () -> Int64
    ) async -> Int64 {
        if !waitsFirst {
            if budget.spend() { await giveWay() }
            if Task.isCancelled { return Ending.cancelled }
            if case let result = leased(side, attempt), result != -cip_codes.would_block { return result }
        }
        var failure: Int64 = 0
        guard let registration = registration(side, &failure) else { return failure }
        budget.renew()
        let kind = side == .send ? WaitKind.send : .receive
        var isBack = false
        while true {
            let outcome = await registration.wait(kind, until: deadline, isBack: isBack)
            if !outcome.mayTry { return outcome.value }
            let result = leased(side, attempt)
            // What is ready again and again, and in vain, must not keep the call from ending.
            let isOver = outcome == .timedOut || result == -cip_codes.would_block && deadline.hasPassed
            if result != -cip_codes.would_block || isOver {
                if outcome == .readyBeforeOthers { registration.passOn(kind) }
                return result != -cip_codes.would_block ? result : Ending.timedOut
            }
            isBack = true
        }
    }

    /// Lets other tasks run. (A function of its own, so that no caller's frame has room for it.)
    @inline(never)
    func giveWay() async { await Task.yield() }

    @inline(__always)
    private func leased(_ side: Side, _ attempt: () -> Int64) -> Int64 {
        guard let lease = leaseIfOpen(side) else { return Ending.closed }
        let result = attempt()
        withExtendedLifetime(lease) {}
        return result
    }

    /// Waits for readiness alone.
    ///
    /// - Returns: 0; or one of `Ending`, or a negated error code.
    func becomeReady(_ side: Side, until deadline: Deadline) async -> Int64 {
        var failure: Int64 = 0
        guard let registration = registration(side, &failure) else { return failure }
        let kind = side == .send ? WaitKind.send : .receive
        let outcome = await registration.wait(kind, until: deadline, isBack: false)
        if outcome == .readyBeforeOthers { registration.passOn(kind) }
        return outcome == .readyBeforeOthers ? 0 : outcome.value
    }

    /// The error that an awaited call without a result throws.
    @inline(never)
    func failure(_ result: Int64, _ operation: IPCError.Operation) -> IPCError {
        switch result {
        case Ending.closed: error(.closed, operation)
        case Ending.cancelled: error(.cancelled, operation)
        case Ending.timedOut: error(.timedOut, operation)
        default: error(result: result, operation)
        }
    }

    /// The result of an awaited call, if it has one.
    @inline(__always)
    func checked(_ result: Int64, _ operation: IPCError.Operation) throws(IPCError) -> Int {
        if result < 0 { throw failure(result, operation) }
        return Int(result)
    }

    /// The descriptor's membership in an event loop: in the one that runs this task, if it has none yet.
    ///
    /// - Returns: `nil` if there is none to be had, and then why.
    @inline(__always)
    func registration(_ side: Side, _ failure: inout Int64) -> Registration? {
        // Nothing else is ever attached: see `register`, which alone does it.
        if let attached { return unsafe unsafeDowncast(attached, to: Registration.self) }
        return register(side, Reactor.current ?? EventLoop.shared.reactor, &failure)
    }

    /// Makes it a member of an event loop, unless it is one already.
    @inline(never)
    private func register(_ side: Side, _ reactor: Reactor, _ failure: inout Int64) -> Registration? {
        guard let lease = leaseIfOpen(side) else {
            failure = Ending.closed
            return nil
        }
        defer { withExtendedLifetime(lease) {} }
        guard let new = reactor.register(waitable(.receive), sends: waitable(.send), &failure) else { return nil }
        let registration = unsafe unsafeDowncast(attach(new), to: Registration.self)
        if registration !== new { new.didDrain() }
        // A close that came before could not tell it.
        for side in [Side.receive, .send] where isClosed(side) { registration.willClose(side) }
        return registration
    }

    /// Makes it a member of an event loop, unless it is one already.
    ///
    /// - Throws: `.closed`, `.resourcesExhausted`.
    @discardableResult
    func register(
        _ side: Side,
        for operation: IPCError.Operation,
        _ reactor: Reactor
    ) throws(IPCError) -> Registration {
        if let attached { return unsafe unsafeDowncast(attached, to: Registration.self) }
        var failure: Int64 = 0
        guard let registration = register(side, reactor, &failure) else { throw self.failure(failure, operation) }
        return registration
    }
}
