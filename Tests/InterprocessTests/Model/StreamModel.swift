// SPDX-License-Identifier: MIT OR Apache-2.0

import Interprocess

/// A listener, streams and their halves.
final class StreamModel: ModelledSystem {
    enum Kind: Sendable {
        case listen, connect, accept, pair, write, writeAll, read, readExactly, readLine, readToEnd, takeBuffered
        case shutdown, split, reunite, duplicate, adopt, close, closeReceiver, closeSender, drop, closeListener
    }

    static let kinds: [Kind] =
        [
            .listen, .connect, .connect, .accept, .accept, .pair, .takeBuffered, .shutdown, .split, .reunite,
            .duplicate,
            .adopt, .close, .closeReceiver, .closeSender, .drop, .closeListener,
        ]
        + [Kind.write, .write, .writeAll, .read, .read, .readExactly, .readLine, .readToEnd].flatMap { [$0, $0, $0] }

    private static let mostStreams = 10
    private var dropped = Dropped()

    let journal: Journal
    private let name: LocalSocketName
    private var listener: LocalSocketListener?
    /// Clients that nobody has accepted yet.
    private var waiting: [ModelConnection] = []
    private(set) var streams: [ModelStream] = []
    private var lastName = 0
    private var position = 0

    init(_ journal: Journal, in directory: String) throws {
        self.journal = journal
        name = try .path(directory + "/s")
    }

    func perform(_ step: Step<Kind>) async throws {
        try await dropped.waitUntilGone()
        switch step.kind {
        case .listen: try listen()
        case .connect: try await connect(step)
        case .accept: try await accept(step)
        case .pair: try pair()
        case .closeListener: closeListener()
        default:
            if streams.isEmpty { return try pair() }
            let stream = streams[step.object % streams.count]
            if try await performReading(step, stream) { return }
            try await perform(step, stream)
        }
    }

    /// Text with line feeds and carriage returns in it, and other text each time.
    func text(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in
            position += 1
            if position % 31 == 0 { return UInt8(ascii: "\n") }
            return position % 13 == 0 ? UInt8(ascii: "\r") : UInt8(ascii: "a") + UInt8(position % 26)
        }
    }

    private func add(_ stream: LocalSocketStream, _ connection: ModelConnection, _ side: Int) -> String {
        lastName += 1
        streams.append(ModelStream("stream \(lastName)", stream, connection, side))
        return "stream \(lastName)"
    }
}

// MARK: - Making connections

extension StreamModel {
    private func listen() throws {
        if listener != nil { return }
        journal.note("listen")
        listener = try LocalSocketListener(name)
    }

    private func connect(_ step: Step<Kind>) async throws {
        if streams.count >= Self.mostStreams || waiting.count >= 4 { return }
        journal.note("connect\(step.formDescription)")
        var options = LocalSocketStream.ConnectOptions()
        if let patience = step.patience { options.wait = .timeout(patience) }
        let result = await step.either { [name, options] in
            try LocalSocketStream.connect(to: name, options: options)
        } awaited: { [name, options] in
            try await LocalSocketStream.connect(to: name, options: options)
        }
        if listener == nil { return try expect(result, .notFound) }
        guard case .success(let stream) = result else { throw Mismatch("connecting came to \(brief(result))") }
        let connection = ModelConnection()
        waiting.append(connection)
        journal.add(add(stream, connection, 0))
    }

    private func accept(_ step: Step<Kind>) async throws {
        guard let listener, streams.count < Self.mostStreams else { return }
        journal.note("accept\(step.formDescription)")
        let timeout = waiting.isEmpty ? step.impatience : step.patience
        let result = await step.either {
            try listener.accept(timeout: timeout)
        } awaited: {
            try await listener.accept(timeout: timeout)
        }
        if waiting.isEmpty { return try expect(result, .timedOut) }
        guard case .success(let stream) = result else { throw Mismatch("accepting came to \(brief(result))") }
        journal.add(add(stream, waiting.removeFirst(), 1))
    }

    private func closeListener() {
        guard let listener else { return }
        journal.note("close the listener")
        listener.close()
        self.listener = nil
        for connection in waiting {
            connection.sockets[0].mayBeReset = true
            ModelStream.letGo(connection, 1)
        }
        waiting = []
    }

    private func pair() throws {
        if streams.count + 2 > Self.mostStreams { return }
        journal.note("pair")
        let (one, other) = try LocalSocketStream.pair()
        let connection = ModelConnection()
        let names = [add(one, connection, 0), add(other, connection, 1)]
        journal.add("\(names)")
    }
}

// MARK: - One stream

