// SPDX-License-Identifier: MIT OR Apache-2.0

#if !os(Windows)
internal import CInterprocess

/// Who may connect, where the kernel does not see to it by the mode of a file: names in the abstract namespace have
/// none.
struct Gate: Sendable {
    /// `nil` lets everybody in.
    private let access: LocalSocketListener.Access?

    static let open = Gate(access: nil)

    var isOpen: Bool { access == nil }

    private init(access: LocalSocketListener.Access?) { self.access = access }

    /// The gate for a mode, whose write bits say who may connect, or else for an access.
    init(_ access: LocalSocketListener.Access, mode: UInt32?) {
        if let mode {
            self.access = mode & 0o002 != 0 ? nil : mode & 0o020 != 0 ? .group : .currentUser
        } else {
            switch access {
            case .currentUser, .group: self.access = access
            case .everyone, .custom: self.access = nil
            }
        }
    }

    /// Whether the peer of a connection may stay.
    ///
    /// One whose credentials cannot be told may not.
    func admits(_ descriptor: Int64) -> Bool {
        guard let access else { return true }
        var peer = cip_credentials()
        guard System.call(.credentials, { unsafe cip_peer_credentials(descriptor, &peer) }) >= 0 else { return false }
        if admits(peer) { return true }
        guard access == .group else { return false }
        return PeerCredentials.groups(descriptor)?.contains { Int64($0) == cip_own_group() } ?? false
    }

    /// Whether a datagram may be received: one whose sender cannot be told may not.
    func admits(sender: cip_credentials?) -> Bool { isOpen || sender.map(admits) ?? false }

    private func admits(_ peer: cip_credentials) -> Bool {
        if peer.user == 0 || peer.user == cip_own_user() { return true }
        return access == .group && peer.group == cip_own_group()
    }
}

extension DescriptorCore {
    /// Accepts the next client that the gate admits, on a listening socket in nonblocking mode, without waiting.
    ///
    /// Clients that have left again, and those that are not admitted, are passed over; but strangers who keep coming
    /// must not keep the call from ending.
    ///
    /// - Returns: The descriptor; "would block" if there is none, or if it is better to look later for more; or another
    ///   negated error code.
    func acceptNow(_ gate: Gate) -> Int64 {
        for _ in 0..<64 {
            let result = System.call(.accept) { cip_accept(descriptor) }
            if result >= 0 {
                let client = OwnedDescriptor(result)
                if gate.admits(client.raw) { return client.release() }
                if isClosed(.receive) { break }
            } else if isIdle(after: result) {
                break
            } else if result != -cip_codes.connection_aborted {
                return result
            }
        }
        return -cip_codes.would_block
    }

    /// Whether no client waits, where accepting failed for want of a descriptor.
    ///
    /// Linux looks for a free number before it looks for a client.
    private func isIdle(after result: Int64) -> Bool {
        (result == -cip_codes.no_descriptors || result == -cip_codes.no_descriptors_in_system) && !hasClient
    }
}
#endif
