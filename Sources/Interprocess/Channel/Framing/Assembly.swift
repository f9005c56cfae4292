// SPDX-License-Identifier: MIT OR Apache-2.0

/// A message that arrives in parts.
@safe
final class Assembly {
    let total: Int
    /// What came with its first part, where that is how it comes.
    let attachments: ReceivedDescriptors?
    private(set) var count = 0
    private var memory: UnsafeMutableRawPointer
    private var capacity: Int

    /// Memory is taken as bytes arrive, whatever their number is said to be.
    private static let firstCapacity = 1 << 20

    init(_ total: Int, _ attachments: ReceivedDescriptors? = nil) {
        self.total = total
        self.attachments = attachments
        capacity = min(total, Self.firstCapacity)
        unsafe memory = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit { unsafe memory.deallocate() }

    var bytes: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: memory, count: count) }

    /// Adds a part, which must not be more than is missing.
    func add(_ part: UnsafeRawBufferPointer) {
        guard let base = part.baseAddress else { return }
        while count + part.count > capacity { grow() }
        unsafe (memory + count).copyMemory(from: base, byteCount: part.count)
        count += part.count
    }

    private func grow() {
        capacity = min(total, 2 * capacity)
        let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
        unsafe larger.copyMemory(from: memory, byteCount: count)
        unsafe memory.deallocate()
        unsafe memory = larger
    }
}
