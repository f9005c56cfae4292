// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess

/// What waits to be sent on a stream: small frames that are sent together, and the rest of a frame that the kernel has
/// taken a part of, which goes before anything else.
@safe
// Sendable: its memory is nobody else's, and goes with it from thread to thread.
struct FrameOutbox: ~Copyable, @unchecked Sendable {
    /// How much is collected before others have to wait.
    private static let room = 64 << 10

    private var memory: UnsafeMutableRawPointer?
    private var capacity = 0
    private var start = 0
    private var end = 0
    /// How many bytes there ever were to be sent.
    private(set) var accepted: UInt64 = 0
    /// Why nothing can be sent any more: a negated error code.
    private(set) var failure: Int64 = 0
    /// Whether somebody will see to it that what is here is sent.
    var isExpected = false

    deinit { unsafe memory?.deallocate() }

    var count: Int { end - start }

    /// How many of them the kernel has.
    var sent: UInt64 { accepted - UInt64(count) }

    /// Puts a frame behind what is here, if there is room.
    ///
    /// - Returns: 0; "would block" when what is here has to be sent first; or another negated error code.
    mutating func collect(_ frames: ConnectionFrames, _ bytes: UnsafeRawBufferPointer) -> Int64 {
        if failure < 0 { return failure }
        if ConnectionFrame.headSize + bytes.count > Self.room - count { return -cip_codes.would_block }
        return unsafe add(frames, bytes)
    }

    /// Puts a frame behind what is here, room or not: for the few that are small, and cannot wait.
    mutating func add(_ frames: ConnectionFrames, _ bytes: UnsafeRawBufferPointer) -> Int64 {
        if failure < 0 { return failure }
        return unsafe frames.withNext(bytes) { start, part in
            unsafe append(start)
            unsafe append(part)
            accepted += UInt64(start.count + part.count)
            return 0
        }
    }

    /// Sends what is here, and then a frame, of which the rest stays here if the kernel does not take all of it.
    ///
    /// - Returns: 0; "would block" when nothing of the frame is on its way; or another negated error code.
    mutating func send(
        _ frames: ConnectionFrames,
        _ bytes: UnsafeRawBufferPointer,
        _ side: SendingSide
    ) -> Int64 {
        if case let result = flush(side), result < 0 { return result }
        let passed = frames.passed
        let result = unsafe frames.withNext(bytes) { start, part in
            let result = unsafe FrameTransport.send(side.core, start, part, passed)
            if result < 0 { return result }
            accepted += UInt64(start.count + part.count)
            if result < start.count { unsafe append(UnsafeRawBufferPointer(rebasing: start[Int(result)...])) }
            let rest = max(0, Int(result) - start.count)
            if rest < part.count { unsafe append(UnsafeRawBufferPointer(rebasing: part[rest...])) }
            return result
        }
        if result < 0 { return fail(result) }
        // Where the system takes one piece of memory at a time. Of what is on its way, who waits for it is told.
        if count > 0 { _ = flush(side) }
        return 0
    }

    /// Sends what is here, if that takes no waiting.
    ///
    /// - Returns: 0, or a negated error code.
    mutating func flush(_ side: SendingSide) -> Int64 {
        if failure < 0 { return failure }
        while count > 0, let memory = unsafe memory {
            let place = unsafe memory + start
            let result = System.transfer(.send, count) {
                unsafe side.transport.write(side.core, place, $0, wait: false)
            }
            if result < 0 { return fail(result) }
            start += Int(result)
        }
        start = 0
        end = 0
        return 0
    }

    /// What cannot be sent now never can: the next call tells.
    ///
    /// Too many descriptors on their way, or no memory, are nothing but the frame's own failure as long as none of it has
    /// gone.
    private mutating func fail(_ result: Int64) -> Int64 {
        let code = IPCError.Code(systemCode: -result)
        if code == .brokenPipe || code == .connectionReset { failure = result }
        return result
    }

    private mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress, bytes.count > 0 else { return }
        if bytes.count > capacity - end { makeRoom(bytes.count) }
        guard let memory = unsafe memory else { return }
        unsafe (memory + end).copyMemory(from: base, byteCount: bytes.count)
        end += bytes.count
    }

    private mutating func makeRoom(_ more: Int) {
        let present = count
        if present + more > capacity {
            let larger = max(Self.room, 2 * (present + more))
            let new = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
            if let memory = unsafe memory { unsafe new.copyMemory(from: memory + start, byteCount: present) }
            unsafe memory?.deallocate()
            unsafe memory = new
            capacity = larger
        } else if let memory = unsafe memory {
            unsafe memory.copyMemory(from: memory + start, byteCount: present)
        }
        start = 0
        end = present
    }
}
