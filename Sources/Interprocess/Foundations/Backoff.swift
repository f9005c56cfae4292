// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess

/// Pauses that grow from a tenth of a millisecond on, for what the kernel cannot wake us for.
struct Backoff {
    private var nanoseconds: Int64 = 100_000
    private let most: Int64

    init(most: Int64 = 20_000_000) { self.most = most }

    /// The end of the next pause.
    mutating func next(until deadline: Deadline) -> Deadline {
        defer { nanoseconds = min(2 * nanoseconds, most) }
        return deadline.atMost(nanosecondsFromNow: nanoseconds)
    }

    mutating func sleep(until deadline: Deadline) {
        let end = next(until: deadline)
        while !end.hasPassed { _ = cip_poll(-1, Int64(CIP_READABLE), -1, end.remaining) }
    }
}
