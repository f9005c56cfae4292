// SPDX-License-Identifier: MIT OR Apache-2.0

/// Lets some time pass if the system is short of something, of whose end nobody tells.
func pauseIfExhausted(_ result: Int64) async {
    if isExhaustion(result) { try? await Task.sleep(for: .milliseconds(10)) }
}
