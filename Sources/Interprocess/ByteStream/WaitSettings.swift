// SPDX-License-Identifier: MIT OR Apache-2.0

internal import Synchronization

/// How the calls of one direction wait, unless a call says otherwise.
struct WaitSettings: ~Copyable, Sendable {
    private let nonblocking: Atomic<Bool>
    private let limit = Atomic<Int64>(.max)

    init(nonblocking: Bool = false) { self.nonblocking = Atomic(nonblocking) }

    var isNonblocking: Bool {
        get { nonblocking.load(ordering: .relaxed) }
        nonmutating set { nonblocking.store(newValue, ordering: .relaxed) }
    }

    var timeout: Duration? {
        get {
            let limit = limit.load(ordering: .relaxed)
            return limit == .max ? nil : .nanoseconds(limit)
        }
        nonmutating set { limit.store(newValue?.wholeNanoseconds ?? .max, ordering: .relaxed) }
    }

    /// What a call that starts now may do.
    @inline(__always)
    func patience(_ timeout: Duration?) -> Patience {
        Patience(isNonblocking: isNonblocking, deadline: deadline(timeout))
    }

    /// By when a call that starts now has to end.
    @inline(__always)
    func deadline(_ timeout: Duration?) -> Deadline {
        let limit = timeout?.wholeNanoseconds ?? limit.load(ordering: .relaxed)
        return limit == .max ? .never : Deadline(afterNanoseconds: limit)
    }
}

/// Whether, and how long, one call may wait.
struct Patience: Sendable {
    let isNonblocking: Bool
    let deadline: Deadline

    /// Whether the call may wait inside the kernel.
    var isUnlimited: Bool { !isNonblocking && deadline.isNever }
}
