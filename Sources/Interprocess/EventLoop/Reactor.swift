// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess
internal import Synchronization

/// The thread of an event loop, and what it works on.
///
/// It belongs to the loop and to every descriptor that is registered with it, and so outlives the loop as long as it
/// is needed.
@safe
final class Reactor: @unchecked Sendable {
    private let table = Mutex(WaitTable())
    private let remoteJobs = Mutex(Buffer<UnownedJob>())
    private let hasRemoteJobs = Atomic<Bool>(false)
    /// Whether the thread sleeps, or is about to look a last time whether it may.
    private let isAsleep = Atomic<Bool>(false)
    /// When the thread has to wake up by itself.
    private let alarm = Atomic<Int64>(.max)
    private let isStopping = Atomic<Bool>(false)
    private let isStarted = Atomic<Bool>(false)
    private let starting = Mutex(())

    private var executor: UnownedTaskExecutor?
    private var poller = cip_poller(queue: -1, wake: -1)
    private let ownState = UnsafeMutablePointer<OwnState>.allocate(capacity: 1)
    private let events = UnsafeMutablePointer<cip_event>.allocate(capacity: Int(CIP_POLLER_CAPACITY))
    private let spinTime: Int64

    /// What only the thread touches. (Behind a pointer, which costs no checks of exclusive access.)
    private struct OwnState: ~Copyable {
        var jobs = JobRing()
        var takenJobs = Buffer<UnownedJob>()
        var resumptions = Buffer<Resumption>()
        /// How often a task shall give up its thread before keeping it is tried again, and how often it had to last.
        var suspensions = 0
        var step = 0
    }

    @safe
    private var own: OwnState {
        @inline(__always) _read { yield unsafe ownState.pointee }
        @inline(__always) _modify { yield unsafe &ownState.pointee }
    }

    init(spinTime: Duration) {
        self.spinTime = spinTime.wholeNanoseconds
        unsafe ownState.initialize(to: OwnState())
    }

    deinit {
        unsafe ownState.deinitialize(count: 1)
        unsafe ownState.deallocate()
        unsafe events.deallocate()
    }

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
    /// - Throws: `.resourcesExhausted`.
    func start() throws(IPCError) {
        if isStarted.load(ordering: .acquiring) { return }
        let result = starting.withLock { _ -> Int64 in
            if isStarted.load(ordering: .relaxed) { return 0 }
            let made = System.call(.wake) {
                unsafe withUnsafeMutablePointer(to: &poller) { unsafe cip_poller_create($0) }
            }
            if made < 0 { return made }
            table.withLock { $0.poller = poller }
            let this = unsafe Unmanaged.passRetained(self)
            let started = unsafe cip_thread_start(
                "interprocess",
                { unsafe Unmanaged<Reactor>.fromOpaque($0).takeRetainedValue().run() },
                this.toOpaque()
            )
            if started < 0 {
                unsafe this.release()
                unsafe withUnsafePointer(to: poller) { unsafe cip_poller_destroy($0) }
                return started
            }
            isStarted.store(true, ordering: .releasing)
            return 0
        }
        if result < 0 { throw IPCError(result: result, .wait, name: "the event loop") }
    }

    func setExecutor(_ executor: UnownedTaskExecutor) { unsafe self.executor = executor }

    /// Lets the thread end as soon as nothing belongs to it any more.
    func stop() {
        isStopping.store(true, ordering: .sequentiallyConsistent)
        if isStarted.load(ordering: .acquiring) { wake() }
    }

    /// Wakes the thread if it sleeps.
    private func wake() {
        guard isAsleep.exchange(false, ordering: .sequentiallyConsistent) else { return }
        _ = unsafe withUnsafePointer(to: poller) { unsafe cip_poller_wake($0) }
    }
}

// MARK: - The thread

extension Reactor {
    /// How many parts of tasks are run before events are looked at again.
    private static var budget: Int { 512 }

    private func run() {
        cip_thread_set_mark(mark)
        while true {
            runJobs()
            takeRemoteJobs()
            if own.jobs.isEmpty && isStopping.load(ordering: .sequentiallyConsistent) && table.withLock({ $0.isEmpty })
            {
                break
            }
            turn(mayWait: own.jobs.isEmpty)
        }
        unsafe withUnsafePointer(to: poller) { unsafe cip_poller_destroy($0) }
    }

    private func runJobs() {
        guard !own.jobs.isEmpty, let executor = unsafe executor else { return }
        var left = Self.budget
        while !own.jobs.isEmpty && left > 0 {
            left &-= 1
            unsafe own.jobs.removeFirst().runSynchronously(on: executor)
        }
    }

