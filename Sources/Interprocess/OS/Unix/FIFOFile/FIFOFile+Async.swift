// SPDX-License-Identifier: MIT OR Apache-2.0

#if !os(Windows)
internal import CInterprocess

extension FIFOFile {
    /// Opens a FIFO to receive, suspending the task until somebody has opened it to send.
    ///
    /// It does otherwise what the blocking form does. When its task is cancelled, the FIFO is closed again, and bytes
    /// that had come are lost with it.
    ///
    /// - Parameters:
    ///   - path: Where it is.
    ///   - waitsForSender: Whether to wait. If not, reads return 0 bytes as long as nobody sends.
    ///   - timeout: How long to wait at most; `nil` is without limit.
    /// - Returns: The receiving end.
    /// - Throws: ``IPCError/Code/cancelled``; ``IPCError/Code/timedOut``; ``IPCError/Code/notFound``;
    ///   ``IPCError/Code/permissionDenied``; ``IPCError/Code/invalidArgument`` for a file that is no FIFO, which is not
    ///   touched; ``IPCError/Code/invalidName`` for a path that is empty or has a NUL in it;
    ///   ``IPCError/Code/resourcesExhausted``.
    public static func openReceiver(
        at path: String,
        waitsForSender: Bool = true,
        timeout: Duration? = nil
    ) async throws(IPCError) -> FIFOReceiver {
        let deadline = Deadline(after: timeout)
        let side = try makeReceivingSide(path)
        var backoff = Backoff()
        while waitsForSender {
            if try hasSender(side) { break }
            // Ready: there are bytes, or a sender was here and has left.
            let result = await side.core.becomeReady(.receive, until: backoff.next(until: deadline))
            if result >= 0 { break }
            if result != Ending.timedOut { throw side.core.failure(result, .open) }
            if deadline.hasPassed { throw side.core.error(.timedOut, .open, detail: "nobody has opened it to send") }
        }
        return FIFOReceiver(side)
    }

    /// Opens a FIFO to send, suspending the task until somebody has opened it to receive.
    ///
    /// The corresponding system call is `open`, repeated at growing intervals of up to 20 ms.
    ///
    /// - Parameters:
    ///   - path: Where it is.
    ///   - timeout: How long to wait at most; `nil` is without limit, zero tries once.
    /// - Returns: The sending end.
    /// - Throws: As `openReceiver(at:waitsForSender:timeout:)` does.
    public static func openSender(at path: String, timeout: Duration? = nil) async throws(IPCError) -> FIFOSender {
        let deadline = Deadline(after: timeout)
        var backoff = Backoff()
        while true {
            if let sender = try openSenderNow(path, isLastAttempt: deadline.hasPassed) { return sender }
            try await EventLoop.pause(until: backoff.next(until: deadline), for: .open, name: path)
        }
    }
}
#endif
