// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess

/// A call that waits for another call on the same object, and not for the kernel: it is woken once, or gives up.
///
/// A thread waits by a wake of its own, a task in an event loop.
final class ParkedCall: Sendable {
    private enum Way: Sendable {
        case thread(Int64)
        case task(Registration)
    }

    private let way: Way
    private let core: DescriptorCore
    private let side: DescriptorCore.Side

    private init(_ way: Way, _ core: DescriptorCore, _ side: DescriptorCore.Side) {
        self.way = way
        self.core = core
        self.side = side
    }

    /// A call that blocks its thread, and ends with a side of a descriptor.
    ///
    /// - Throws: `.resourcesExhausted`.
    static func ofThread(_ core: DescriptorCore, _ side: DescriptorCore.Side) throws(IPCError) -> ParkedCall {
        let made = System.call(.wake) { cip_wake_create() }
        if made < 0 { throw core.error(result: made, .wait) }
        return ParkedCall(.thread(made), core, side)
    }

    /// A call that suspends its task; when the descriptor is closed, somebody has to wake it.
    ///
    /// - Throws: `.resourcesExhausted`.
    static func ofTask(_ core: DescriptorCore, _ side: DescriptorCore.Side) throws(IPCError) -> ParkedCall {
        var failure: Int64 = 0
        guard let made = (Reactor.current ?? EventLoop.shared.reactor).register(-1, &failure) else {
            throw core.failure(failure, .wait)
        }
        return ParkedCall(.task(made), core, side)
    }

    deinit {
        switch way {
        case .thread(let wake): cip_wake_destroy(wake)
        case .task(let registration): registration.didDrain()
        }
    }

    /// Ends the wait, or the next one.
    func wake() {
        switch way {
        case .thread(let wake): _ = cip_wake_signal(wake)
        case .task(let registration): registration.passTurn()
        }
    }

    /// Blocks until it is woken.
    ///
    /// - Throws: `.closed`, `.timedOut`.
    func wait(_ operation: IPCError.Operation, until deadline: Deadline) throws(IPCError) {
        guard case .thread(let wake) = way else { return }
        let lease = try core.lease(side, for: operation)
        try core.wait(polling: wake, Int64(CIP_READABLE), side, for: operation, lease, until: deadline)
        _ = cip_wake_take(wake)
    }

    /// Suspends the task until it is woken.
    ///
    /// - Throws: `.timedOut`, `.cancelled`.
    func wait(_ operation: IPCError.Operation, until deadline: Deadline) async throws(IPCError) {
        guard case .task(let registration) = way else { return }
        let outcome = await registration.wait(.turn, until: deadline, isBack: false)
        if outcome.value < 0 { throw core.failure(outcome.value, operation) }
    }
}

/// Whose turn it is, where calls take turns in the order in which they came.
struct TurnLine: ~Copyable, Sendable {
    struct State {
        var isTaken = false
        var isClosed = false
        var waiting: [ParkedCall] = []
    }

    private let state = Locked(State())

    /// Waits for the turn.
    ///
    /// - Throws: `.closed`, `.timedOut`, `.wouldBlock`, `.resourcesExhausted`.
    func take(_ core: DescriptorCore, _ patience: Patience) throws(IPCError) {
        if tryTake() { return }
        if patience.isNonblocking { throw core.error(.wouldBlock, .write) }
        let call = try ParkedCall.ofThread(core, .send)
        if takeOrWait(call) { return }
        do throws(IPCError) {
            try call.wait(.write, until: patience.deadline)
        } catch {
            if leave(call) { throw error }
        }
        try checkOpen(core)
    }

    /// The same, suspending the task.
    ///
    /// - Throws: Also `.cancelled`.
    func take(_ core: DescriptorCore, until deadline: Deadline) async throws(IPCError) {
        if tryTake() { return }
        let call = try ParkedCall.ofTask(core, .send)
        if takeOrWait(call) { return }
        do throws(IPCError) {
            try await call.wait(.write, until: deadline)
        } catch {
            if leave(call) { throw error }
        }
        try checkOpen(core)
    }

    /// Gives the turn to the next one.
    func give() {
        let next = state.withLock { state -> ParkedCall? in
            if state.waiting.isEmpty {
                state.isTaken = false
                return nil
            }
            return state.waiting.removeFirst()
        }
        next?.wake()
    }

    /// Ends all waits; who comes later is not kept waiting.
    func close() {
        let waiting = state.withLock { state in
            state.isClosed = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for call in waiting { call.wake() }
    }

    private func tryTake() -> Bool { takeOrWait(nil) }

    private func takeOrWait(_ call: ParkedCall?) -> Bool {
        state.withLock { state in
            if !state.isTaken || state.isClosed {
                state.isTaken = true
                return true
            }
            if let call { state.waiting.append(call) }
            return false
        }
    }

    /// Returns whether the call still waited; else the turn is its own.
    private func leave(_ call: ParkedCall) -> Bool {
        state.withLock { state in
            guard let index = state.waiting.firstIndex(where: { $0 === call }) else { return false }
            state.waiting.remove(at: index)
            return true
        }
    }

    private func checkOpen(_ core: DescriptorCore) throws(IPCError) {
        if state.withLock({ $0.isClosed }) { throw core.error(.closed, .write) }
    }
}
