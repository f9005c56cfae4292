// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess

// What keeps something from being sent, and goes by: who sees to it that it is sent goes on.

/// Whether the result of a call that sends may be another one later: there was no room, or the system was short of
/// something.
func isPassing(_ result: Int64) -> Bool { result == -cip_codes.would_block || isExhaustion(result) }

func isExhaustion(_ result: Int64) -> Bool {
    result < 0 && IPCError.Code(systemCode: 0 &- result) == .resourcesExhausted
}
