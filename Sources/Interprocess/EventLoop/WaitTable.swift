// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess

/// Who waits for what: everything that a loop's thread shares with others, to be used under its lock.
///
/// Waiters that are let go are collected in `resumptions`, to be resumed without the lock.
@safe
struct WaitTable: ~Copyable, @unchecked Sendable {
    var poller = cip_poller(queue: -1, wake: -1, alarm: -1)
    private var resumptions = Buffer<Resumption>()
    private var calls = Buffer<WatcherCall>()
    /// What the waiter is told that has kept the loop's thread.
    private(set) var outcomeHere: WaitOutcome?

    private var slots: UnsafeMutablePointer<WaitSlot>
    private var capacity = 16
    private var used = 0
    private var free: [Int] = []
    private var timers = TimerHeap()
    /// When the poller's alarm rings: not later than the earliest of the timers.
    private var alarm = Int64.max

    init() { unsafe slots = .allocate(capacity: capacity) }

    deinit {
        unsafe slots.deinitialize(count: used)
        unsafe slots.deallocate()
    }

    var isEmpty: Bool { used == free.count }

    /// When the first wait is over, for the tests.
    var earliestAlarm: Int64 { timers.earliest }

    /// How many alarms are set, for the tests.
    var alarmCount: Int { timers.count }

    // MARK: Slots

    mutating func add(_ descriptor: Int64, sends: Int64 = -1) -> SlotToken {
        if let index = free.popLast() {
            let token = SlotToken(index: index, generation: unsafe slots[index].token.generation &+ 1)
            unsafe slots[index] = WaitSlot(token: token, descriptor: descriptor, sends: sends)
            return token
        }
        if used == capacity { grow() }
        let token = SlotToken(index: used, generation: 0)
        unsafe (slots + used).initialize(to: WaitSlot(token: token, descriptor: descriptor, sends: sends))
        used += 1
        return token
    }

    private mutating func grow() {
        let larger = UnsafeMutablePointer<WaitSlot>.allocate(capacity: 2 * capacity)
        unsafe larger.moveInitialize(from: slots, count: used)
        unsafe slots.deallocate()
        unsafe slots = larger
        capacity *= 2
    }

    private func holds(_ token: SlotToken) -> Bool {
        unsafe token.index < used && slots[token.index].isUsed && slots[token.index].token == token
    }

    /// Gives the slot back; the descriptor is open until this returns.
    mutating func remove(_ token: SlotToken) {
        guard holds(token) else { return }
        unsafe tell(&slots[token.index], 0)
        unsafe slots[token.index].isUsed = false
        unsafe slots[token.index].watcher = nil
        timers.remove(token.index)
        free.append(token.index)
    }

    // MARK: Waiting

    /// How many wait for a descriptor.
    func waiterCount(_ token: SlotToken) -> Int {
        guard holds(token) else { return 0 }
        let slot = unsafe slots + token.index
        return unsafe slot.pointee.receivers.count + slot.pointee.senders.count + slot.pointee.turns.count
    }

    /// How many wait at all, for the tests.
    var waiterCount: Int { (0..<used).reduce(0) { unsafe $0 + waiterCount(slots[$1].token) } }

    /// Lets somebody wait; returns the outcome if there is one already.
    @inline(__always)
    mutating func install(_ waiter: Waiter, _ token: SlotToken, _ kind: WaitKind, isBack: Bool) -> WaitOutcome? {
        guard holds(token) else { return .closed }
        let slot = unsafe slots + token.index
        if unsafe slot.pointee.closed & kind.bit != 0 { return .closed }
        // Whatever becomes of this wait, others may be let go from now on.
        if isBack { passOn(token, kind) }
        if unsafe !slot.pointee.interrupted.isEmpty && slot.pointee.interrupted.contains(waiter.task) {
            return .cancelled
        }
        if kind == .turn {
            if unsafe slot.pointee.hasPass {
                unsafe slot.pointee.hasPass = false
                return .ready
            }
        } else if case let result = unsafe watch(&slot.pointee, for: kind), result < 0 {
            return WaitOutcome(value: result)
        }
        if isBack {
            unsafe slot.pointee[kind].putBack(waiter)
        } else {
            unsafe slot.pointee[kind].append(waiter)
        }
        if unsafe waiter.deadline < slot.pointee.alarm { unsafe setAlarm(&slot.pointee, waiter.deadline) }
        return nil
    }

