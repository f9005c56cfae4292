// SPDX-License-Identifier: MIT OR Apache-2.0

/// Elements in one piece of memory, which is allocated and grows as needed and is kept: filled by one side, and emptied
/// by the other.
@safe
struct Buffer<Element: Sendable>: ~Copyable, @unchecked Sendable {
    private var memory: UnsafeMutablePointer<Element>?
    private var capacity = 0
    private(set) var count = 0

    deinit {
        guard let memory = unsafe memory else { return }
        unsafe memory.deinitialize(count: count)
        unsafe memory.deallocate()
    }

    @inline(__always)
    mutating func append(_ element: Element) {
        if count == capacity { grow() }
        unsafe (memory.unsafelyUnwrapped + count).initialize(to: element)
        count &+= 1
    }

    @inline(never)
    private mutating func grow() {
        let capacity = max(16, 2 * capacity)
        let larger = UnsafeMutablePointer<Element>.allocate(capacity: capacity)
        if let memory = unsafe memory {
            unsafe larger.moveInitialize(from: memory, count: count)
            unsafe memory.deallocate()
        }
        unsafe memory = larger
        self.capacity = capacity
    }

    /// Takes all elements out, from the first on.
    @inline(__always)
    mutating func drain(_ body: (Element) -> Void) {
        guard let memory = unsafe memory else { return }
        let count = count
        self.count = 0
        for place in 0..<count { unsafe body((memory + place).move()) }
    }
}
