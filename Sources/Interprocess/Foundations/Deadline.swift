// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess

/// The moment by which a call has to end, in nanoseconds on the system's monotonic clock.
struct Deadline: Sendable {
    /// `Int64.max` when there is no limit.
    let nanoseconds: Int64

    static let never = Deadline(nanoseconds: .max)

    init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// The end of a time limit that starts now; `nil` is no limit, and so is one that reaches past the end of the
    /// clock.
    init(after limit: Duration?) { self.init(afterNanoseconds: limit?.wholeNanoseconds ?? .max) }

    /// The same for a stored limit, `Int64.max` being none.
    init(afterNanoseconds limit: Int64) {
        let (sum, overflow) = limit == .max ? (0, true) : cip_now().addingReportingOverflow(limit)
        nanoseconds = overflow ? .max : sum
    }

    var isNever: Bool { nanoseconds == .max }

    /// What is left, not less than zero; -1 when there is no limit, as `cip_poll` understands it.
    var remaining: Int64 { isNever ? -1 : max(0, nanoseconds - cip_now()) }

    /// What is left as a time limit; `nil` when there is none.
    var left: Duration? { isNever ? nil : .nanoseconds(remaining) }

    var hasPassed: Bool { !isNever && nanoseconds <= cip_now() }

    /// The earlier of this deadline and a moment that many nanoseconds from now.
    func atMost(nanosecondsFromNow limit: Int64) -> Deadline {
        Deadline(nanoseconds: min(nanoseconds, Deadline(afterNanoseconds: limit).nanoseconds))
    }
}

extension Duration {
    /// In nanoseconds, rounded up, from 0 to `Int64.max`.
    var wholeNanoseconds: Int64 {
        let unit: UInt64 = 1_000_000_000
        // Up to 18 seconds: to divide 128 bits would take longer than to ask the clock.
        if let few = UInt64(exactly: attoseconds) { return Int64(few / unit + (few % unit > 0 ? 1 : 0)) }
        if attoseconds < 0 { return 0 }
        return Int64(clamping: (attoseconds - 1) / Int128(unit) + 1)
    }
}
