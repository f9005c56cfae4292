// SPDX-License-Identifier: MIT OR Apache-2.0

#if !os(Windows)
internal import CInterprocess
internal import Synchronization

/// The file by which a listening socket is found: made when the socket is bound, removed when the listener closes, if
/// it is still the same file.
final class SocketFile: Sendable {
    private let path: CPath
    private let status: cip_file_status
    private let isKept = Atomic<Bool>(false)

    /// The path must be from the root, for the current directory may change.
    init(path: CPath, status: cip_file_status) {
        self.path = path
        self.status = status
    }

    /// Lets the file stay when the listener closes.
    func keep() { isKept.store(true, ordering: .relaxed) }

    /// The same file under the name that it has been given.
    func moved(to path: CPath) -> SocketFile { SocketFile(path: path, status: status) }

    /// Removes the file, once, unless it has become another one.
    func reclaim() {
        if isKept.exchange(true, ordering: .relaxed) { return }
        // Without the lock, another listener could put its file in place between the look and the removal.
        let lock = DirectoryLock(path.directory, until: Deadline(after: .milliseconds(100)))
        removeUnderLock()
        withExtendedLifetime(lock) {}
    }

    func removeUnderLock() { path.unlink(ifStill: status) }
}

extension CPath {
    /// Removes the file if it is still the one that it was.
    func unlink(ifStill status: cip_file_status) {
        guard let now = try? self.status(), now.isSame(as: status) else { return }
        _ = with { unsafe cip_unlink($0) }
    }
}

/// What it takes to make a socket listen at a path.
struct SocketFilePlan: Sendable {
    let address: UnixAddress
    let path: CPath
    /// The exact mode of the file, or `nil` for what the umask leaves.
    let mode: UInt32?
    let backlog: Int64
    let overwrite: LocalSocketListener.Overwrite
    /// How long to wait for other starters.
    let patience: Duration
    /// Whether missing directories are created.
    let createsDirectories: Bool
    /// What errors call the address.
    let name: String

    func error(result: Int64, detail: StaticString? = nil) -> IPCError {
        let noDirectory: StaticString? =
            result == -cip_codes.not_found ? "the directory does not exist: create it first" : nil
        return IPCError(result: result, .listen, name: name, detail: detail ?? noDirectory)
    }

    /// Binds the socket, gives the file its mode, and listens: in this order, so that nobody can connect before the
    /// mode is right.
    ///
    /// All of it happens under a lock on the directory, so that no other starter takes the socket for a stale one
    /// between its binding and its listening. Where the directory cannot be locked, a fresh name is bound without.
    func listen(on socket: borrowing OwnedDescriptor) throws(IPCError) -> SocketFile {
        let deadline = Deadline(after: patience)
        if createsDirectories { createParents() }
        let lock = DirectoryLock(path.directory, until: deadline)
        if let mode, cip_mode_before_bind() != 0 {
            let result = System.call(.file) { cip_change_descriptor_mode(socket.raw, mode) }
            if result < 0 { throw error(result: result) }
        }
        while true {
            let result = bind(socket, to: address)
            if result >= 0 { return try open(socket, at: path) }
            if result != -cip_codes.address_in_use { throw error(result: result) }
            let present: cip_file_status
            do throws(SystemFailure) {
                present = try path.status()
            } catch {
                if error.result == -cip_codes.not_found && !deadline.hasPassed { continue }
                throw self.error(result: error.result)
            }
            try checkReplaceable(present, result)
            guard lock.isHeld else {
                throw IPCError(
                    .busy,
                    .listen,
                    name: name,
                    detail: """
                        the name is taken, and its directory cannot be locked, which replacing it takes: \
                        another program holds the lock, or the directory may not be read
                        """
                )
            }
            if overwrite == .always || isStale(present, deadline) { return try replace(with: socket, lock) }
            if (try? path.status())?.isSame(as: present) == true || deadline.hasPassed {
                throw error(result: result, detail: "a server listens at that name: end it, or choose another name")
            }
        }
    }

    func bind(_ socket: borrowing OwnedDescriptor, to address: UnixAddress) -> Int64 {
        System.call(.bind) { address.with { unsafe cip_bind(socket.raw, $0, $1) } }
    }

    /// Completes a socket that is bound at a path; on failure removes the file again.
    func open(_ socket: borrowing OwnedDescriptor, at path: CPath) throws(IPCError) -> SocketFile {
        let made: cip_file_status
        do throws(SystemFailure) { made = try path.status() } catch { throw self.error(result: error.result) }
        var result: Int64 = 0
        if let mode, made.mode != mode {
            result = System.call(.file) { path.with { unsafe cip_change_path_mode($0, mode) } }
        }
        if result >= 0 { result = System.call(.listen) { cip_listen(socket.raw, backlog) } }
        if result < 0 {
            path.unlink(ifStill: made)
            throw error(result: result)
        }
        return SocketFile(path: path.absolute, status: made)
    }

    /// Makes the directories above the path that are missing, for this user alone.
    ///
    /// If that fails, binding tells why.
    private func createParents() {
        var end = path.bytes.startIndex
        while let slash = path.bytes[(end + 1)...].firstIndex(of: UInt8(ascii: "/")) {
            _ = CPath(path.bytes[..<slash]).with { unsafe cip_make_directory($0, 0o700) }
            end = slash
        }
    }
}
#endif
