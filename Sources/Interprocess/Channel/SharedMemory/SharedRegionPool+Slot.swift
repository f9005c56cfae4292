// SPDX-License-Identifier: MIT OR Apache-2.0

#if !canImport(Darwin) && !os(Windows)
extension SharedRegionPool {
    /// A slot that was taken, to be filled and lent; dropped without that, it is free again.
    public struct Slot: ~Copyable, Sendable {
        let pool: SharedRegionPool
        /// Negative once it is lent.
        private var index: Int

        init(pool: SharedRegionPool, index: Int) {
            self.pool = pool
            self.index = index
        }

        /// How large a message can be.
        public var byteCount: Int { pool.slotSize }

        /// Lends the memory, which holds what an earlier message has left.
        ///
        /// - Parameter body: Fills it.
        /// - Returns: What `body` returns.
        /// - Throws: What `body` throws.
        public mutating func withMutableBytes<Value, Failure: Error>(
            _ body: (inout MutableRawSpan) throws(Failure) -> Value
        ) throws(Failure) -> Value {
            var span = unsafe MutableRawSpan(_unsafeBytes: pool.bytes(of: index))
            return try body(&span)
        }

        /// Lends the memory, to code that knows no spans.
        ///
        /// - Parameter body: Fills it; it must not keep the pointer.
        /// - Returns: What `body` returns.
        /// - Throws: What `body` throws.
        public mutating func withUnsafeMutableBytes<Value, Failure: Error>(
            _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Value
        ) throws(Failure) -> Value {
            try unsafe body(pool.bytes(of: index))
        }

        /// Gives the slot to the reader, once the handle is sent to it.
        ///
        /// Where that fails, ``SharedRegionPool/takeBack(_:)`` frees the slot.
        ///
        /// - Parameter byteCount: How large the message is; `nil` is all of the slot.
        /// - Returns: What the reader opens it by.
        /// - Throws: ``IPCError/Code/messageTooLarge`` when the slot is smaller, which is free again then.
        public consuming func lend(byteCount: Int? = nil) throws(IPCError) -> Handle {
            let count = byteCount ?? self.byteCount
            if count < 0 || count > self.byteCount {
                throw IPCError(.messageTooLarge, .write, name: PoolLayout.name, detail: "the slot is smaller than that")
            }
            let handle = Handle(index: index, number: pool.lend(index), byteCount: count)
            index = -1
            return handle
        }

        deinit { if index >= 0 { pool.giveBack(index) } }
    }

    /// A message in a pool, for any channel to the process that has the pool's reader; it can be opened once.
    public struct Handle: IPCPlain, Hashable {
        private let slot: UInt64
        let number: UInt64
        private let count: UInt64

        init(index: Int, number: UInt64, byteCount: Int) {
            slot = UInt64(index)
            self.number = number
            count = UInt64(byteCount)
        }

        /// Which slot: whoever has sent it can have it be anything.
        var index: Int { Int(clamping: slot) }

        /// How large the message is, as its sender says.
        public var byteCount: Int { Int(clamping: count) }

        /// Its numbers.
        public static let layout = IPCPlainLayout(\Handle.slot, \.number, \.count)
    }
}

/// What a pool's memory consists of.
struct PoolLayout: Sendable {
    static let name = "a pool of shared memory"
    /// As many credits fit the kernel's buffer, so that to give one back never waits.
    static let maximumSlotCount = 128

    let slotCount: Int
    let slotSize: Int

    /// `nil` for numbers that are none of a pool's.
    init?(slotCount: Int, slotSize: Int) {
        // So much that nothing overflows.
        guard 1...Self.maximumSlotCount ~= slotCount, 1...1 << 48 ~= slotSize else { return nil }
        self.slotCount = slotCount
        self.slotSize = slotSize
    }

    /// How far it is from one slot to the next: no page belongs to two of them.
    var stride: Int { (slotSize + 4095) / 4096 * 4096 }
    var byteCount: Int { slotCount * stride }
}

/// What is sent back to a pool: which slot is free again, and under which number it was lent.
struct PoolCredit {
    let index: Int
    let number: UInt64

    static var channel: IPCChannel.Options {
        var options = IPCChannel.Options()
        options.maximumMessageSize = 16
        return options
    }

    init(index: Int, number: UInt64) {
        self.index = index
        self.number = number
    }

    /// `nil` if it is none.
    init?(_ bytes: [UInt8]) {
        guard bytes.count == 16 else { return nil }
        func number(_ range: Range<Int>) -> UInt64 { bytes[range].reversed().reduce(0) { $0 << 8 | UInt64($1) } }
        index = Int(clamping: number(0..<8))
        self.number = number(8..<16)
    }

    var bytes: [UInt8] {
        [UInt64(index), number].flatMap { number in (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } }
    }

    /// Sends it, later if the system has no memory for it now.
    func send(by sender: IPCBytesSender) {
        if trySend(by: sender) { return }
        Task { repeat { await EventLoop.pauseInShortage() } while !trySend(by: sender) }
    }

    /// Returns whether it need not be tried again.
    ///
    /// There is room for as many as there are slots; and if the other side is closed, nobody wants it.
    private func trySend(by sender: IPCBytesSender) -> Bool {
        do throws(IPCError) { try sender.trySend(bytes) } catch { return error.code != .resourcesExhausted }
        return true
    }
}
#endif
