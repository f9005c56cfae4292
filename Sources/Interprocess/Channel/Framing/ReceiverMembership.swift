// SPDX-License-Identifier: MIT OR Apache-2.0

/// What a receiver belongs to, and must be told of its end.
protocol ReceiverMembership: AnyObject, Sendable {
    /// Whether there is anybody to be told.
    var isAlive: Bool { get }

    func willClose()
    func didClose()
}

/// A receiver that can belong to a group.
protocol GroupSource: AnyObject, Sendable {
    var core: DescriptorCore { get }

    /// Takes the next message; `nil` if there is none, and then the descriptor becomes readable when one comes.
    ///
    /// - Throws: `.disconnected`, `.closed`, `.endpointMoved`, and what is the matter with what came.
    func tryTakeRaw() throws(IPCError) -> IPCRawMessage?

    /// Returns whether it belongs to nothing else.
    func join(_ membership: any ReceiverMembership) -> Bool
    func leave()
}

/// The one thing that a receiver can belong to.
struct MembershipPlace: ~Copyable, Sendable {
    private let membership = Locked<(any ReceiverMembership)?>(nil)

    func take(_ new: any ReceiverMembership) -> Bool {
        membership.withLock { membership in
            if let membership, membership.isAlive { return false }
            membership = new
            return true
        }
    }

    func leave() { membership.withLock { $0 = nil } }

    /// Closes the receiver, and tells.
    func close(_ close: () -> Void) {
        let membership = membership.withLock { $0 }
        membership?.willClose()
        close()
        membership?.didClose()
    }
}
