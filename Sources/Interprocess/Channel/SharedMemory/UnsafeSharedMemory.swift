// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess
public import Synchronization

/// Memory that several processes read and write at the same time, at their own risk.
///
/// ```swift
/// import Synchronization
///
/// let memory = try UnsafeSharedMemory(byteCount: 4096)
/// memory.withAtomic(UInt64.self, at: 0) { counter in
///     counter.wrappingAdd(1, ordering: .relaxed)
/// }
/// ```
///
/// Sent in a message, the process that gets it maps the same memory. Nothing protects what is in it, and that is why it
/// is called unsafe:
///
/// - Every process that has it can change every byte at every moment, also between two looks of another one. Copy what
///   you check, and check the copy.
/// - Plain reads and writes at the same time, by whatever threads of whatever processes, are a data race: undefined
///   behaviour. Let atomic words say whose turn it is.
/// - Pointers and references mean nothing in another process; neither do types whose values have invalid bit patterns
///   (Bool, enums), if the other process is not trusted.
/// - A process can end at any moment, and leaves what it was about to change half changed, and its locks locked.
///
/// Its size is fixed, which the kernel sees to where it can (Linux, Android, FreeBSD); elsewhere a process that has it
/// could shrink it, and who then touches it gets a signal that ends it (SIGBUS).
///
/// Where one process writes and others read, ``SharedRegion`` has none of these dangers.
public final class UnsafeSharedMemory: Sendable, DescriptorOwner {
    /// The descriptor's owner, which has no public members.
    public let descriptorCore: DescriptorCore
    private let mapping: RegionMapping

    /// Makes memory that is all zeroes.
    ///
    /// The corresponding system calls are `memfd_create` or `shm_open`, `mmap`, and `fcntl` (`F_ADD_SEALS`).
    ///
    /// - Parameter byteCount: Its size, which may be zero.
    /// - Throws: ``IPCError/Code/resourcesExhausted`` when no memory or descriptor is left;
    ///   ``IPCError/Code/invalidArgument`` for a negative size.
    public init(byteCount: Int) throws(IPCError) {
        let descriptor = try RegionDraft(byteCount).share(.writable)
        mapping = try RegionMapping(descriptor.raw, byteCount, toFill: true)
        descriptorCore = DescriptorCore(descriptor, name: RegionDraft.name, waker: .poll)
    }

    /// Takes over memory that another process has made.
    ///
    /// - Parameters:
    ///   - descriptor: The memory, which belongs to the object from then on, and is made close-on-exec. When the call
    ///     throws, it stays the caller's.
    ///   - byteCount: How much of it counts, from its beginning; `nil` is all of it. (Windows knows the size in whole
    ///     pages only.)
    /// - Throws: ``IPCError/Code/invalidArgument`` when it is no shared memory, or smaller than that;
    ///   ``IPCError/Code/permissionDenied`` when it cannot be written, or its size could be changed;
    ///   ``IPCError/Code/resourcesExhausted``.
    public init(adopting descriptor: RawDescriptor, byteCount: Int? = nil) throws(IPCError) {
        let adopted = try AdoptedRegion.adopt(descriptor, byteCount, .writable)
        descriptorCore = adopted.core
        mapping = adopted.mapping
    }

    /// Its size.
    public var byteCount: Int { mapping.byteCount }

    /// Lends the memory.
    ///
    /// - Parameter body: What to do with it; it must not keep the pointer.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws.
    public func withUnsafeMutableBytes<Value, Failure: Error>(
        _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        try unsafe body(mapping.memory)
    }

    /// Lends a number in the memory for atomic operations, which any thread of any process may do at any time.
    ///
    /// - Parameters:
    ///   - type: The number's type.
    ///   - offset: Where it is, in bytes: a multiple of its size, with all of it inside the memory.
    ///   - body: What to do with it.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws.
    public func withAtomic<Number: FixedWidthInteger & AtomicRepresentable, Value, Failure: Error>(
        _ type: Number.Type,
        at offset: Int,
        _ body: (borrowing Atomic<Number>) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        precondition(
            offset >= 0 && offset % MemoryLayout<Atomic<Number>>.stride == 0
                && offset <= byteCount - MemoryLayout<Atomic<Number>>.size,
            "there is no number at \(offset)"
        )
        let base = unsafe mapping.memory.baseAddress.unsafelyUnwrapped + offset
        return try unsafe body(base.assumingMemoryBound(to: Atomic<Number>.self).pointee)
    }

    /// Closes the descriptor, so that the memory cannot be passed on any more.
    ///
    /// The memory stays as long as the object.
    public func close() { descriptorCore.close() }
}