extension StreamModel {
    private func perform(_ step: Step<Kind>, _ stream: ModelStream) async throws {
        switch step.kind {
        case .write, .writeAll: try await write(step, stream)
        case .shutdown: try await shutdown(step, stream)
        case .split: try split(stream)
        case .reunite: try reunite(step, stream)
        case .duplicate: try await duplicate(step, stream)
        case .adopt: try adopt(stream)
        case .close, .drop:
            journal.note("\(step.kind) \(stream.name)")
            // One that is dropped closes by itself.
            if step.kind == .close { stream.stream.close() } else { dropped.core = stream.stream.descriptorCore }
            stream.close(receiving: true, sending: true)
            if step.kind == .drop || step.has(1) { streams.removeAll { $0 === stream } }
        case .closeReceiver:
            guard let halves = stream.halves else { return }
            journal.note("close the receiving half of \(stream.name)")
            halves.receiver.close()
            stream.close(receiving: true, sending: false)
        case .closeSender:
            guard let halves = stream.halves else { return }
            journal.note("close the sending half of \(stream.name)")
            halves.sender.close()
            stream.close(receiving: false, sending: true)
        default: break
        }
    }

    private func write(_ step: Step<Kind>, _ stream: ModelStream) async throws {
        let sender: any ByteSender = step.has(1) ? stream.halves?.sender ?? stream.stream : stream.stream
        let bytes = text(step.size)
        journal.note("\(step.kind) \(bytes.count) bytes to \(stream.name)\(step.formDescription)")
        if !stream.hasRoom && !stream.isBroken && !stream.isSendingClosed { return }
        let isWhole = step.kind == .writeAll
        let patience = step.patience
        let result = await step.either {
            if !isWhole { return try sender.write(bytes, timeout: patience) }
            try sender.writeAll(bytes, timeout: patience)
            return bytes.count
        } awaited: {
            if !isWhole { return try await sender.write(bytes, timeout: patience) }
            try await sender.writeAll(bytes, timeout: patience)
            return bytes.count
        }
        if bytes.isEmpty { return try expect(result, 0) }
        if stream.isSendingClosed { return try expect(result, .closed, transferred: 0) }
        if stream.isBroken { return try expect(result, .brokenPipe, transferred: 0) }
        // There is room for all of it, so that a write takes it whole.
        try expect(result, bytes.count)
        stream.peer.bytes += bytes
        stream.peer.writes += 1
    }

    private func shutdown(_ step: Step<Kind>, _ stream: ModelStream) async throws {
        let direction: LocalSocketStream.Direction = step.has(1) ? .both : step.has(2) ? .receive : .send
        journal.note("shut \(stream.name) down, \(direction)\(step.formDescription)")
        let object = stream.stream
        let result = await step.either {
            try object.shutdown(direction)
            return true
        } awaited: {
            try await object.shutdown(direction)
            return true
        }
        if stream.isClosed { return try expect(result, .closed) }
        try expect(result, true)
        if direction != .send { stream.own.cannotReceive = true }
        if direction != .receive { stream.own.cannotSend = true }
    }

    private func split(_ stream: ModelStream) throws {
        journal.note("split \(stream.name)")
        let result = Result { try stream.stream.split() }
        if stream.isClosed { return try expect(result, .closed) }
        stream.halves = try result.get()
    }

    private func reunite(_ step: Step<Kind>, _ stream: ModelStream) throws {
        let other = streams[step.other % streams.count]
        guard let (receiver, _) = stream.halves, let (_, sender) = other.halves else { return }
        journal.note("reunite the halves of \(stream.name) and \(other.name)")
        let result = Result { try LocalSocketStream.reunite(receiver, sender) }
        if other !== stream { return try expect(result, .invalidArgument) }
        stream.stream = try result.get()
        stream.halves = nil
    }

    private func duplicate(_ step: Step<Kind>, _ stream: ModelStream) async throws {
        if streams.count >= Self.mostStreams { return }
        journal.note("duplicate \(stream.name)\(step.formDescription)")
        let object = stream.stream
        let result = await step.either {
            try object.duplicate()
        } awaited: {
            try await object.duplicate()
        }
        if stream.isClosed { return try expect(result, .closed) }
        journal.add(add(try result.get(), stream.connection, stream.side))
        stream.own.holders += 1
    }

    /// Takes the descriptor out of a stream, and puts it into another one.
    private func adopt(_ stream: ModelStream) throws {
        journal.note("detach \(stream.name), and adopt it")
        let result = Result { try stream.stream.detach() }
        if !stream.ahead.isEmpty { return try expect(result, .busy) }
        if stream.isReceivingClosed || stream.isSendingClosed { return try expect(result, .closed) }
        let descriptor = try result.get()
        streams.removeAll { $0 === stream }
        journal.add(add(try LocalSocketStream(adopting: descriptor), stream.connection, stream.side))
    }
}
