// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess
internal import Synchronization

/// The thread of an event loop, and what it works on.
///
/// It belongs to the loop and to every descriptor that is registered with it, and so outlives the loop as long as it
/// is needed.
@safe
final class Reactor: @unchecked Sendable {
    private let table = Locked(WaitTable())
    private let remoteJobs = Locked(Buffer<UnownedJob>())
    private let attention = Atomic<Attention>(.awake)
    private let isStopping = Atomic<Bool>(false)
    private let isStarted = Atomic<Bool>(false)
    /// Whether there is a poller; whoever wakes the thread by it sees to it that it is not closed meanwhile.
    private let isOpen = Locked(false)

    private let poller = UnsafeMutablePointer<cip_poller>.allocate(capacity: 1)
    private let ownState = UnsafeMutablePointer<OwnState>.allocate(capacity: 1)
    private let events = UnsafeMutablePointer<cip_event>.allocate(capacity: Int(CIP_POLLER_CAPACITY))
    private let spin: AdaptiveSpin

    /// What the thread is about, as far as others have to know.
    private enum Attention: UInt8, AtomicRepresentable {
        /// It runs.
        case awake
        /// It sleeps, or is about to.
        case asleep
        /// Something is new for it: before it sleeps, it looks at everything that others may change.
        case called
    }

    /// What only the thread touches. (Behind a pointer, which costs no checks of exclusive access.)
    @safe
    private struct OwnState: ~Copyable {
        var executor: UnownedTaskExecutor?
        var jobs = JobRing()
        var takenJobs = Buffer<UnownedJob>()
        var resumptions = Buffer<Resumption>()
        var calls = Buffer<WatcherCall>()
        /// Who has something to do at the end of this turn.
        var turnEnds = Buffer<any TurnEnd>()
        /// The task that runs now, as far as it was started from here.
        var running = TaskIdentity.none
        /// What is lent to watchers, made when first needed.
        var memory = unsafe UnsafeMutableRawBufferPointer(start: nil, count: 0)
        /// How often a task shall give up its thread before keeping it is tried again, and how often it had to last.
        var suspensions = 0
        var step = 0

        deinit { unsafe memory.deallocate() }

        mutating func admitTakenJobs() { jobs.append(&takenJobs) }
    }

    @safe
    private var own: OwnState {
        @inline(__always) _read { yield unsafe ownState.pointee }
        @inline(__always) _modify { yield unsafe &ownState.pointee }
    }

    init(spinTime: Duration) {
        spin = AdaptiveSpin(spinTime)
        unsafe ownState.initialize(to: OwnState())
        unsafe poller.initialize(to: cip_poller(queue: -1, wake: -1, alarm: -1))
    }

    deinit {
        unsafe ownState.deinitialize(count: 1)
        unsafe ownState.deallocate()
        unsafe events.deallocate()
        unsafe poller.deallocate()
    }

    /// Whether this is the thread of one.
    @inline(__always)
    static var isHere: Bool { cip_thread_mark() != 0 }

    /// The reactor whose thread this is.
    static var current: Reactor? {
        let mark = unsafe UnsafeRawPointer(bitPattern: cip_thread_mark())
        guard let mark = unsafe mark else { return nil }
        return unsafe Unmanaged<Reactor>.fromOpaque(mark).takeUnretainedValue()
    }

    private var mark: UInt { unsafe UInt(bitPattern: Unmanaged.passUnretained(self).toOpaque()) }

    private var isCurrent: Bool { cip_thread_mark() == mark }
}

// MARK: - Starting and ending

extension Reactor {
    /// Sees to it that the thread runs.
    ///
    /// - Returns: 0, or a negated error code.
    func start() -> Int64 {
        if isStarted.load(ordering: .acquiring) { return 0 }
        return isOpen.withLock { isOpen in
            if isOpen { return 0 }
            let made = System.call(.wake) {
                unsafe cip_poller_create(poller)
            }
            if made < 0 { return made }
            table.withLock { unsafe $0.poller = poller.pointee }
            let this = unsafe Unmanaged.passRetained(self)
            let started = System.call(.thread) {
                unsafe cip_thread_start(
                    "interprocess",
                    { unsafe Unmanaged<Reactor>.fromOpaque($0).takeRetainedValue().run() },
                    this.toOpaque()
                )
            }
            if started < 0 {
                unsafe this.release()
                unsafe cip_poller_destroy(poller)
                return started
            }
            isOpen = true
            isStarted.store(true, ordering: .releasing)
            return 0
        }
    }

    func setExecutor(_ executor: UnownedTaskExecutor) { unsafe own.executor = executor }

