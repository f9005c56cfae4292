// SPDX-License-Identifier: MIT OR Apache-2.0

#if INTERPROCESS_FAULT_INJECTION
internal import CInterprocess
internal import Synchronization

/// Makes system calls fail, come up short or be interrupted, in debug builds, as tests ask for it.
enum FaultInjection {
    enum Fault: Sendable {
        /// The call is not made, and this is its result.
        case result(Int64)
        /// The call is made with at most that many bytes.
        case short(Int)
    }

    private struct Plan {
        var call: System.Call
        var skip: Int
        var times: Int
        var fault: Fault
    }

    /// What was called, one after another.
    struct Recording: Sendable, Equatable {
        var calls: [System.Call] = []
        /// Those of them that move bytes, and can come up short.
        var transfers: [System.Call] = []
    }

    private static let plans = Locked<[Plan]>([])
    private static let recording = Locked<Recording?>(nil)
    private static let callback = Locked<(@Sendable (System.Call) -> Void)?>(nil)
    /// Threads whose calls are none of what is tested.
    private static let spared = Locked<Set<UInt64>>([])
    /// Read on every call, so that the locks are taken only while a test has plans.
    private static let isActive = Atomic<Bool>(false)

    /// Lets the fault happen to the given call, `times` times, after it has been let through `skip` times.
    static func inject(_ fault: Fault, into call: System.Call, after skip: Int = 0, times: Int = 1) {
        plans.withLock { $0.append(Plan(call: call, skip: skip, times: times, fault: fault)) }
        noteActivity()
    }

    /// Notes what is called from now on.
    static func startRecording() {
        recording.withLock { $0 = Recording() }
        noteActivity()
    }

    /// What was called since the recording started, which ends with this; plans stay.
    static func endRecording() -> Recording {
        defer { noteActivity() }
        return recording.withLock { recording in
            defer { recording = nil }
            return recording ?? Recording()
        }
    }

    /// How many faults are still to come.
    static var pendingCount: Int { plans.withLock { count($0) } }

    private static func count(_ plans: [Plan]) -> Int {
        plans.reduce(0) { $0.addingReportingOverflow($1.times).overflow ? .max : $0 + $1.times }
    }

    /// Forgets all plans, and tells how many faults were still to come.
    @discardableResult
    static func clear() -> Int {
        defer { noteActivity() }
        return plans.withLock { plans in
            defer { plans = [] }
            return count(plans)
        }
    }

    /// Has somebody told of each call just before it is made, until somebody else is (or nobody: `nil`).
    ///
    /// So what a call waits for can come when it waits, and not before.
    static func beforeCalls(_ body: (@Sendable (System.Call) -> Void)?) {
        callback.withLock { $0 = body }
        noteActivity()
    }

    private static func noteActivity() {
        let isIdle =
            plans.withLock { $0.isEmpty } && recording.withLock { $0 == nil } && callback.withLock { $0 == nil }
        isActive.store(!isIdle, ordering: .releasing)
    }

    /// Neither notes nor disturbs what this thread calls in a body, for it is none of what is tested.
    static func sparing<Value>(_ body: () throws -> Value) rethrows -> Value {
        let thread = cip_thread_current()
        let isFirst = spared.withLock { $0.insert(thread).inserted }
        defer { if isFirst { _ = spared.withLock { $0.remove(thread) } } }
        return try body()
    }

    /// Whether this call is to be looked at.
    private static var isWatching: Bool {
        isActive.load(ordering: .acquiring) && !spared.withLock { $0.contains(cip_thread_current()) }
    }

    static func result(of call: System.Call) -> Int64? {
        guard isWatching else { return nil }
        record(call, in: \.calls)
        if let body = callback.withLock({ $0 }) { sparing { body(call) } }
        return next(call) { fault in if case .result(let result) = fault { result } else { nil } }
    }

    static func shortened(_ call: System.Call, _ count: Int) -> Int {
        guard isWatching else { return count }
        record(call, in: \.transfers)
        return next(call) { fault in if case .short(let most) = fault { min(count, most) } else { nil } } ?? count
    }

    private static func record(_ call: System.Call, in calls: WritableKeyPath<Recording, [System.Call]>) {
        recording.withLock { $0?[keyPath: calls].append(call) }
    }

    private static func next<Effect>(_ call: System.Call, _ effect: (Fault) -> Effect?) -> Effect? {
        plans.withLock { plans in
            for index in plans.indices where plans[index].call == call && plans[index].times > 0 {
                guard let effect = effect(plans[index].fault) else { continue }
                if plans[index].skip > 0 {
                    plans[index].skip -= 1
                    return nil
                }
                plans[index].times -= 1
                return effect
            }
            return nil
        }
    }
}
#endif
