// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess

extension ByteReceiver {
    /// Receives bytes into several pieces of memory, filling one before the next, suspending the task until there are
    /// any.
    ///
    /// The corresponding system call is `recvmsg` (sockets) or `preadv2` (pipes).
    ///
    /// - Parameters:
    ///   - buffers: Where the bytes go, which has to stay until the call returns; at most 1024 pieces count. With room
    ///     for none, the call returns 0 at once.
    ///   - timeout: How long to wait at most; `nil` means ``receiveTimeout``.
    /// - Returns: The number of bytes received; 0 at the end of the stream.
    /// - Throws: As `read(into:timeout:)` does, and ``IPCError/Code/cancelled``.
    public func read(
        scattering buffers: [UnsafeMutableRawBufferPointer],
        timeout: Duration? = nil
    ) async throws(IPCError) -> Int {
        guard let first = unsafe buffers.first(where: { $0.count > 0 }) else { return 0 }
        let side = receivingSide
        let deadline = side.settings.deadline(timeout)
        if side.connection != nil { try await side.finishConnecting(until: deadline) }
        let result = await side.receive(until: deadline) { source in
            switch source {
            case .readAhead: unsafe Int64(side.readAhead.take(into: first.baseAddress.unsafelyUnwrapped, first.count))
            case .descriptor: unsafe withPieces(buffers) { unsafe side.attempt($0) }
            }
        }
        return try side.core.checked(result, .read)
    }
}

extension ByteSender {
    /// Sends the bytes of several pieces of memory, one after another, some or all, suspending the task until there is
    /// room for any.
    ///
    /// The corresponding system call is `sendmsg` (sockets) or `pwritev2` (pipes).
    ///
    /// - Parameters:
    ///   - buffers: What to send, which has to stay until the call returns; at most 1024 pieces count.
    ///   - timeout: How long to wait at most; `nil` means ``sendTimeout``.
    /// - Returns: The number of bytes sent: at least one, unless there are none.
    /// - Throws: As `write(_:timeout:)` does, and ``IPCError/Code/cancelled``.
    public func write(
        gathering buffers: [UnsafeRawBufferPointer],
        timeout: Duration? = nil
    ) async throws(IPCError) -> Int {
        guard unsafe buffers.contains(where: { $0.count > 0 }) else { return 0 }
        let side = sendingSide
        let writable = unsafe buffers.map { unsafe UnsafeMutableRawBufferPointer(mutating: $0) }
        return try await side.send(timeout) {
            unsafe withPieces(writable) { pieces in
                System.call(.send) { unsafe side.transport.write(side.core, pieces, wait: false) }
            }
        }
    }
}