    /// Lets the thread end as soon as nothing belongs to it any more.
    func stop() {
        isStopping.store(true, ordering: .sequentiallyConsistent)
        if isStarted.load(ordering: .acquiring) { wake() }
    }

    /// Sees to it that the thread looks at what was changed before: wakes it if it sleeps.
    private func wake() {
        guard attention.exchange(.called, ordering: .acquiringAndReleasing) == .asleep else { return }
        isOpen.withLock { isOpen in
            // If another event was faster, the thread may have looked, and ended.
            if isOpen { _ = unsafe cip_poller_wake(poller) }
        }
    }
}

// MARK: - The thread

extension Reactor {
    private func run() {
        cip_thread_set_mark(mark)
        while true {
            runJobs()
            callWatchers()
            endTurn()
            takeRemoteJobs()
            if own.jobs.isEmpty && isStopping.load(ordering: .sequentiallyConsistent) && table.withLock({ $0.isEmpty })
            {
                break
            }
            turn(mayWait: isIdle)
        }
        isOpen.withLock { isOpen in
            isOpen = false
            unsafe cip_poller_destroy(poller)
        }
    }

    private func runJobs() {
        guard !own.jobs.isEmpty, let executor = unsafe own.executor else { return }
        // Those that are there now: events are looked at before the ones that come of them.
        for _ in 0..<own.jobs.count {
            let job = own.jobs.removeFirst()
            own.running = TaskIdentity(job)
            unsafe job.runSynchronously(on: executor)
        }
        own.running = .none
    }

    /// Watchers are called from here alone, and not from a wait that keeps the thread: they would run inside that task.
    private func callWatchers() {
        if own.calls.count == 0 { return }
        if unsafe own.memory.count == 0 { unsafe own.memory = .allocate(byteCount: 64 << 10, alignment: 4096) }
        let memory = unsafe own.memory
        var calls = Buffer<WatcherCall>()
        swap(&calls, &own.calls)
        calls.drain { unsafe $0.watcher.call($0.ready, memory) }
        swap(&calls, &own.calls)
    }

    /// Has somebody called before this thread waits for anything, or looks whether it has to; to be used on it.
    @inline(__always)
    func callAtEndOfTurn(_ end: any TurnEnd) { own.turnEnds.append(end) }

    @inline(__always)
    private func endTurn() {
        if own.turnEnds.count > 0 { callTurnEnds() }
    }

    @inline(never)
    private func callTurnEnds() {
        var ends = Buffer<any TurnEnd>()
        swap(&ends, &own.turnEnds)
        ends.drain { $0.turnDidEnd() }
        if own.turnEnds.count == 0 { swap(&ends, &own.turnEnds) }
    }

    private func takeRemoteJobs() {
        guard isCalled else { return }
        // First this, and then the look at what is new.
        _ = attention.exchange(.awake, ordering: .acquiringAndReleasing)
        remoteJobs.withLock { remote in swap(&remote, &own.takenJobs) }
        own.admitTakenJobs()
    }

    /// Looks at what has happened, and lets those go who have waited for it; waits for something to happen, if it may.
    ///
    /// - Returns: What the task is told that has kept the thread, if it is let go.
    @discardableResult
    private func turn(mayWait: Bool) -> WaitOutcome? {
        let count = poll(mayWait: mayWait)
        // Taken out of the state, which those that are let go come to use.
        var resumptions = Buffer<Resumption>()
        swap(&resumptions, &own.resumptions)
        let outcome = table.withLock { table -> WaitOutcome? in
            unsafe table.dispatch(UnsafeBufferPointer(start: events, count: max(0, count)))
            table.takeResumptions(&resumptions)
            table.takeCalls(&own.calls)
            return table.takeOutcomeHere()
        }
        resumptions.drain { $0.resume() }
        swap(&resumptions, &own.resumptions)
        return outcome
    }

    @inline(__always)
    private func poll(mayWait: Bool) -> Int {
        if mayWait && spin.isOn, let count = pollSpinning() { return count }
        // Who calls the thread from now on wakes it; who did before keeps it from sleeping.
        let sleeps = mayWait && pass(from: .awake, to: .asleep)
        let count = unsafe cip_poller_wait(poller, events, sleeps)
        if sleeps { _ = pass(from: .asleep, to: .awake) }
        return Int(count)
    }

    private func pollSpinning() -> Int? {
        spin.run {
            let count = unsafe cip_poller_wait(poller, events, false)
            return count > 0 || isCalled ? Int(count) : nil
        }
    }

    @inline(__always)
    private func pass(from before: Attention, to after: Attention) -> Bool {
        attention.compareExchange(expected: before, desired: after, ordering: .acquiringAndReleasing).exchanged
    }

