// SPDX-License-Identifier: MIT OR Apache-2.0

#if !os(Windows)
internal import CInterprocess

// Replacing the file of a listener that has died, without a moment in which the name is missing.
//
// A crash leaves a socket's file behind, and binding its name fails. Such a file is replaced only when it is a socket
// that has refused a connection twice, some time apart, and is the same file (device and inode) all along. Programs
// that use this library hold the directory's lock from bind to listen, so between them no listener is ever mistaken for
// a dead one. A server that does not take the lock, and is slower than `grace` from its bind to its listen, can be.

extension SocketFilePlan {
    /// How long a socket has to refuse connections before it counts as dead.
    private static let grace: Duration = .milliseconds(20)

    /// - Throws: `.addressInUse` when what is there may not be replaced.
    func checkReplaceable(_ present: cip_file_status, _ result: Int64) throws(IPCError) {
        if overwrite == .never { throw error(result: result) }
        if present.kind != Int64(CIP_KIND_SOCKET) {
            throw error(
                result: result,
                detail: """
                    there is a file at that path that is no socket, and it stays: remove it, or choose another name
                    """
            )
        }
    }

    /// Whether the socket's file has no listener any more.
    func isStale(_ present: cip_file_status, in directory: borrowing Directory) -> Bool {
        guard refusesConnections() else { return false }
        var pause = Backoff()
        let end = Deadline(after: Self.grace)
        while !end.hasPassed { pause.sleep(until: end) }
        guard let now = try? directory.status(of: path.name), now.isSame(as: present) else { return false }
        return refusesConnections()
    }

    /// Whether a connection is refused, as it is where nobody listens.
    ///
    /// Every other outcome leaves it open.
    private func refusesConnections() -> Bool {
        let made = System.call(.socket) { cip_socket(kind.native, true) }
        if made < 0 { return false }
        let probe = OwnedDescriptor(made)
        let result = System.call(.connect) { address.with { unsafe cip_connect(probe.raw, $0, $1) } }
        return result == -cip_codes.connection_refused
    }

    /// Puts the socket in the place of the file at the path: it listens under another name first, which is then moved
    /// over the old one in one step.
    func replace(
        with socket: borrowing OwnedDescriptor,
        for present: cip_file_status,
        in directory: borrowing Directory
    ) throws(IPCError) -> cip_file_status {
        if !kind.listens { return try replaceAnswerably(with: socket, for: present, in: directory) }
        let temporary = Self.temporaryName()
        let beside = path.directoryPrefix + temporary.bytes
        // A path near the limit leaves no room for another name beside it, but there is a shorter way there.
        let isShort = beside.count <= UnixSocketAddress.capacity
        let result = bind(socket, to: try UnixSocketAddress(path: isShort ? beside : directory.detour(to: temporary)))
        if result < 0 {
            throw error(
                result: result,
                detail: isShort ? nil : "a dead socket has the name, which is too long to be replaced: remove the file"
            )
        }
        do throws(IPCError) {
            let made = try complete(socket, temporary, in: directory)
            let moved = directory.rename(temporary, to: path.name)
            if moved < 0 { throw error(result: moved) }
            return made
        } catch {
            // Nobody else has that name.
            _ = directory.remove(temporary)
            throw error
        }
    }

    /// The same for a socket that others answer by the name that it was bound to, which therefore has to be the real
    /// one: there is a moment in which the name is missing.
    private func replaceAnswerably(
        with socket: borrowing OwnedDescriptor,
        for present: cip_file_status,
        in directory: borrowing Directory
    ) throws(IPCError) -> cip_file_status {
        directory.remove(path.name, ifStill: present)
        let result = bind(socket, to: address)
        if result < 0 { throw error(result: result) }
        return try complete(socket, path.name, in: directory)
    }

    private static func temporaryName() -> CPath {
        var value = cip_random()
        var name = UnixSocketAddress.temporaryPrefix
        for _ in 0..<12 {
            name.append(UInt8(ascii: "a") + UInt8(value % 26))
            value /= 26
        }
        return CPath(name)
    }
}
#endif
