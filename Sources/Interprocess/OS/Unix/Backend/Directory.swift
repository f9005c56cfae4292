// SPDX-License-Identifier: MIT OR Apache-2.0

#if !os(Windows)
internal import CInterprocess

/// A directory that is held open, so that what is done to a file in it is done in this one: whoever controls a
/// directory on the way to it cannot put another one in its place between two calls.
struct Directory: ~Copyable, Sendable {
    private let descriptor: OwnedDescriptor

    /// Opens a directory.
    init(_ path: CPath) throws(SystemFailure) {
        let opened = System.call(.file) { path.with { unsafe cip_open_directory($0) } }
        if opened < 0 { throw SystemFailure(result: opened) }
        descriptor = OwnedDescriptor(opened)
    }

    /// The path of a file in the directory that fits a socket's address, where the real one is too long.
    func detour(to name: CPath) -> [UInt8] { Array("/proc/self/fd/\(descriptor.raw)/".utf8) + name.bytes }

    /// Locks the directory against other programs that use this library while they make, replace or remove a socket's
    /// file in it.
    ///
    /// - Returns: Whether it is locked. It is not when it may not be read, or another program keeps it locked for
    ///   longer than the deadline: whoever may read a directory can lock it, and must not be able to stop us by that.
    func lock(until deadline: Deadline) -> Bool {
        // Held by others for a few system calls, as a rule.
        var backoff = Backoff(most: 2_000_000)
        while true {
            let result = System.call(.lock) { cip_try_lock(descriptor.raw) }
            if result != -cip_codes.would_block { return result >= 0 }
            if deadline.hasPassed { return false }
            backoff.sleep(until: deadline)
        }
    }

    func unlock() { _ = System.call(.lock) { cip_unlock(descriptor.raw) } }

    /// What stands under a name now; a symbolic link is not followed.
    func status(of name: CPath) throws(SystemFailure) -> cip_file_status {
        var status = cip_file_status()
        let result = System.call(.file) { name.with { unsafe cip_file_status(descriptor.raw, $0, &status) } }
        if result < 0 { throw SystemFailure(result: result) }
        return status
    }

    func setMode(of name: CPath, _ mode: UInt32) -> Int64 {
        System.call(.file) { name.with { unsafe cip_change_file_mode(descriptor.raw, $0, mode) } }
    }

    func makeFIFO(_ name: CPath, _ mode: UInt32) -> Int64 {
        System.call(.file) { name.with { unsafe cip_make_fifo(descriptor.raw, $0, mode) } }
    }

    func rename(_ name: CPath, to other: CPath) -> Int64 {
        System.call(.file) {
            name.with { from in other.with { unsafe cip_rename(descriptor.raw, from, $0) } }
        }
    }

    func remove(_ name: CPath) -> Int64 {
        System.call(.file) { name.with { unsafe cip_unlink(descriptor.raw, $0) } }
    }

    /// Removes a file if it is still the one that it was.
    func remove(_ name: CPath, ifStill status: cip_file_status) {
        guard let now = try? self.status(of: name), now.isSame(as: status) else { return }
        _ = name.with { unsafe cip_unlink(descriptor.raw, $0) }
    }
}
#endif
