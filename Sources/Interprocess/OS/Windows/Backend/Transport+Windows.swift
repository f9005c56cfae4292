// SPDX-License-Identifier: MIT OR Apache-2.0

#if os(Windows)
internal import CInterprocess

/// Which system calls move bytes through a descriptor: all of Windows' pipes are the same.
///
/// A read waits for readiness as on other systems, for a read of no bytes ends when there is something to read. There is
/// nothing of the kind for writing: what may not wait is taken over by an `Outbox`. Nor is there where messages are read,
/// for such a read would take an empty one away: a `Mailbox` reads there, for all calls.
enum Transport: Sendable {
    case pipe
    /// A pipe's end that reads messages.
    case messages

    /// Local sockets are named pipes.
    static let socket = Transport.pipe

    /// Gives the descriptor what sending needs.
    func prepareToSend(_ core: DescriptorCore) {
        if !core.companion.isSet { _ = core.companion.set(Outbox(core.descriptor)) }
    }

    /// Whether sending can wait inside the kernel.
    var sendsByWaiting: Bool { true }

    /// Whether a call with this lease can: each such wait has the wake in it, and a mailbox waits for nothing.
    @inline(__always)
    func mayWait(_ lease: borrowing DescriptorCore.Lease) -> Bool { self == .pipe }

    /// Whether bytes that came as the descriptor was closed are the peer's.
    var bytesOutliveClose: Bool { true }

    /// Whether waiting tells of the end of the stream.
    var endIsAwaitable: Bool { true }

    /// Receives up to `count` bytes.
    ///
    /// Without `wait`, the error is "would block" instead of waiting.
    func read(_ core: DescriptorCore, _ memory: UnsafeMutableRawPointer, _ count: Int, wait: Bool) -> Int64 {
        let wake = wait ? core.wakeOfOpen(.receive) : -1
        if wait && wake < 0 { return wake }
        while true {
            var received = 0
            let result =
                unsafe self == .pipe
                ? cip_handle_read(core.descriptor, memory, count, wake, wait ? -1 : 0, &received)
                : core.mailbox.read(memory, count, &received)
            // Somebody wrote nothing, which is not the end.
            if result >= 0 && received == 0 && count > 0 { continue }
            if result >= 0 || result == -PipeCode.moreData { return Int64(received) }
            // The peer is gone: that is how a pipe's stream ends.
            return PipeCode.isEndOfStream(result) ? 0 : result
        }
    }

    /// Sends up to `count` bytes.
    ///
    /// Without `wait`, the error is "would block" instead of waiting.
    func write(_ core: DescriptorCore, _ memory: UnsafeRawPointer, _ count: Int, wait: Bool) -> Int64 {
        if !wait { return unsafe core.outbox.write(memory, count, whole: false) }
        let wake = core.wakeOfOpen(.send)
        if wake < 0 { return wake }
        return unsafe cip_handle_write(core.descriptor, memory, count, wake, -1)
    }

    /// The most pieces of memory that one call takes.
    static let maximumPieces = 16

    /// Receives into the first of several pieces of memory, for one is all that a call takes; never waits.
    func read(_ core: DescriptorCore, _ pieces: UnsafeMutableBufferPointer<cip_buffer>) -> Int64 {
        guard let piece = unsafe pieces.first, let base = unsafe piece.base else { return 0 }
        return unsafe read(core, base, piece.count, wait: false)
    }

    /// Sends the first of several pieces of memory, as `write` does one.
    func write(_ core: DescriptorCore, _ pieces: UnsafeMutableBufferPointer<cip_buffer>, wait: Bool) -> Int64 {
        guard let piece = unsafe pieces.first, let base = unsafe piece.base else { return 0 }
        return unsafe write(core, base, piece.count, wait: wait)
    }
}

extension DescriptorCore {
    /// The wake of a side, which is open still, so that closing it will signal that; or "would block", or another negated
    /// error code.
    func wakeOfOpen(_ side: Side) -> Int64 {
        let wake = wakes.wake(of: side)
        return wake >= 0 && isClosed(side) ? -cip_codes.would_block : wake
    }
}

/// The codes that are no errors, or not only.
enum PipeCode {
    static let brokenPipe: Int64 = 109
    static let timedOut: Int64 = 121
    static let busy: Int64 = 231
    static let noData: Int64 = 232
    static let notConnected: Int64 = 233
    static let moreData: Int64 = 234

    static func isEndOfStream(_ result: Int64) -> Bool {
        result == -brokenPipe || result == -notConnected || result == -noData
    }
}
#endif
