// SPDX-License-Identifier: MIT OR Apache-2.0

#if !os(Windows)
internal import CInterprocess

/// A directory, locked against other programs that use this library while a socket's file in it is made, replaced or
/// removed.
///
/// Released when it goes out of scope.
struct DirectoryLock: ~Copyable {
    /// The directory, or -1 when it could not be opened.
    private let directory: Int64

    /// Whether it is locked.
    ///
    /// It is not when the directory cannot be opened, or stays locked: anybody who may read a directory can lock it,
    /// and must not be able to stop us by that.
    let isHeld: Bool

    /// What to bind to when the path of a file in the directory is too long for a socket's address.
    var detour: [UInt8] { Array("/proc/self/fd/\(directory)/".utf8) }

    /// Waits for the lock until the deadline.
    init(_ path: CPath, until deadline: Deadline) {
        directory = System.call(.lock) { path.with { unsafe cip_open_directory($0) } }
        var result = directory
        var backoff = Backoff()
        while result >= 0 {
            result = System.call(.lock) { [directory] in cip_try_lock(directory) }
            if result != -cip_codes.would_block || deadline.hasPassed { break }
            backoff.sleep(until: deadline)
            result = 0
        }
        isHeld = result >= 0
    }

    deinit { if directory >= 0 { _ = cip_close(directory) } }
}

/// Pauses that grow from a tenth of a millisecond to 20 milliseconds, for what the kernel cannot wake us for.
struct Backoff {
    private var nanoseconds: Int64 = 100_000

    /// The end of the next pause.
    mutating func next(until deadline: Deadline) -> Deadline {
        defer { nanoseconds = min(2 * nanoseconds, 20_000_000) }
        return deadline.atMost(nanosecondsFromNow: nanoseconds)
    }

    mutating func sleep(until deadline: Deadline) {
        let end = next(until: deadline)
        while !end.hasPassed { _ = cip_poll(-1, Int64(CIP_READABLE), -1, end.remaining) }
    }
}
#endif
