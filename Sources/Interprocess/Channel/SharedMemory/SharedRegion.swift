// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess

/// Memory that several processes read, without a copy: filled once where it is made, and frozen from then on.
///
/// ```swift
/// let region = try SharedRegion(byteCount: 1 << 20) { memory in
///     memory.storeBytes(of: 42, toByteOffset: 0, as: UInt32.self)
/// }
/// region.withBytes { print($0.unsafeLoad(as: UInt32.self)) }
/// ```
///
/// Where the kernel can seal memory (Linux, Android, FreeBSD), nobody can change the contents or the size of a region any
/// more, neither who has made it nor who gets it, and a region that comes from elsewhere is refused unless that is so:
/// reading it can neither fail nor show two values. Elsewhere who gets a region can only read it, but a process that has
/// made it with ill intent could change it: copy what you check before you rely on it.
///
/// Any thread may read it at any time. The memory is given back when the last reference to the object goes, in each
/// process for itself.
public final class SharedRegion: Sendable, DescriptorOwner {
    /// The descriptor's owner, which has no public members.
    public let descriptorCore: DescriptorCore
    private let mapping: RegionMapping

    /// Makes a region and has it filled in place.
    ///
    /// The corresponding system calls are `memfd_create` or `shm_open`, `mmap`, and `fcntl` (`F_ADD_SEALS`).
    ///
    /// - Parameters:
    ///   - byteCount: Its size, which may be zero.
    ///   - fill: Fills the memory, which is all zeroes.
    /// - Throws: ``IPCError/Code/resourcesExhausted`` when no memory or descriptor is left;
    ///   ``IPCError/Code/invalidArgument`` for a negative size; and what `fill` throws.
    public convenience init(byteCount: Int, _ fill: (inout MutableRawSpan) throws -> Void) throws {
        let draft = try RegionDraft(byteCount)
        var span = unsafe MutableRawSpan(_unsafeBytes: draft.memory)
        try fill(&span)
        try self.init(draft)
    }

    /// Makes a region of a copy of some bytes.
    ///
    /// - Parameter bytes: What it is to hold.
    /// - Throws: ``IPCError/Code/resourcesExhausted`` when no memory or descriptor is left.
    public convenience init(copying bytes: RawSpan) throws(IPCError) {
        let draft = try RegionDraft(bytes.byteCount)
        unsafe bytes.withUnsafeBytes { unsafe draft.memory.copyMemory(from: $0) }
        try self.init(draft)
    }

    private init(_ draft: RegionDraft) throws(IPCError) {
        let byteCount = unsafe draft.memory.count
        let descriptor = try draft.share(.frozen)
        mapping = try RegionMapping(descriptor.raw, byteCount, toFill: false)
        descriptorCore = DescriptorCore(descriptor, name: RegionDraft.name, waker: .poll)
    }

    /// Takes over a region that another process has made.
    ///
    /// - Parameters:
    ///   - descriptor: The region, which belongs to the object from then on, and is made close-on-exec. When the call
    ///     throws, it stays the caller's.
    ///   - byteCount: How much of it counts, from its beginning; `nil` is all of it. (Windows knows the size in whole
    ///     pages only.)
    /// - Throws: ``IPCError/Code/invalidArgument`` when it is no region, or smaller than that;
    ///   ``IPCError/Code/permissionDenied`` when it is not frozen; ``IPCError/Code/resourcesExhausted``.
    public init(adopting descriptor: RawDescriptor, byteCount: Int? = nil) throws(IPCError) {
        let adopted = try AdoptedRegion.adopt(descriptor, byteCount, .frozen)
        descriptorCore = adopted.core
        mapping = adopted.mapping
    }

    /// Its size.
    public var byteCount: Int { mapping.byteCount }

    /// Lends the contents, which never change.
    ///
    /// - Parameter body: What to do with them.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws.
    public func withBytes<Value, Failure: Error>(_ body: (RawSpan) throws(Failure) -> Value) throws(Failure) -> Value {
        try body(unsafe RawSpan(_unsafeBytes: UnsafeRawBufferPointer(mapping.memory)))
    }

    /// Lends the contents, to code that knows no spans.
    ///
    /// - Parameter body: What to do with them; it must not keep the pointer.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws.
    public func withUnsafeBytes<Value, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        try unsafe body(UnsafeRawBufferPointer(mapping.memory))
    }

    /// Closes the descriptor, so that the region cannot be passed on any more.
    ///
    /// The contents stay as long as the object.
    public func close() { descriptorCore.close() }
}
