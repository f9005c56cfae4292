// SPDX-License-Identifier: MIT OR Apache-2.0

/// Elements in one piece of memory, which grows as needed and is kept: filled by one side, and emptied by the other.
@safe
struct Buffer<Element: Sendable>: ~Copyable, @unchecked Sendable {
    private var memory: UnsafeMutablePointer<Element>
    private var capacity = 16
    private(set) var count = 0

    init() { unsafe memory = .allocate(capacity: capacity) }

    deinit {
        unsafe memory.deinitialize(count: count)
        unsafe memory.deallocate()
    }

    @inline(__always)
    mutating func append(_ element: Element) {
        if count == capacity { grow() }
        unsafe (memory + count).initialize(to: element)
        count &+= 1
    }

    @inline(never)
    private mutating func grow() {
        let larger = UnsafeMutablePointer<Element>.allocate(capacity: 2 * capacity)
        unsafe larger.moveInitialize(from: memory, count: count)
        unsafe memory.deallocate()
        unsafe memory = larger
        capacity *= 2
    }

    /// Takes all elements out, from the first on.
    @inline(__always)
    mutating func drain(_ body: (Element) -> Void) {
        let count = count
        self.count = 0
        for place in 0..<count { unsafe body((memory + place).move()) }
    }
}
