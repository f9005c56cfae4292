// SPDX-License-Identifier: MIT OR Apache-2.0

/// A queue of jobs in one piece of memory that grows as needed.
@safe
struct JobRing: ~Copyable {
    private var memory: UnsafeMutablePointer<UnownedJob>
    private var capacity = 64
    private var start = 0
    private(set) var count = 0

    init() { unsafe memory = .allocate(capacity: capacity) }

    deinit { unsafe memory.deallocate() }

    @inline(__always)
    var isEmpty: Bool { count == 0 }

    @inline(__always)
    mutating func append(_ job: UnownedJob) {
        if count == capacity { grow() }
        unsafe (memory + ((start &+ count) & (capacity &- 1))).initialize(to: job)
        count &+= 1
    }

    /// Takes all jobs over from a buffer.
    mutating func append(_ buffer: inout Buffer<UnownedJob>) { buffer.drain { append($0) } }

    @inline(__always)
    mutating func removeFirst() -> UnownedJob {
        let job = unsafe (memory + start).move()
        start = (start &+ 1) & (capacity &- 1)
        count &-= 1
        return job
    }

    @inline(never)
    private mutating func grow() {
        let larger = UnsafeMutablePointer<UnownedJob>.allocate(capacity: 2 * capacity)
        for place in 0..<count { unsafe (larger + place).initialize(to: memory[(start + place) & (capacity - 1)]) }
        unsafe memory.deallocate()
        unsafe memory = larger
        start = 0
        capacity *= 2
    }
}
