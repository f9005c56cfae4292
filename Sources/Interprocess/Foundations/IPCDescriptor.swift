// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess

/// A descriptor of anything, owned: it is closed when the last reference to it goes.
///
/// So descriptors arrive from other processes, whatever they stand for: a file, a pipe, a socket, memory. Take it out
/// by ``detach()``, or make what it is of it, such as `UnixStream(adopting: descriptor)`.
public final class IPCDescriptor: Sendable, DescriptorOwner {
    /// The descriptor's owner, which has no public members.
    public let descriptorCore: DescriptorCore

    init(_ descriptor: consuming OwnedDescriptor, name: String?) {
        descriptorCore = DescriptorCore(descriptor, name: name, waker: .poll)
    }

    /// Takes over a descriptor.
    ///
    /// - Parameter descriptor: The descriptor, which belongs to the object from then on, and is made close-on-exec.
    ///   When the call throws, it stays the caller's.
    /// - Throws: ``IPCError/Code/invalidArgument`` when it is not open.
    public convenience init(adopting descriptor: RawDescriptor) throws(IPCError) {
        let name = "descriptor \(descriptor)"
        let result = System.call(.option) { cip_adopt(Int64(descriptor)) }
        if result < 0 { throw IPCError(result: result, .adopt, name: name) }
        self.init(OwnedDescriptor(Int64(descriptor)), name: name)
    }

    /// Makes another descriptor for the same thing (the same open file description).
    ///
    /// The corresponding system call is `fcntl` (`F_DUPFD_CLOEXEC`).
    ///
    /// - Returns: The other one.
    /// - Throws: ``IPCError/Code/closed``, ``IPCError/Code/resourcesExhausted``.
    public func duplicate() throws(IPCError) -> IPCDescriptor {
        let core = descriptorCore
        let lease = try core.lease(.both, for: .duplicate)
        defer { withExtendedLifetime(lease) {} }
        let made = System.call(.duplicate) { cip_duplicate(core.descriptor) }
        return IPCDescriptor(try OwnedDescriptor(result: made, .duplicate, name: core.name), name: core.name)
    }

    /// Gives the descriptor away, open.
    ///
    /// - Returns: The descriptor, which is the caller's to close.
    /// - Throws: ``IPCError/Code/closed``; ``IPCError/Code/busy`` while another call is under way.
    public func detach() throws(IPCError) -> RawDescriptor { RawDescriptor(try descriptorCore.detach()) }

    /// Closes the descriptor.
    ///
    /// Further calls do nothing.
    public func close() { descriptorCore.close() }
}
