// SPDX-License-Identifier: MIT OR Apache-2.0

#if !os(Windows)
internal import CInterprocess

/// Which system calls move bytes through a descriptor.
///
/// Each system's backend has a type of this name with these members.
enum Transport: Sendable {
    case socket
    /// A pipe whose open file description others may hold too, or may come to hold: it is left in its mode.
    case pipe
    /// A pipe, a FIFO as a rule, whose open file description is private to us, and in nonblocking mode.
    case fifo

    /// Gives the descriptor what sending needs, which is nothing here.
    @inline(__always)
    func prepareToSend(_ core: DescriptorCore) {}

    /// Whether sending can wait inside the kernel.
    var sendsByWaiting: Bool { self == .socket }

    /// Whether a call with this lease can.
    @inline(__always)
    func mayWait(_ lease: borrowing DescriptorCore.Lease) -> Bool { lease.mayBlock }

    /// Whether bytes that came as the descriptor was closed are the peer's.
    var bytesOutliveClose: Bool { self == .socket }

    /// Whether waiting tells of the end of the stream: it does not for a FIFO, as long as no sender has come.
    var endIsAwaitable: Bool { self != .fifo }

    /// Receives up to `count` bytes.
    ///
    /// Without `wait`, the error is "would block" instead of waiting.
    @inline(__always)
    func read(_ core: DescriptorCore, _ memory: UnsafeMutableRawPointer, _ count: Int, wait: Bool) -> Int64 {
        switch self {
        case .socket: unsafe cip_receive(core.descriptor, memory, count, wait)
        case .pipe:
            unsafe wait ? cip_read(core.descriptor, memory, count) : cip_pipe_read(core.descriptor, memory, count)
        case .fifo: unsafe cip_read(core.descriptor, memory, count)
        }
    }

    /// Sends up to `count` bytes, and never raises SIGPIPE.
    ///
    /// Without `wait`, the error is "would block" instead of waiting; only a socket can wait by itself.
    @inline(__always)
    func write(_ core: DescriptorCore, _ memory: UnsafeRawPointer, _ count: Int, wait: Bool) -> Int64 {
        switch self {
        case .socket: unsafe cip_send(core.descriptor, memory, count, wait)
        case .pipe, .fifo: unsafe cip_pipe_write(core.descriptor, memory, count, self == .fifo)
        }
    }

    /// The most pieces of memory that one call takes.
    static let maximumPieces = 1024

    /// Receives into several pieces of memory, as `read` does into one; never waits.
    func read(_ core: DescriptorCore, _ pieces: UnsafeMutableBufferPointer<cip_buffer>) -> Int64 {
        guard let base = pieces.baseAddress else { return 0 }
        switch self {
        case .socket:
            var message = unsafe cip_message(of: pieces)
            return unsafe cip_receive_message(core.descriptor, &message, false)
        case .pipe: return unsafe cip_pipe_read_pieces(core.descriptor, base, pieces.count)
        case .fifo: return unsafe cip_read_pieces(core.descriptor, base, pieces.count)
        }
    }

    /// Sends several pieces of memory, as `write` does one, but never waits, even if it may.
    func write(_ core: DescriptorCore, _ pieces: UnsafeMutableBufferPointer<cip_buffer>, wait: Bool) -> Int64 {
        guard let base = pieces.baseAddress else { return 0 }
        if self != .socket { return unsafe cip_pipe_write_pieces(core.descriptor, base, pieces.count, self == .fifo) }
        var message = unsafe cip_message(of: pieces)
        return unsafe cip_send_message(core.descriptor, &message, false)
    }
}

extension cip_message {
    fileprivate init(of pieces: UnsafeMutableBufferPointer<cip_buffer>) {
        unsafe self.init()
        unsafe buffers = pieces.baseAddress
        unsafe buffer_count = pieces.count
    }
}

extension DescriptorCore {
    /// What is waited for until a side is ready.
    @inline(__always)
    func waitable(_ side: Side) -> Int64 { descriptor }
}
#endif
