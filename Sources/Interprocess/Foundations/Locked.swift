// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess

/// A value behind a lock, for critical sections that never wait. (Synchronization's `Mutex` is not part of Embedded
/// Swift, and what it protects looks unprotected to the thread sanitizer on Linux.)
@safe
struct Locked<Value: ~Copyable>: ~Copyable, @unchecked Sendable {
    private let lock: UnsafeMutablePointer<cip_lock>
    private let value: UnsafeMutablePointer<Value>

    init(_ initial: consuming sending Value) {
        unsafe lock = .allocate(capacity: 1)
        unsafe value = .allocate(capacity: 1)
        unsafe lock.initialize(to: cip_lock())
        unsafe value.initialize(to: initial)
        unsafe cip_lock_create(lock)
    }

    deinit {
        unsafe cip_lock_destroy(lock)
        unsafe lock.deallocate()
        unsafe value.deinitialize(count: 1)
        unsafe value.deallocate()
    }

    @inline(__always)
    func withLock<Result>(_ body: (inout Value) -> Result) -> Result {
        unsafe cip_lock_acquire(lock)
        defer { unsafe cip_lock_release(lock) }
        return unsafe body(&value.pointee)
    }
}
