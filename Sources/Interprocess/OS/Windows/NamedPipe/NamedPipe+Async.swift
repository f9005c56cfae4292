// SPDX-License-Identifier: MIT OR Apache-2.0

#if os(Windows)
internal import CInterprocess

extension NamedPipeListener {
    /// Accepts the next client, suspending the task until there is one.
    ///
    /// - Parameter timeout: How long to wait at most; `nil` is without limit.
    /// - Returns: The connection to the client.
    /// - Throws: ``IPCError/Code/cancelled`` when the task is cancelled; ``IPCError/Code/timedOut``;
    ///   ``IPCError/Code/closed`` when the listener is closed, also during the call;
    ///   ``IPCError/Code/resourcesExhausted``.
    public func accept(timeout: Duration? = nil) async throws(IPCError) -> NamedPipeStream {
        let core = descriptorCore
        let result = await core.awaiting(.receive, until: Deadline(after: timeout), waitsFirst: false) {
            core.acceptNow(.open)
        }
        return makeStream(OwnedDescriptor(Int64(try core.checked(result, .accept))))
    }
}

extension NamedPipeStream {
    /// Connects to a server, suspending the task while all of the server's instances are taken.
    ///
    /// Nothing tells of an instance that becomes free without blocking a thread, so it is tried again and again.
    ///
    /// - Parameters:
    ///   - path: `\\.\pipe\NAME`.
    ///   - options: How.
    /// - Returns: The connection.
    /// - Throws: As the blocking form does, and ``IPCError/Code/cancelled``.
    public static func connect(
        to path: String,
        options: ConnectOptions = ConnectOptions()
    ) async throws(IPCError) -> NamedPipeStream {
        let address = try PipeAddress(path: Array(path.utf8))
        let deadline = Deadline(after: options.timeout)
        var backoff = Backoff()
        while true {
            if Task.isCancelled { throw IPCError(.cancelled, .connect, name: path, detail: nil) }
            if let stream = try connectNow(address, options) { return stream }
            if deadline.hasPassed { throw IPCError(.timedOut, .connect, name: path, detail: nil) }
            try await EventLoop.pause(until: backoff.next(until: deadline), for: .connect, name: path)
        }
    }
}
#endif
