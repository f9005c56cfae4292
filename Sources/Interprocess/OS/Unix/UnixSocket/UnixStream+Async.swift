// SPDX-License-Identifier: MIT OR Apache-2.0

#if !os(Windows)
extension LocalSocketStream {
    /// Connects to a server at an address, suspending the task as long as ``ConnectOptions/wait`` says.
    ///
    /// It does otherwise what the blocking form does.
    ///
    /// - Parameters:
    ///   - address: Where the server listens.
    ///   - options: How to connect.
    /// - Returns: The connection.
    /// - Throws: As the blocking form does, and ``IPCError/Code/cancelled``.
    public static func connect(
        toAddress address: UnixSocketAddress,
        options: ConnectOptions = ConnectOptions()
    ) async throws(IPCError) -> LocalSocketStream {
        LocalSocketStream(try await ConnectPlan(address, .stream, options).open(options.wait), options)
    }

    /// Sends all of the bytes, with attachments, which go along with the first one, suspending the task whenever there
    /// is no room.
    ///
    /// - Parameters:
    ///   - bytes: What to send.
    ///   - attachments: What goes with it.
    ///   - timeout: How long the whole call may wait; `nil` means ``ByteSender/sendTimeout``.
    /// - Throws: As the blocking form does, and ``IPCError/Code/cancelled``.
    public func sendAll(
        _ bytes: [UInt8],
        with attachments: UnixAttachments,
        timeout: Duration? = nil
    ) async throws(IPCError) {
        let deadline = sendingSide.settings.deadline(timeout)
        let sent = try await send(bytes, with: attachments, timeout: timeout)
        do throws(IPCError) {
            try await writeAll(Array(bytes.dropFirst(sent)), timeout: deadline.left)
        } catch {
            throw error.adding(bytesTransferred: sent)
        }
    }
}
#endif
