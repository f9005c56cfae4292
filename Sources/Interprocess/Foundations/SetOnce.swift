// SPDX-License-Identifier: MIT OR Apache-2.0

internal import Synchronization

/// A reference that any thread may set, and the first one wins.
///
/// Who sets it and then looks at something else, while others change that and then look here, does not miss each other.
@safe
struct SetOnce<Object: AnyObject & Sendable>: ~Copyable, @unchecked Sendable {
    private let pointer = unsafe Atomic<UnsafeMutableRawPointer?>(nil)

    var isSet: Bool { unsafe pointer.load(ordering: .relaxed) != nil }

    var value: Object? {
        guard let present = unsafe pointer.load(ordering: .sequentiallyConsistent) else { return nil }
        return unsafe Unmanaged<Object>.fromOpaque(present).takeUnretainedValue()
    }

    /// Sets the reference, if it is not set, and returns what it is.
    func set(_ object: Object) -> Object {
        let new = unsafe Unmanaged.passRetained(object)
        let (done, seen) = unsafe pointer.compareExchange(
            expected: nil,
            desired: new.toOpaque(),
            ordering: .sequentiallyConsistent
        )
        guard !done, let seen = unsafe seen else { return object }
        unsafe new.release()
        return unsafe Unmanaged<Object>.fromOpaque(seen).takeUnretainedValue()
    }

    deinit {
        guard let present = unsafe pointer.load(ordering: .acquiring) else { return }
        unsafe Unmanaged<Object>.fromOpaque(present).release()
    }
}