    /// Ends the wait of a task, if it still waits.
    mutating func withdraw(_ task: TaskIdentity, _ token: SlotToken, _ kind: WaitKind, _ outcome: WaitOutcome) {
        guard holds(token), let waiter = unsafe slots[token.index][kind].remove(task) else { return }
        release(waiter, outcome)
    }

    /// Ends the wait of a task, and every wait that it begins here, as if it was cancelled.
    mutating func interrupt(_ task: TaskIdentity, _ token: SlotToken) {
        guard holds(token) else { return }
        unsafe slots[token.index].interrupted.append(task)
        for kind in [WaitKind.receive, .send, .turn] { withdraw(task, token, kind, .cancelled) }
    }

    /// Lets a task that was interrupted wait again.
    mutating func allow(_ task: TaskIdentity, _ token: SlotToken) {
        guard holds(token) else { return }
        unsafe slots[token.index].interrupted.removeAll { $0 == task }
    }

    /// Ends the wait of a task before it has begun, which is to be told otherwise.
    mutating func withdrawSilently(_ task: TaskIdentity, _ token: SlotToken, _ kind: WaitKind) {
        if holds(token) { _ = unsafe slots[token.index][kind].remove(task) }
    }

    /// Lets the next one go, after one that was let go before others.
    mutating func passOn(_ token: SlotToken, _ kind: WaitKind) {
        guard holds(token) else { return }
        let slot = unsafe slots + token.index
        unsafe slot.pointee[kind].finishServing()
        guard unsafe slot.pointee[kind].wantsEvents else { return }
        let result = unsafe watch(&slot.pointee, for: kind)
        if result < 0 { releaseAll(token, kind, WaitOutcome(value: result)) }
    }

    /// Lets one go that waits for its turn, or the next one that comes to wait.
    mutating func passTurn(_ token: SlotToken) {
        guard holds(token) else { return }
        if let (waiter, outcome) = unsafe slots[token.index].turns.serve() {
            unsafe slots[token.index].turns.finishServing()
            release(waiter, outcome)
        } else {
            unsafe slots[token.index].hasPass = true
        }
    }

    /// Marks sides as closed, and ends all waits there.
    mutating func close(_ token: SlotToken, _ kinds: [WaitKind]) {
        guard holds(token) else { return }
        for kind in kinds {
            unsafe slots[token.index].closed |= kind.bit
            releaseAll(token, kind, .closed)
        }
    }

    /// Ends all waits of one kind.
    mutating func releaseAll(_ token: SlotToken, _ kind: WaitKind, _ outcome: WaitOutcome) {
        guard holds(token) else { return }
        for waiter in unsafe slots[token.index][kind].removeAll() { release(waiter, outcome) }
    }

    @inline(__always)
    private mutating func release(_ waiter: Waiter, _ outcome: WaitOutcome) {
        if let continuation = unsafe waiter.continuation {
            resumptions.append(unsafe Resumption(continuation: continuation, outcome: outcome))
        } else {
            outcomeHere = outcome
        }
    }

    // MARK: Events

    /// Has somebody called whenever the descriptor is ready for what is wanted, or no longer.
    mutating func setWatcher(_ watcher: (any Watcher)?, _ token: SlotToken, for wanted: Int64) -> Int64 {
        guard holds(token) else { return 0 }
        unsafe slots[token.index].watcher = watcher
        return unsafe tell(&slots[token.index], wanted | Int64(CIP_WATCHED))
    }

