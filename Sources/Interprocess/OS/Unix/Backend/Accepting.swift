// SPDX-License-Identifier: MIT OR Apache-2.0

#if !os(Windows)
internal import CInterprocess

/// Who may connect, where the kernel does not see to it by the mode of a file: names in the abstract namespace have
/// none.
struct Gate: Sendable {
    /// `nil` lets everybody in.
    private let access: LocalSocketListener.Access?

    static let open = Gate(access: nil)

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
        if peer.user == 0 || peer.user == cip_own_user() { return true }
        guard access == .group else { return false }
        let own = cip_own_group()
        if peer.group == own { return true }
        return PeerCredentials.groups(descriptor)?.contains { Int64($0) == own } ?? false
    }
}

extension DescriptorCore {
    /// Accepts the next client that the gate admits, on a listening socket in nonblocking mode.
    ///
    /// Clients that have left again, and those that are not admitted, are passed over.
    func accept(
        _ gate: Gate,
        _ patience: Patience,
        _ spin: borrowing AdaptiveSpin
    ) throws(IPCError) -> OwnedDescriptor {
        let lease = try lease(.receive, for: .accept)
        while true {
            let early =
                patience.isNonblocking ? nil : self.spin(.receive, spin, until: patience.deadline) { acceptNow() }
            let result = early ?? acceptNow()
            if result >= 0 {
                let client = OwnedDescriptor(result)
                if gate.admits(client.raw) { return client }
                // Strangers who keep coming must not keep the call from ending.
                if isClosed(.receive) { throw error(.closed, .accept) }
                if patience.deadline.hasPassed { throw error(.timedOut, .accept) }
            } else if result == -cip_codes.would_block || isIdle(after: result) {
                if patience.isNonblocking { throw error(.wouldBlock, .accept) }
                try wait(.receive, for: .accept, lease, until: patience.deadline)
            } else if result != -cip_codes.connection_aborted {
                throw error(result: result, .accept)
            }
        }
    }

    private func acceptNow() -> Int64 { System.call(.accept) { cip_accept(descriptor) } }

    /// Whether no client waits, where accepting failed for want of a descriptor.
    ///
    /// Linux looks for a free number before it looks for a client.
    private func isIdle(after result: Int64) -> Bool {
        guard result == -cip_codes.no_descriptors || result == -cip_codes.no_descriptors_in_system else { return false }
        return System.once(.poll) { cip_poll(descriptor, Int64(CIP_READABLE), -1, 0) } == 0
    }
}
#endif