    private var isCalled: Bool { attention.load(ordering: .relaxed) == .called }

    /// Takes a part of a task; `false` if the thread cannot be started.
    func enqueue(_ job: UnownedJob) -> Bool {
        if isCurrent {
            own.jobs.append(job)
            return true
        }
        if start() < 0 { return false }
        // Once others see the job, it may run to its end, and the last reference to the loop go with it.
        let this = unsafe Unmanaged.passRetained(self)
        defer { unsafe this.release() }
        remoteJobs.withLock { $0.append(job) }
        wake()
        return true
    }
}

// MARK: - Waiting

extension Reactor {
    /// Takes a descriptor into the table, or a pause (-1).
    ///
    /// - Returns: `nil` if the thread cannot be started, and then why.
    func register(_ descriptor: Int64, sends: Int64 = -1, _ failure: inout Int64) -> Registration? {
        failure = start()
        return failure < 0 ? nil : Registration(self, table.withLock { $0.add(descriptor, sends: sends) })
    }

    func remove(_ token: SlotToken) {
        table.withLock { $0.remove(token) }
        if isStopping.load(ordering: .sequentiallyConsistent) { wake() }
    }

    func setWatcher(_ watcher: (any Watcher)?, _ token: SlotToken, for wanted: Int64) -> Int64 {
        table.withLock { $0.setWatcher(watcher, token, for: wanted) }
    }

    func waiterCount(_ token: SlotToken) -> Int { table.withLock { $0.waiterCount(token) } }

    /// How many tasks wait at all, for the tests.
    var waiterCount: Int { table.withLock { $0.waiterCount } }

    /// Lets a task wait that has given up its thread; returns the outcome if there is one already.
    ///
    /// Of a task that waits in a scope, the table knows whether it is cancelled.
    @inline(__always)
    func install(
        _ waiter: Waiter,
        _ token: SlotToken,
        _ kind: WaitKind,
        isBack: Bool,
        isScoped: Bool
    ) -> WaitOutcome? {
        table.withLock { table in
            if let outcome = table.install(waiter, token, kind, isBack: isBack) { return outcome }
            // Who cancels marks the task first, and then looks here for it.
            if !isScoped && Task.isCancelled {
                table.withdrawSilently(waiter.task, token, kind)
                return .cancelled
            }
            return nil
        }
    }

    /// Lets a task wait on the loop's own thread without giving it up, for as long as there is nothing else to do.
    ///
    /// It spares the task its suspension and resumption. The caller must hold no actor, for that would be held too.
    ///
    /// - Returns: The outcome; or `nil` if the task has to be suspended after all, by `suspend`.
    func waitHere(
        _ waiter: Waiter,
        _ token: SlotToken,
        _ kind: WaitKind,
        isBack: Bool,
        isScoped: Bool
    ) -> WaitOutcome? {
        if let outcome = install(waiter, token, kind, isBack: isBack, isScoped: isScoped) { return outcome }
        endTurn()
        repeat {
            if let outcome = turn(mayWait: true) {
                own.step = 0
                return outcome
            }
        } while isIdle
        // There is more to do here than this task. While that is so again and again, it is tried ever more seldom.
        own.step = min(64, 2 * own.step + 1)
        own.suspensions = own.step
        return nil
    }

    /// Whether this is the loop's thread, nothing else is likely to be done there, and the task holds no actor.
    ///
    /// A task that another one has started here (`Task.immediate`) must not keep the thread from that one.
    @inline(__always)
    func canWaitHere(_ task: TaskIdentity, _ isolation: (any Actor)?) -> Bool {
        guard isolation == nil && isCurrent && own.running == task else { return false }
        if own.suspensions > 0 {
            own.suspensions &-= 1
            return false
        }
        return isIdle
    }

    private var isIdle: Bool { own.jobs.isEmpty && own.calls.count == 0 && !isCalled }

    func suspend(
        _ task: TaskIdentity,
        _ token: SlotToken,
        _ kind: WaitKind,
        _ continuation: UnsafeContinuation<WaitOutcome, Never>
    ) -> WaitOutcome? {
        table.withLock { unsafe $0.suspend(task, token, kind, continuation) }
    }

    /// Changes the table from whatever thread, and then resumes those who were let go by it.
    func update(_ body: (inout WaitTable) -> Void) {
        var resumptions = Buffer<Resumption>()
        let endsWaitHere = table.withLock { table -> Bool in
            body(&table)
            table.takeResumptions(&resumptions)
            return table.outcomeHere != nil
        }
        resumptions.drain { $0.resume() }
        if endsWaitHere { wake() }
    }
}
