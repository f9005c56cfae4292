// SPDX-License-Identifier: MIT OR Apache-2.0

/// Want of memory, and of whatever else others may give back: what cannot be done now, can be soon.
enum Shortage {
    /// Whether a call has failed for it, as its result tells.
    static func isCause(of result: Int64) -> Bool {
        result < 0 && IPCError.Code(systemCode: -result) == .resourcesExhausted
    }

    /// How long to wait before it is tried again.
    static var pause: Duration { .milliseconds(10) }
}
