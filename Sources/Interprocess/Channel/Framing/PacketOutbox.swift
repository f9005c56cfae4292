// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess

/// Messages that wait to be sent together, in one packet.
@safe
// Sendable: its memory is nobody else's, and goes with it from thread to thread.
struct PacketOutbox: ~Copyable, @unchecked Sendable {
    private var memory: UnsafeMutableRawPointer?
    private(set) var count = 0
    /// Why nothing can be sent any more: a negated error code.
    private(set) var failure: Int64 = 0
    /// Whether somebody will see to it that what is here is sent.
    var isExpected = false

    deinit { unsafe memory?.deallocate() }

    /// Adds a message, if there is room.
    ///
    /// - Returns: 0; "would block" when the others have to be sent first; or another negated error code.
    mutating func add(_ bytes: UnsafeRawBufferPointer) -> Int64 { unsafe add(.message, bytes) }

    /// The same with the word that a message is given up.
    mutating func add(abandonmentOf identifier: UInt64) -> Int64 {
        unsafe withUnsafeBytes(of: identifier.littleEndian) { unsafe add(.abandonment, $0) }
    }

    @inline(__always)
    private mutating func add(_ kind: FrameHead.Kind, _ bytes: UnsafeRawBufferPointer) -> Int64 {
        if failure < 0 { return failure }
        let size = FrameHead.size + bytes.count
        if size > FrameHead.maximumPacket - count { return -cip_codes.would_block }
        let memory = unsafe memory ?? .allocate(byteCount: FrameHead.maximumPacket, alignment: 16)
        unsafe self.memory = memory
        let place = unsafe memory + count
        unsafe FrameHead(kind, byteCount: bytes.count, attachmentCount: 0).store(to: place)
        if let base = bytes.baseAddress {
            unsafe (place + FrameHead.size).copyMemory(from: base, byteCount: bytes.count)
        }
        count += size
        return 0
    }

    /// Sends what is here, if that takes no waiting.
    ///
    /// - Returns: 0, or a negated error code.
    mutating func flush(_ core: DescriptorCore) -> Int64 {
        if failure < 0 { return failure }
        guard count > 0, let memory = unsafe memory else { return 0 }
        let count = count
        let result = System.call(.send) { unsafe PacketTransport.sendFrames(core, memory, count) }
        if result == -cip_codes.would_block || Shortage.isCause(of: result) { return result }
        // What else cannot be sent now never can: the next call tells.
        if result < 0 { failure = result }
        self.count = 0
        return min(result, 0)
    }
}
