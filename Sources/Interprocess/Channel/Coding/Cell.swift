// SPDX-License-Identifier: MIT OR Apache-2.0

/// A variable of a class that is one caller's at a time, kept out of the class: so it is not looked at each access
/// whether another one is under way, which would take longer than most of what coders do.
@safe
struct Cell<Value: ~Copyable>: ~Copyable {
    private let pointer: UnsafeMutablePointer<Value>

    init(_ initial: consuming Value) {
        unsafe pointer = .allocate(capacity: 1)
        unsafe pointer.initialize(to: initial)
    }

    deinit {
        unsafe pointer.deinitialize(count: 1)
        unsafe pointer.deallocate()
    }

    @inline(__always)
    var value: Value {
        _read { yield unsafe pointer.pointee }
        nonmutating _modify { yield unsafe &pointer.pointee }
    }
}
