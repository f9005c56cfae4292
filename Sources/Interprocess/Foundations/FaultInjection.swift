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
    /// Read on every call, so that the lock is taken only while a test has plans.
    private static let isActive = Atomic<Bool>(false)

    /// Lets the fault happen to the given call, `times` times, after it has been let through `skip` times.
    static func inject(_ fault: Fault, into call: System.Call, after skip: Int = 0, times: Int = 1) {
        plans.withLock { $0.append(Plan(call: call, skip: skip, times: times, fault: fault)) }
        isActive.store(true, ordering: .releasing)
    }

    /// Notes what is called from now on.
    static func startRecording() {
        recording.withLock { $0 = Recording() }
        isActive.store(true, ordering: .releasing)
    }

    /// What was called since the recording started, which ends with this; plans stay.
    static func endRecording() -> Recording {
        let hasPlans = plans.withLock { !$0.isEmpty }
        isActive.store(hasPlans, ordering: .releasing)
        return recording.withLock { recording in
            defer { recording = nil }
            return recording ?? Recording()
        }
    }

    /// Forgets all plans, and tells how many faults were still to come.
    @discardableResult
    static func clear() -> Int {
        isActive.store(false, ordering: .releasing)
        return plans.withLock { plans in
            defer { plans = [] }
            return plans.reduce(0) { $0.addingReportingOverflow($1.times).overflow ? .max : $0 + $1.times }
        }
    }

    static func result(of call: System.Call) -> Int64? {
        record(call, in: \.calls)
        return next(call) { fault in if case .result(let result) = fault { result } else { nil } }
    }

    static func shortened(_ call: System.Call, _ count: Int) -> Int {
        record(call, in: \.transfers)
        return next(call) { fault in if case .short(let most) = fault { min(count, most) } else { nil } } ?? count
    }

    private static func record(_ call: System.Call, in calls: WritableKeyPath<Recording, [System.Call]>) {
        guard isActive.load(ordering: .acquiring) else { return }
        recording.withLock { $0?[keyPath: calls].append(call) }
    }

    private static func next<Effect>(_ call: System.Call, _ effect: (Fault) -> Effect?) -> Effect? {
        guard isActive.load(ordering: .acquiring) else { return nil }
        return plans.withLock { plans in
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
