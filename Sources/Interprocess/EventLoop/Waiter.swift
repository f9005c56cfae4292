// SPDX-License-Identifier: MIT OR Apache-2.0

/// How a wait has ended: one of these, or the negated error of a system call.
struct WaitOutcome: Equatable, Sendable {
    let value: Int64

    /// The call may be tried.
    static let ready = WaitOutcome(value: 0)
    /// The same, and others wait for the same: whoever gets this tries, and then lets them go on.
    static let readyBeforeOthers = WaitOutcome(value: 1)
    /// The side is closed.
    static let closed = WaitOutcome(value: 2)
    /// The task is cancelled.
    static let cancelled = WaitOutcome(value: 3)
    /// The deadline has passed.
    static let timedOut = WaitOutcome(value: 4)
}

/// Identifies a task, which waits for one thing at a time.
struct TaskIdentity: Equatable, Sendable {
    let value: UInt

    static let none = TaskIdentity(value: 0)

    /// The task that runs now.
    static var current: TaskIdentity {
        unsafe withUnsafeCurrentTask { task in
            guard let task = unsafe task else { return .none }
            return TaskIdentity(value: unsafe unsafeBitCast(task, to: UInt.self))
        }
    }
}

/// A task that waits.
@safe
struct Waiter: @unchecked Sendable {
    /// `nil` while the task has not given up its thread, which is the loop's own (see `Reactor.waitHere`).
    var continuation: UnsafeContinuation<WaitOutcome, Never>?
    let task: TaskIdentity
    /// In nanoseconds, as in `Deadline`.
    let deadline: Int64

    @inline(__always)
    func suspended(_ continuation: UnsafeContinuation<WaitOutcome, Never>) -> Waiter {
        unsafe Waiter(continuation: continuation, task: task, deadline: deadline)
    }
}

/// A waiter that has been taken out, and what it is to be told.
@safe
struct Resumption: @unchecked Sendable {
    let continuation: UnsafeContinuation<WaitOutcome, Never>
    let outcome: WaitOutcome

    @inline(__always)
    func resume() { unsafe continuation.resume(returning: outcome) }
}

/// Those who wait for the same thing, in the order in which they came.
///
/// One of them at a time is let go. While others wait, the next one is let go only when the first has said that it is
/// done, so that they are served in order, and not woken in vain.
struct WaiterQueue {
    private var first: Waiter?
    private var others: [Waiter] = []
    /// Whether one has been let go before others, and is not done.
    private var isServing = false

    var count: Int { first == nil ? 0 : others.count + 1 }

    /// Whether the next event is worth anything.
    var wantsEvents: Bool { first != nil && !isServing }

    @inline(__always)
    mutating func append(_ waiter: Waiter) {
        if first == nil { first = waiter } else { others.append(waiter) }
    }

    /// Puts one back that was let go, and found nothing.
    mutating func putBack(_ waiter: Waiter) {
        isServing = false
        if let first { others.insert(first, at: 0) }
        first = waiter
    }

    /// Lets the next one go, unless there is none or another one is at it.
    @inline(__always)
    mutating func serve() -> (Waiter, WaitOutcome)? {
        guard let waiter = first, !isServing else { return nil }
        if others.isEmpty {
            first = nil
            return (waiter, .ready)
        }
        first = others.removeFirst()
        isServing = true
        return (waiter, .readyBeforeOthers)
    }

    /// The one that was let go is done.
    mutating func finishServing() { isServing = false }

    mutating func remove(_ task: TaskIdentity) -> Waiter? {
        if let waiter = first, waiter.task == task {
            first = others.isEmpty ? nil : others.removeFirst()
            return waiter
        }
        return others.firstIndex { $0.task == task }.map { others.remove(at: $0) }
    }

    mutating func removeAll() -> [Waiter] {
        guard let first else { return [] }
        defer {
            self.first = nil
            others = []
        }
        return [first] + others
    }

    /// Takes out those whose deadline has passed; returns the earliest of the others' deadlines.
    mutating func expire(_ now: Int64, _ body: (Waiter) -> Void) -> Int64 {
        guard let present = first else { return .max }
        if others.isEmpty {
            if present.deadline > now { return present.deadline }
            first = nil
            body(present)
            return .max
        }
        var earliest = Int64.max
        var rest: [Waiter] = []
        for waiter in removeAll() {
            if waiter.deadline > now {
                earliest = min(earliest, waiter.deadline)
                rest.append(waiter)
            } else {
                body(waiter)
            }
        }
        if !rest.isEmpty {
            first = rest.removeFirst()
            others = rest
        }
        return earliest
    }

    /// Gives the waiter that has kept its thread a continuation; returns whether it still waits.
    mutating func suspend(_ task: TaskIdentity, _ continuation: UnsafeContinuation<WaitOutcome, Never>) -> Bool {
        if first?.task == task {
            unsafe first?.continuation = continuation
            return true
        }
        guard let place = others.firstIndex(where: { $0.task == task }) else { return false }
        unsafe others[place].continuation = continuation
        return true
    }
}
