// SPDX-License-Identifier: MIT OR Apache-2.0

#if !os(Windows)
internal import CInterprocess
internal import Synchronization

/// The file by which a socket is found: made when the socket is bound, removed when its owner closes, if it is still
/// the same file.
final class SocketFile: Sendable {
    /// Held open for as long, so that removing works even when no descriptor is left, and after a change of the current
    /// directory.
    private let directory: Directory
    private let name: CPath
    private let status: cip_file_status
    private let isKept = Atomic<Bool>(false)

    init(_ name: CPath, _ status: cip_file_status, in directory: consuming Directory) {
        self.name = name
        self.status = status
        self.directory = directory
    }

    /// Lets the file stay when the listener closes.
    func keep() { isKept.store(true, ordering: .relaxed) }

    /// Removes the file, once, unless it has become another one.
    func reclaim() {
        if isKept.exchange(true, ordering: .relaxed) { return }
        // Without the lock, another listener could put its file in place between the look and the removal.
        _ = directory.lock(until: Deadline(after: .milliseconds(100)))
        directory.remove(name, ifStill: status)
        directory.unlock()
    }
}

/// What it takes to bind a socket to a path, and to make it listen if its kind does.
struct SocketFilePlan: Sendable {
    let address: UnixSocketAddress
    let path: CPath
    let kind: UnixSocketKind
    /// The exact mode of the file, or `nil` for what the umask leaves.
    let mode: UInt32?
    let backlog: Int64
    let overwrite: LocalSocketListener.Overwrite
    /// How long to wait for other starters.
    let patience: Duration
    /// Whether it is in the runtime directory, where directories that are missing are made.
    let isInRuntimeDirectory: Bool
    /// What errors call the address.
    let label: String

    func error(result: Int64, detail: String? = nil) -> IPCError {
        let noDirectory: String? =
            result == -cip_codes.not_found ? "the directory does not exist: create it first" : nil
        return IPCError(result: result, .listen, name: label, detail: detail ?? noDirectory)
    }

    /// Binds the socket, gives the file its mode, and listens: in this order, so that nobody can connect before the
    /// mode is right.
    ///
    /// All of it happens under a lock on the directory, so that no other starter takes the socket for a stale one
    /// between its binding and its listening. Where the directory cannot be locked, a fresh name is bound without.
    func listen(on socket: borrowing OwnedDescriptor) throws(IPCError) -> SocketFile {
        let deadline = Deadline(after: patience)
        if isInRuntimeDirectory { try makeDirectories() }
        let directory = try openDirectory()
        let isLocked = directory.lock(until: deadline)
        let made = try place(socket, in: directory, isLocked: isLocked, until: deadline)
        directory.unlock()
        return SocketFile(path.name, made, in: directory)
    }

    private func place(
        _ socket: borrowing OwnedDescriptor,
        in directory: borrowing Directory,
        isLocked: Bool,
        until deadline: Deadline
    ) throws(IPCError) -> cip_file_status {
        if let mode, cip_mode_before_bind() != 0 {
            let result = System.call(.file) { cip_change_descriptor_mode(socket.raw, mode) }
            if result < 0 { throw error(result: result) }
        }
        while true {
            let result = bind(socket, to: address)
            if result >= 0 { return try complete(socket, path.name, in: directory) }
            if result != -cip_codes.address_in_use { throw error(result: result) }
            let present: cip_file_status
            do throws(SystemFailure) {
                present = try directory.status(of: path.name)
            } catch {
                if error.result == -cip_codes.not_found && !deadline.hasPassed { continue }
                throw self.error(result: error.result)
            }
            try checkReplaceable(present, result)
            if !isLocked { throw lockedOut }
            if overwrite == .always || isStale(present, in: directory) {
                return try replace(with: socket, for: present, in: directory)
            }
            if (try? directory.status(of: path.name))?.isSame(as: present) == true || deadline.hasPassed {
                throw error(result: result, detail: "a server listens at that name: end it, or choose another name")
            }
        }
    }

    private func openDirectory() throws(IPCError) -> Directory {
        do throws(SystemFailure) { return try Directory(path.directory) } catch {
            throw self.error(result: error.result)
        }
    }

    private var lockedOut: IPCError {
        IPCError(
            .busy,
            .listen,
            name: label,
            detail: """
                the name is taken, and its directory cannot be locked, which replacing it takes: \
                another program holds the lock, or the directory may not be read
                """
        )
    }

    func bind(_ socket: borrowing OwnedDescriptor, to address: UnixSocketAddress) -> Int64 {
        System.call(.bind) { address.with { unsafe cip_bind(socket.raw, $0, $1) } }
    }

    /// Gives the file of a socket that is bound its mode, and listens if its kind does; on failure removes the file
    /// again.
    ///
    /// - Returns: What tells the file from others.
    func complete(
        _ socket: borrowing OwnedDescriptor,
        _ name: CPath,
        in directory: borrowing Directory
    ) throws(IPCError) -> cip_file_status {
        let made: cip_file_status
        do throws(SystemFailure) { made = try directory.status(of: name) } catch {
            throw self.error(result: error.result)
        }
        if made.kind != Int64(CIP_KIND_SOCKET) {
            throw error(
                result: -cip_codes.address_in_use,
                detail: "another program exchanges the files there at this moment: choose a directory of your own"
            )
        }
        var result: Int64 = 0
        if let mode, made.mode != mode { result = directory.setMode(of: name, mode) }
        if result >= 0 && kind.listens { result = System.call(.listen) { cip_listen(socket.raw, backlog) } }
        if result < 0 {
            directory.remove(name, ifStill: made)
            throw error(result: result)
        }
        return made
    }

    /// Makes the directories that are missing between the runtime directory and the file, for this user alone.
    ///
    /// - Throws: `.permissionDenied` when one that is there already is not for this user alone to change: in `/tmp`
    ///   anybody could have made it.
    private func makeDirectories() throws(IPCError) {
        guard let root = UnixSocketAddress.runtimeDirectory(of: path.bytes) else { return }
        var end = path.bytes.startIndex + root.count - 1
        while let slash = path.bytes[(end + 1)...].firstIndex(of: UInt8(ascii: "/")) {
            let directory = CPath(path.bytes[..<slash])
            _ = directory.with { unsafe cip_make_directory($0, 0o700) }
            let found: cip_file_status
            do throws(SystemFailure) { found = try directory.status() } catch {
                throw self.error(result: error.result)
            }
            let isOurs = Int64(found.owner) == cip_own_user() || found.owner == 0
            if found.kind != Int64(CIP_KIND_DIRECTORY) || !isOurs || found.mode & 0o022 != 0 {
                throw IPCError(
                    .permissionDenied,
                    .listen,
                    name: label,
                    detail: "a directory on the way to it belongs to somebody else, or others may write to it"
                )
            }
            end = slash
        }
    }
}
#endif
