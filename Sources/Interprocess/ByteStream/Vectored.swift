// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess

extension ByteReceiver {
    /// Receives bytes into several pieces of memory, filling one before the next.
    ///
    /// The corresponding system call is `recvmsg` (sockets), or `preadv2` or `readv` (pipes).
    ///
    /// - Parameters:
    ///   - buffers: Where the bytes go; at most 1024 pieces count. With room for none, the call returns 0 at once.
    ///   - timeout: How long to wait at most; `nil` means ``receiveTimeout``.
    /// - Returns: The number of bytes received; 0 at the end of the stream.
    /// - Throws: As `read(into:timeout:)` does.
    public func read(
        scattering buffers: [UnsafeMutableRawBufferPointer],
        timeout: Duration? = nil
    ) throws(IPCError) -> Int {
        let side = receivingSide
        return try unsafe withPieces(buffers) { (pieces) throws(IPCError) -> Int in
            try unsafe side.read(into: pieces, side.settings.patience(timeout))
        }
    }
}

extension ByteSender {
    /// Sends the bytes of several pieces of memory, one after another, some or all.
    ///
    /// The corresponding system call is `sendmsg` (sockets) or `pwritev2` (pipes).
    ///
    /// - Parameters:
    ///   - buffers: What to send; at most 1024 pieces count.
    ///   - timeout: How long to wait at most; `nil` means ``sendTimeout``.
    /// - Returns: The number of bytes sent: at least one, unless there are none.
    /// - Throws: As `write(_:timeout:)` does.
    public func write(gathering buffers: [UnsafeRawBufferPointer], timeout: Duration? = nil) throws(IPCError) -> Int {
        let side = sendingSide
        let writable = unsafe buffers.map { unsafe UnsafeMutableRawBufferPointer(mutating: $0) }
        return try unsafe withPieces(writable) { (pieces) throws(IPCError) -> Int in
            try unsafe side.write(pieces, side.settings.patience(timeout))
        }
    }
}

/// Calls with the buffers that are not empty, as the system takes them; without a call there is nothing to move.
func withPieces<Count: SignedInteger, Failure: Error>(
    _ buffers: [UnsafeMutableRawBufferPointer],
    _ body: (UnsafeMutableBufferPointer<cip_buffer>) throws(Failure) -> Count
) throws(Failure) -> Count {
    try unsafe withUnsafeTemporaryAllocation(of: cip_buffer.self, capacity: Transport.maximumPieces) {
        (memory) throws(Failure) -> Count in
        var count = 0
        var room = System.maximumTransfer
        for index in unsafe buffers.indices where count < memory.count && room > 0 {
            let part = unsafe min(buffers[index].count, room)
            if part == 0 { continue }
            unsafe memory[count] = cip_buffer(base: buffers[index].baseAddress, count: part)
            room -= part
            count += 1
        }
        return count == 0 ? 0 : try unsafe body(UnsafeMutableBufferPointer(rebasing: memory[..<count]))
    }
}
