// SPDX-License-Identifier: MIT OR Apache-2.0

import Interprocess

/// A connection with one peer: values both ways, requests and their replies.
final class ConnectionModel: ModelledSystem {
    typealias Connection = IPCConnection<[UInt8], [UInt8]>

    enum Kind: Sendable {
        case send, trySend, sendLarge, receive, tryReceive, receiveMessage, request, reply, refuse, close
    }

    static let kinds: [Kind] =
        [.sendLarge, .close]
        + [Kind.send, .trySend, .receive, .tryReceive, .receiveMessage, .receiveMessage, .request, .request]
        .flatMap { [$0, $0] } + [.reply, .reply, .reply, .refuse, .refuse]

    /// A call that waits for a reply.
    final class Request {
        let value: @Sendable () async -> Result<[UInt8], any Error>
        var isOver = false

        init(_ value: @escaping @Sendable () async -> Result<[UInt8], any Error>) { self.value = value }
    }

    /// One of the two sides.
    final class Side {
        let name: String
        let connection: Connection
        var isClosed = false
        /// What ended it, as whoever read first was told: closing it later changes nothing about that.
        var end: IPCError.Code?
        /// What the other side has sent, and with it the request that it is.
        var inbox: [(bytes: [UInt8], request: Request?)] = []
        /// What was received and can be replied to.
        var held: [(message: IPCIncomingMessage<[UInt8], [UInt8]>, request: Request)] = []
        /// What it waits for the replies of.
        var requests: [Request] = []

        init(_ name: String, _ connection: Connection) {
            self.name = name
            self.connection = connection
        }

        var hasRoom: Bool { inbox.reduce(0) { $0 + $1.bytes.count + 1000 } < 40_000 }
    }

    let journal: Journal
    private var sides: [Side]
    private var lastNumber = 0

    init(_ journal: Journal, in directory: String) throws {
        self.journal = journal
        let (one, other) = try Connection.pair()
        sides = [Side("A", one), Side("B", other)]
    }

    func perform(_ step: Step<Kind>) async throws {
        let (side, other) = (sides[step.object % 2], sides[1 - step.object % 2])
        switch step.kind {
        case .send, .trySend: try await send(step, side, other)
        case .sendLarge: try await sendLarge(step, side, other)
        case .receive, .tryReceive, .receiveMessage: try await receive(step, side, other)
        case .request: try await request(step, side, other)
        case .reply: try await reply(step, side, other)
        case .refuse: try await refuse(step, side, other)
        case .close: try await close(side, other)
        }
    }

    /// Calls that wait for replies have their connection.
    func end() async throws {
        if !sides[0].isClosed { try await close(sides[0], sides[1]) }
    }

    func bytes(_ count: Int) -> [UInt8] {
        lastNumber += 1
        return Parcel.bytes(lastNumber, count)
    }
}

// MARK: - Messages

extension ConnectionModel {
    private func send(_ step: Step<Kind>, _ side: Side, _ other: Side) async throws {
        if !other.hasRoom && !other.isClosed { return }
        let bytes = bytes(step.size)
        journal.note("\(step.kind) \(bytes.count) bytes by \(side.name)\(step.formDescription)")
        let (connection, patience, tries) = (side.connection, step.patience, step.kind == .trySend)
        let result = await step.either {
            if tries { try connection.trySend(bytes) } else { try connection.send(bytes, timeout: patience) }
            return true
        } awaited: {
            try await connection.send(bytes, timeout: patience)
            try await connection.flush(timeout: patience)
            return true
        }
        if try isOver(result, side, other) { return }
        try expect(result, true)
        other.inbox.append((bytes, nil))
    }

    /// Whether a side's sending had to fail.
    func isOver<Value>(_ result: Result<Value, any Error>, _ side: Side, _ other: Side) throws -> Bool {
        if side.isClosed {
            try expect(result, .closed)
        } else if other.isClosed {
            try expect(result, .disconnected)
        }
        return side.isClosed || other.isClosed
    }

    /// One that is sent in parts, while the other side receives everything.
    private func sendLarge(_ step: Step<Kind>, _ side: Side, _ other: Side) async throws {
        if side.isClosed || other.isClosed { return }
        let bytes = bytes(50_000 + step.size * 200)
        journal.note("send \(bytes.count) bytes by \(side.name), while the other side receives\(step.formDescription)")
        let connection = side.connection
        let sending = Running { try connection.send(bytes, timeout: .seconds(20)) }
        other.inbox.append((bytes, nil))
        while !other.inbox.isEmpty { try await receive(step, other, side) }
        try await onThread { try sending.value() }
    }

    private func receive(_ step: Step<Kind>, _ side: Side, _ other: Side) async throws {
        // Another call that waits for a reply may be about to read what has come.
        let tries = step.kind == .tryReceive && side.requests.isEmpty
        let keeps = step.kind == .receiveMessage
        journal.note("\(step.kind) by \(side.name)\(step.formDescription)")
        let isOver = !side.inbox.isEmpty || side.isClosed || other.isClosed
        let timeout = isOver ? step.patience : step.impatience
        let connection = side.connection
        let result = await step.either {
            tries ? try connection.tryReceiveMessage() : try connection.receiveMessage(timeout: timeout)
        } awaited: {
            try await connection.receiveMessage(timeout: timeout)
        }
        if side.isClosed { return try expect(result, .closed) }
        if side.inbox.isEmpty {
            if other.isClosed {
                side.end = .disconnected
                return try expect(result, .disconnected)
            }
            return tries && !step.isAwaited ? try expect(result.map { $0 == nil }, true) : try expect(result, .timedOut)
        }
        let (bytes, request) = side.inbox.removeFirst()
        guard case .success(let message?) = result, message.value == bytes else {
            throw Mismatch("expected \(brief(bytes)), but it came to \(brief(result.map { $0?.value ?? [] }))")
        }
        journal.add("\(bytes.count) bytes" + (request == nil ? "" : ", a request"))
        if message.expectsReply != (request != nil) { throw Mismatch("whether it is a request is told otherwise") }
        guard let request else { return }
        if keeps { return side.held.append((message, request)) }
        message.refuse()
        try await end(request, of: other) { try expect($0, .noReply) }
    }

    private func close(_ side: Side, _ other: Side) async throws {
        if side.isClosed && other.isClosed {
            journal.note("make another connection")
            let (one, two) = try Connection.pair()
            sides = [Side("A", one), Side("B", two)]
            return
        }
        journal.note("close \(side.name)")
        side.connection.close()
        if side.isClosed { return }
        side.isClosed = true
        side.inbox = []
        for request in side.requests { try await end(request, of: side) { try expect($0, .closed) } }
        if !other.requests.isEmpty { other.end = .disconnected }
        for request in other.requests { try await end(request, of: other) { try expect($0, .disconnected) } }
    }
}