    /// Lets those go whom the events concern.
    @inline(__always)
    mutating func dispatch(_ events: UnsafeBufferPointer<cip_event>) {
        for index in events.indices {
            let token = unsafe SlotToken(bits: events[index].token)
            let ready = unsafe events[index].ready
            guard holds(token) else {
                if ready == Int64(CIP_ALARM) { expire(cip_now()) }
                continue
            }
            let slot = unsafe slots + token.index
            if let watcher = unsafe slot.pointee.watcher {
                calls.append(WatcherCall(watcher: watcher, ready: ready))
                continue
            }
            // What nobody waits for is not watched any longer, or it would be told of over and over.
            var unwanted: Int64 = 0
            if ready & Int64(CIP_READABLE) != 0 {
                if let (waiter, outcome) = unsafe slot.pointee.receivers.serve() {
                    release(waiter, outcome)
                } else {
                    unwanted |= Int64(CIP_READABLE)
                }
            }
            if ready & Int64(CIP_WRITABLE) != 0 {
                if let (waiter, outcome) = unsafe slot.pointee.senders.serve() { release(waiter, outcome) }
                // A writer waits seldom; were its interest kept, each read of the peer would wake this side in vain.
                if unsafe !slot.pointee.senders.wantsEvents { unwanted |= Int64(CIP_WRITABLE) }
            }
            if unwanted != 0 { unsafe tell(&slot.pointee, slot.pointee.watched & ~unwanted) }
        }
    }

    @inline(__always)
    private func watch(_ slot: inout WaitSlot, for kind: WaitKind) -> Int64 {
        let wanted = slot.watched | kind.bit | Int64(CIP_WATCHED)
        return wanted == slot.watched ? 0 : System.call(.watch) { tell(&slot, wanted) }
    }

    /// Tells the poller what to watch for from now on.
    @inline(__always)
    @discardableResult
    private func tell(_ slot: inout WaitSlot, _ wanted: Int64) -> Int64 {
        if wanted == slot.watched { return 0 }
        let result = unsafe withUnsafePointer(to: poller) {
            unsafe cip_poller_set($0, slot.descriptor, slot.sends, slot.watched, wanted, slot.token.bits)
        }
        if result >= 0 { slot.watched = wanted }
        return result
    }

    // MARK: Time

    /// Lets those go whose deadline has passed.
    mutating func expire(_ now: Int64) {
        while let index = timers.removeFirst(notAfter: now) {
            let slot = unsafe slots + index
            unsafe slot.pointee.alarm = .max
            var earliest = Int64.max
            for kind in [WaitKind.receive, .send, .turn] {
                earliest = min(earliest, unsafe slot.pointee[kind].expire(now) { release($0, .timedOut) })
            }
            if earliest != .max { unsafe setAlarm(&slot.pointee, earliest) }
        }
        alarm = .max
        keepAlarm()
    }

    private mutating func setAlarm(_ slot: inout WaitSlot, _ time: Int64) {
        slot.alarm = time
        timers.set(time, for: slot.token.index)
        keepAlarm()
    }

    /// Sees to it that the poller's alarm rings in time.
    ///
    /// That it rings in vain does no harm, so it is moved seldom.
    private mutating func keepAlarm() {
        guard timers.earliest < alarm else { return }
        alarm = timers.earliest
        _ = unsafe cip_poller_set_alarm(&poller, alarm)
    }

    // MARK: The loop's own thread

    /// Exchanges the collected resumptions, if there are any, for an empty buffer, whose memory is used from then on.
    @inline(__always)
    mutating func takeResumptions(_ empty: inout Buffer<Resumption>) {
        if resumptions.count > 0 { swap(&resumptions, &empty) }
    }

    @inline(__always)
    mutating func takeCalls(_ empty: inout Buffer<WatcherCall>) {
        if calls.count > 0 { swap(&calls, &empty) }
    }

    mutating func takeOutcomeHere() -> WaitOutcome? { outcomeHere.take() }

    /// Gives the waiter that has kept its thread a continuation; returns the outcome if it need not wait any more.
    mutating func suspend(
        _ task: TaskIdentity,
        _ token: SlotToken,
        _ kind: WaitKind,
        _ continuation: UnsafeContinuation<WaitOutcome, Never>
    ) -> WaitOutcome? {
        if let outcome = outcomeHere.take() { return outcome }
        let waits = unsafe holds(token) && slots[token.index][kind].suspend(task, continuation)
        return waits ? nil : .closed
    }
}
