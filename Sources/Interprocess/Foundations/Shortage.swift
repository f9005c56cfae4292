// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess

/// Whether a call has failed, as its result tells, for want of memory, or of something else that others may give back: what
/// cannot be done now, can be soon.
func isShortage(_ result: Int64) -> Bool {
    result < 0 && IPCError.Code(systemCode: 0 &- result) == .resourcesExhausted
}

/// Whether the result of a call that sends may be another one later: there was no room, or the system was short of
/// something.
func isPassing(_ result: Int64) -> Bool { result == -cip_codes.would_block || isShortage(result) }