    private func takeRemoteJobs() {
        guard hasRemoteJobs.load(ordering: .relaxed) else { return }
        remoteJobs.withLock { remote in
            hasRemoteJobs.store(false, ordering: .sequentiallyConsistent)
            swap(&remote, &own.takenJobs)
        }
        own.takenJobs.drain { own.jobs.append($0) }
    }

    /// Looks at what has happened, and lets those go who have waited for it; waits for something to happen, if it may.
    ///
    /// - Returns: What the task is told that has kept the thread, if it is let go.
    @discardableResult
    private func turn(mayWait: Bool) -> WaitOutcome? {
        let count = poll(mayWait: mayWait)
        let alarm = alarm.load(ordering: .relaxed)
        let now = alarm == .max ? Int64.min : cip_now()
        let outcome = table.withLock { table -> WaitOutcome? in
            unsafe table.dispatch(UnsafeBufferPointer(start: events, count: max(0, count)))
            if alarm <= now {
                table.expire(now)
                self.alarm.store(table.earliestAlarm, ordering: .sequentiallyConsistent)
            }
            table.takeResumptions(&own.resumptions)
            return table.takeOutcomeHere()
        }
        own.resumptions.drain { $0.resume() }
        return outcome
    }

    @inline(__always)
    private func poll(mayWait: Bool) -> Int {
        var limit: Int64 = 0
        if mayWait {
            // Told first and looked at then, while others do it the other way round: somebody sees.
            isAsleep.store(true, ordering: .sequentiallyConsistent)
            let alarm = alarm.load(ordering: .sequentiallyConsistent)
            if !hasRemoteJobs.load(ordering: .sequentiallyConsistent) {
                limit = alarm == .max ? -1 : max(0, alarm - cip_now())
            }
        }
        let count = unsafe withUnsafePointer(to: poller) { unsafe cip_poller_wait($0, events, limit) }
        if mayWait { isAsleep.store(false, ordering: .relaxed) }
        return Int(count)
    }

    /// Takes a part of a task; `false` if the thread cannot be started.
    func enqueue(_ job: UnownedJob) -> Bool {
        if isCurrent {
            own.jobs.append(job)
            return true
        }
        guard (try? start()) != nil else { return false }
        remoteJobs.withLock { remote in
            remote.append(job)
            hasRemoteJobs.store(true, ordering: .sequentiallyConsistent)
        }
        wake()
        return true
    }
}

// MARK: - Waiting

extension Reactor {
    /// Takes a descriptor into the table, or a pause (-1).
    func register(_ descriptor: Int64) throws(IPCError) -> Registration {
        try start()
        return Registration(self, table.withLock { $0.add(descriptor) })
    }

    func remove(_ token: SlotToken) {
        table.withLock { $0.remove(token) }
        if isStopping.load(ordering: .sequentiallyConsistent) { wake() }
    }

    func waiterCount(of token: SlotToken) -> Int { table.withLock { $0.waiterCount(of: token) } }

    /// Lets a task wait that has given up its thread; returns the outcome if there is one already.
    @inline(__always)
    func install(_ waiter: Waiter, _ token: SlotToken, _ kind: WaitKind, isBack: Bool) -> WaitOutcome? {
        let (outcome, earliest) = table.withLock { table -> (WaitOutcome?, Int64) in
            if let outcome = table.install(waiter, token, kind, isBack: isBack) { return (outcome, .max) }
            // Who cancels marks the task first, and then looks here for it.
            if Task.isCancelled {
                table.withdrawSilently(waiter.task, token, kind)
                return (.cancelled, .max)
            }
            return (nil, waiter.deadline == .max ? .max : table.earliestAlarm)
        }
        if earliest != .max { bringForward(earliest) }
        return outcome
    }

    /// Sees to it that the thread wakes up in time.
    private func bringForward(_ time: Int64) {
        if alarm.min(time, ordering: .sequentiallyConsistent).oldValue > time && !isCurrent { wake() }
    }

    /// Lets a task wait on the loop's own thread without giving it up, for as long as there is nothing else to do.
    ///
    /// It spares the task its suspension and resumption. The caller must hold no actor, for that would be held too.
    ///
    /// - Returns: The outcome; or `nil` if the task has to be suspended after all, by `suspend`.
    func waitHere(_ waiter: Waiter, _ token: SlotToken, _ kind: WaitKind, isBack: Bool) -> WaitOutcome? {
        if let outcome = install(waiter, token, kind, isBack: isBack) { return outcome }
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
    @inline(__always)
    func canWaitHere(_ isolation: (any Actor)?) -> Bool {
        guard isolation == nil && isCurrent else { return false }
        if own.suspensions > 0 {
            own.suspensions &-= 1
            return false
        }
        return isIdle
    }

    private var isIdle: Bool { own.jobs.isEmpty && !hasRemoteJobs.load(ordering: .relaxed) }

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
