// SPDX-License-Identifier: MIT OR Apache-2.0

/// A lease among others in an array.
final class HeldLease: Sendable {
    // In this order, in which they go: the end of the lease needs the core.
    private let lease: DescriptorCore.Lease
    private let core: DescriptorCore

    init(_ core: DescriptorCore, _ lease: consuming DescriptorCore.Lease) {
        self.lease = lease
        self.core = core
    }

    /// Keeps what is to be sent to somebody else from being closed meanwhile.
    ///
    /// - Throws: `.closed`, `.busy`.
    convenience init(toSend core: DescriptorCore) throws(IPCError) {
        try core.share(for: .write)
        self.init(core, try core.lease(.both, for: .write))
    }
}
