// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess

// Awaiting readiness, in such a way that closing and cancelling end it. No call is under way on the descriptor while a
// task is suspended, so that closing need not wait for it.

extension DescriptorCore {
    /// Makes attempts, none of which waits, until one has a result; waits for readiness in between.
    ///
    /// - Parameters:
    ///   - side: What is waited for.
    ///   - operation: What errors are about.
    ///   - deadline: For how long.
    ///   - waitsFirst: Whether an attempt is likely to be in vain before there was an event.
    ///   - attempt: Returns nothing if it would have to wait.
    /// - Returns: The result.
    /// - Throws: What an attempt throws; `.closed`, `.cancelled`, `.timedOut`, `.resourcesExhausted`.
    @inline(__always)
    func awaiting<Value>(
        _ side: Side,
        for operation: IPCError.Operation,
        until deadline: Deadline,
        waitsFirst: Bool,
        _ attempt: () throws(IPCError) -> Value?
    ) async throws(IPCError) -> Value {
        if !waitsFirst {
            if Task.isCancelled { throw error(.cancelled, operation) }
            if let value = try attempt() { return value }
        }
        let registration = try registration(side, for: operation)
        let kind = side == .send ? WaitKind.send : .receive
        var isBack = false
        while true {
            let outcome = await registration.wait(kind, until: deadline, isBack: isBack)
            if outcome != .ready && outcome != .readyBeforeOthers && outcome != .timedOut {
                throw failure(outcome, operation)
            }
            let result: Value?
            do throws(IPCError) {
                result = try attempt()
            } catch {
                if outcome == .readyBeforeOthers { registration.passOn(kind) }
                throw error
            }
            // What is ready again and again, and in vain, must not keep the call from ending.
            let isOver = result != nil || outcome == .timedOut || deadline.hasPassed
            if isOver && outcome == .readyBeforeOthers { registration.passOn(kind) }
            if let result { return result }
            if isOver { throw error(.timedOut, operation) }
            isBack = true
        }
    }

    /// Waits for readiness alone; `false` when the time is over.
    func isReady(
        _ side: Side,
        for operation: IPCError.Operation,
        until deadline: Deadline
    ) async throws(IPCError) -> Bool {
        let registration = try registration(side, for: operation)
        let kind = side == .send ? WaitKind.send : .receive
        let outcome = await registration.wait(kind, until: deadline, isBack: false)
        if outcome == .readyBeforeOthers { registration.passOn(kind) }
        if outcome == .ready || outcome == .readyBeforeOthers { return true }
        if outcome == .timedOut { return false }
        throw failure(outcome, operation)
    }

    func failure(_ outcome: WaitOutcome, _ operation: IPCError.Operation) -> IPCError {
        switch outcome {
        case .closed: error(.closed, operation)
        case .cancelled: error(.cancelled, operation)
        case .timedOut: error(.timedOut, operation)
        default: error(result: outcome.value, operation)
        }
    }

    /// The descriptor's membership in an event loop: the one that runs this task, if it has none yet.
    @inline(__always)
    func registration(_ side: Side, for operation: IPCError.Operation) throws(IPCError) -> Registration {
        if let attached { return unsafe unsafeDowncast(attached, to: Registration.self) }
        return try register(side, for: operation, Reactor.current ?? EventLoop.shared.reactor)
    }

    /// Makes it a member of an event loop, unless it is one already.
    @inline(never)
    @discardableResult
    func register(_ side: Side, for operation: IPCError.Operation, _ reactor: Reactor) throws(IPCError) -> Registration
    {
        let lease = try lease(side, for: operation)
        defer { withExtendedLifetime(lease) {} }
        let new = try reactor.register(descriptor)
        let registration = unsafe unsafeDowncast(attach(new), to: Registration.self)
        if registration !== new { new.didDrain() }
        // A close that came before could not tell it.
        for side in [Side.receive, .send] where isClosed(side) { registration.willClose(side) }
        return registration
    }
}
