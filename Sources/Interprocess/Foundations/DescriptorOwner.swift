// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess

/// Something that owns a descriptor: what all of the library's listeners, streams and pipe ends have in common.
public protocol DescriptorOwner: AnyObject, Sendable {
    /// The descriptor's owner, which has no public members.
    var descriptorCore: DescriptorCore { get }

    /// Whether it has been closed here.
    var isClosed: Bool { get }
}

extension DescriptorOwner {
    /// Lends the descriptor to code that calls the system itself; it stays open during the call of `body`.
    ///
    /// From then on the library takes it that others may hold the open file description, and does nothing to it to end
    /// waiting calls: blocking calls take a little longer (they wait by `poll`).
    ///
    /// - Parameter body: What to do with the descriptor. It must not close it.
    /// - Returns: What `body` returns.
    /// - Throws: ``IPCError/Code/closed``; ``IPCError/Code/busy`` while another thread waits in a call that only the
    ///   sole holder of the descriptor can end.
    public func withUnsafeDescriptor<Value>(_ body: (RawDescriptor) -> Value) throws(IPCError) -> Value {
        let core = descriptorCore
        try core.share(for: .configure)
        let lease = try core.lease(.both, for: .configure)
        defer { withExtendedLifetime(lease) {} }
        return body(RawDescriptor(core.lent))
    }

    /// Lets programs that this process starts inherit the descriptor, or not, as at first.
    ///
    /// Every program started from then on inherits it, whichever thread starts it. Where one child is to have it, let
    /// `posix_spawn` duplicate it (`posix_spawn_file_actions_adddup2`) inside ``withUnsafeDescriptor(_:)`` instead.
    ///
    /// The corresponding system call is `fcntl` (`F_SETFD`).
    ///
    /// - Parameter inheritable: Whether it survives `exec`.
    /// - Throws: As ``withUnsafeDescriptor(_:)`` does.
    public func setInheritable(_ inheritable: Bool) throws(IPCError) {
        let core = descriptorCore
        try core.share(for: .configure)
        let lease = try core.lease(.both, for: .configure)
        defer { withExtendedLifetime(lease) {} }
        let result = System.call(.option) { cip_set_inheritable(core.lent, inheritable) }
        if result < 0 { throw core.error(result: result, .configure) }
    }

    /// Whether it has been closed here.
    public var isClosed: Bool { descriptorCore.isClosed(.both) }
}
