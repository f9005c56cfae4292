// SPDX-License-Identifier: MIT OR Apache-2.0

/// What both sides of a connection do first: they say who they are, and prove that they know the secret.
struct Handshake {
    private let own: Hello
    private let secret: [UInt8]?
    private var other: Hello?
    private let frames: FrameSender
    private let reader: FrameReader

    init(_ own: Hello, _ secret: [UInt8]?, _ frames: FrameSender, _ reader: FrameReader) throws(IPCError) {
        if secret?.isEmpty == true {
            throw frames.core.error(.invalidArgument, .connect, detail: "a secret has at least one byte")
        }
        self.own = own
        self.secret = secret
        self.frames = frames
        self.reader = reader
    }

    /// Does it, once a connection that was deferred is made; when it fails, the descriptor is closed.
    mutating func perform(until deadline: Deadline) throws(IPCError) {
        let patience = Patience(isNonblocking: false, deadline: deadline)
        do throws(IPCError) {
            try connect(patience)
            try introduce(.hello, own.bytes)
            while true {
                while let message = try reader.next() { if try take(message) { return } }
                try reader.fill(patience)
            }
        } catch { throw end(error) }
    }

    /// The same, suspending the task.
    mutating func perform(until deadline: Deadline) async throws(IPCError) {
        do throws(IPCError) {
            try await frames.side.connection?.finish(frames.core, .both, until: deadline)
            try introduce(.hello, own.bytes)
            while true {
                while let message = try reader.next() { if try take(message) { return } }
                try await reader.fill(until: deadline)
            }
        } catch { throw end(error) }
    }

    private func connect(_ patience: Patience) throws(IPCError) {
        guard let connection = frames.side.connection else { return }
        let lease = try frames.core.lease(.both, for: .connect)
        try connection.finish(frames.core, .both, lease, patience)
    }

    private func end(_ error: IPCError) -> IPCError {
        frames.close()
        return IPCError(error.code, .connect, systemCode: error.systemCode, name: error.name, detail: error.detail)
    }

    /// A few bytes, for which there is room in a stream that nobody has used.
    ///
    /// Of a peer that has left, the answer may tell why.
    private func introduce(_ kind: ConnectionFrame.Kind, _ bytes: [UInt8]) throws(IPCError) {
        do throws(IPCError) { try Self.send(kind, bytes, frames) } catch {
            if error.code != .disconnected { throw error }
        }
    }

    private static func send(
        _ kind: ConnectionFrame.Kind,
        _ bytes: [UInt8],
        _ frames: FrameSender
    ) throws(IPCError) {
        let patience = Patience(isNonblocking: true, deadline: .never)
        try unsafe frames.send(ConnectionFrames(kind, count: bytes.count), patience) { body in
            unsafe bytes.withUnsafeBytes { unsafe body($0) }
        }
    }

    /// Takes what has come; returns whether that was the last of it.
    private mutating func take(_ message: FrameInbox.Message) throws(IPCError) -> Bool {
        let bytes = unsafe Array(message.bytes.prefix(Hello.size + 1))
        switch (message.kind, other) {
        case (.hello, nil):
            guard let other = Hello(bytes) else { break }
            self.other = other
            if let refusal = own.refusal(of: other) { throw refuse(refusal) }
            frames.limit = min(frames.limit, other.limit)
            guard let secret else { return true }
            try introduce(.proof, own.proof(to: other, secret))
            return false
        case (.proof, let other?):
            guard let secret else { break }
            if !SHA256.areEqual(bytes, other.proof(to: own, secret)) { throw refuse(.secret) }
            return true
        case (.refusal, _):
            guard bytes.count == 1, let refusal = Refusal(rawValue: bytes[0]) else { break }
            throw error(refusal)
        default: break
        }
        throw frames.core.error(.protocolViolation, .connect, detail: "the peer does not introduce itself")
    }

    private func refuse(_ refusal: Refusal) -> IPCError {
        Self.refuse(refusal, frames)
        return error(refusal)
    }

    /// Tells the other side why there will be no connection.
    static func refuse(_ refusal: Refusal, _ frames: FrameSender) { try? send(.refusal, [refusal.rawValue], frames) }

    private func error(_ refusal: Refusal) -> IPCError {
        frames.core.error(refusal.code, .connect, detail: refusal.detail)
    }
}
