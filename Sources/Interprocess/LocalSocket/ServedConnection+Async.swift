// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess

extension LocalSocketListener {
    /// Serves clients by calling a function with the bytes that come from them, on an event loop's thread, without
    /// suspending and resuming a task for each piece: the fastest way to serve.
    ///
    /// ```swift
    /// let listener = try LocalSocketListener(.namespaced("com.example.echo"))
    /// try await listener.serve { client in
    ///     { bytes in client.send(bytes) }
    /// }
    /// ```
    ///
    /// Everything else is as for ``serve(options:_:)``, save that ``ServeOptions/handlerExecutor`` is not heeded.
    ///
    /// - Parameters:
    ///   - options: How to serve.
    ///   - makeHandler: Is called once for each client, and returns what is called with the bytes that come, piece by
    ///     piece: up to 64 KiB, valid during the call. An empty piece, the last one, says that the client sends nothing
    ///     more. What is to be kept for a client, the function captures. It must not block.
    /// - Throws: As ``serve(options:_:)`` does.
    public func serve(
        options: ServeOptions = ServeOptions(),
        eachPiece makeHandler: @escaping @Sendable (ServedConnection) -> (RawSpan) -> Void
    ) async throws(IPCError) {
        var options = options
        options.handlerExecutor = .eventLoop
        try await serve(options: options) { stream in
            try await ServedConnection(stream).run(makeHandler)
        }
    }
}

/// A client of a server that is called with the bytes that come: see ``LocalSocketListener/serve(options:eachPiece:)``.
///
/// It belongs to the thread that it was made on.
public final class ServedConnection: Watcher {
    private let core: DescriptorCore
    private let registration: Registration
    private var handler: ((RawSpan) -> Void)?
    private var unsent: [UInt8] = []
    private var unsentStart = 0
    /// Whether nothing more is received: it ends as soon as all is sent.
    private var isEnding = false
    private var isFinished = false
    private var failure: IPCError?

    init(_ stream: LocalSocketStream) throws(IPCError) {
        core = stream.descriptorCore
        registration = try core.register(.both, for: .read, Reactor.current ?? EventLoop.shared.reactor)
    }

    /// Sends bytes: at once, or as soon as the client has taken those before.
    ///
    /// While some of them wait to be sent, nothing more is received from the client, so that no more than the answers to
    /// one piece are kept in memory. What is sent to it on account of other clients is kept without limit: see
    /// ``unsentByteCount``. If the client is gone, they are dropped, and the connection ends.
    ///
    /// The corresponding system call is `send`.
    ///
    /// - Parameter bytes: What to send.
    public func send(_ bytes: RawSpan) {
        unsafe bytes.withUnsafeBytes { unsafe send($0) }
    }

    /// Sends bytes, as ``send(_:)-(RawSpan)`` does.
    ///
    /// - Parameter bytes: What to send.
    public func send(_ bytes: [UInt8]) {
        unsafe bytes.withUnsafeBytes { unsafe send($0) }
    }

    /// How many bytes wait until the client has taken those before.
    public var unsentByteCount: Int { unsent.count - unsentStart }

    /// Ends the connection when all is sent; nothing more is received, or taken to be sent.
    public func close() {
        if isEnding { return }
        isEnding = true
        if unsent.isEmpty { finish() }
    }

    /// Who is on the other side.
    ///
    /// - Returns: What the system tells.
    /// - Throws: ``IPCError/Code/notConnected``; ``IPCError/Code/closed`` once the connection has ended.
    public func peerCredentials() throws(IPCError) -> PeerCredentials { try PeerCredentials(core) }
}

extension ServedConnection {
    /// Serves the client until it ends; throws how, if not well.
    fileprivate func run(_ makeHandler: (ServedConnection) -> (RawSpan) -> Void) async throws(IPCError) {
        handler = makeHandler(self)
        if !isFinished { watch(Int64(unsent.isEmpty ? CIP_READABLE : CIP_WRITABLE)) }
        let outcome = await registration.wait(.turn, until: .never, isBack: false)
        // A call may be due already, and somebody may have kept this object: the descriptor is not theirs from now on.
        finish()
        _ = registration.watch(nil, for: 0)
        handler = nil
        if let failure { throw failure }
        if outcome.value < 0 { throw core.failure(outcome.value, .read) }
    }

    private func finish(_ error: IPCError? = nil) {
        if isFinished { return }
        isFinished = true
        isEnding = true
        failure = error
        unsent = []
        unsentStart = 0
        registration.passTurn()
    }

    private func watch(_ wanted: Int64) {
        let result = registration.watch(self, for: wanted)
        if result < 0 { finish(core.error(result: result, .read)) }
    }

    func call(_ ready: Int64, _ memory: UnsafeMutableRawBufferPointer) {
        if !unsent.isEmpty { return flush() }
        if isFinished { return }
        let result = System.transfer(.receive, memory.count) {
            unsafe Transport.socket.read(core, memory.baseAddress.unsafelyUnwrapped, $0, wait: false)
        }
        if result < 0 {
            if result != -cip_codes.would_block { finish(core.error(result: result, .read)) }
            return
        }
        unsafe handler?(RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: memory[..<Int(result)])))
        if result == 0 { close() }
    }

    private func send(_ bytes: UnsafeRawBufferPointer) {
        guard !isEnding, bytes.count > 0, let base = bytes.baseAddress else { return }
        var sent = 0
        if unsent.isEmpty {
            let result = System.transfer(.send, bytes.count) {
                unsafe Transport.socket.write(core, base, $0, wait: false)
            }
            if result < 0 && result != -cip_codes.would_block { return finish(core.error(result: result, .write)) }
            sent = Int(max(0, result))
            if sent == bytes.count { return }
            if handler != nil { watch(Int64(CIP_WRITABLE)) }
        }
        unsafe unsent.append(contentsOf: bytes[sent...])
    }

    /// Sends what fits, and goes on receiving when all is sent.
    private func flush() {
        let result = unsafe unsent.withUnsafeBytes { bytes in
            System.transfer(.send, bytes.count - unsentStart) {
                unsafe Transport.socket.write(
                    core,
                    bytes.baseAddress.unsafelyUnwrapped + unsentStart,
                    $0,
                    wait: false
                )
            }
        }
        if result < 0 {
            if result != -cip_codes.would_block { finish(core.error(result: result, .write)) }
            return
        }
        unsentStart += Int(result)
        if unsentStart < unsent.count { return }
        unsent = []
        unsentStart = 0
        if isEnding { finish() } else { watch(Int64(CIP_READABLE)) }
    }
}
