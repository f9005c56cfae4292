// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess

/// What it takes to end reads that wait inside the kernel on a pipe whose receiving end nobody else holds: a byte, sent
/// into it when it is closed and its contents do not matter any more.
///
/// Waiting by poll instead, as all other calls on pipes do, makes a round trip a quarter slower. Everything that
/// sending the byte needs is had before the first such read: it works without a free descriptor, after a change of
/// user, and after /proc has become out of reach. Where it cannot be had, reads wait by poll.
struct PipeWaker: ~Copyable, Sendable {
    private let folder = ReserveDescriptor()
    /// Given up when no descriptor is left for the sending end.
    private let reserve = ReserveDescriptor()

    var isReady: Bool { reserve.isHeld }

    /// Gets ready, and returns whether it is.
    func prepare(_ descriptor: Int64) -> Bool {
        folder.fill { System.call(.file) { cip_open_own_descriptors() } }
            && cip_pipe_set_reopening(descriptor, true) >= 0
            && reserve.fill { System.call(.duplicate) { cip_duplicate(descriptor) } }
    }

    /// Ends one read, or several.
    func wake(_ descriptor: Int64) {
        for _ in 0..<1000 {
            if cip_pipe_wake_reader(folder.raw, descriptor) >= 0 { return }
            // Another thread may be faster to take the number that the reserve leaves; then it is a matter of time.
            if !reserve.give() { _ = cip_poll(-1, Int64(CIP_READABLE), -1, 1_000_000) }
        }
    }

    /// Undoes `prepare`, for the pipe closes, or somebody else is to hold it: they shall not be able to send.
    func forget(_ descriptor: Int64) {
        if !folder.give() { return }
        _ = cip_pipe_set_reopening(descriptor, false)
        _ = reserve.give()
    }
}
