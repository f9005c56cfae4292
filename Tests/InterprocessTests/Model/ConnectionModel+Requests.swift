// SPDX-License-Identifier: MIT OR Apache-2.0

@testable import Interprocess

extension ConnectionModel {
    func request(_ step: Step<Kind>, _ side: Side, _ other: Side) async throws {
        if !other.hasRoom && !other.isClosed || side.requests.count >= 6 { return }
        let bytes = bytes(step.size)
        journal.note("request with \(bytes.count) bytes by \(side.name)\(step.formDescription)")
        let connection = side.connection
        let before = connection.frames.outbox.withLock { $0.accepted }
        let hasEnded: @Sendable () -> Bool
        let request: Request
        if step.isAwaited {
            let task = RunningTask(on: step.isOnLoop ? EventLoop.shared : nil) {
                try await connection.request(bytes, timeout: .seconds(30))
            }
            hasEnded = { task.hasEnded }
            request = Request { await Self.result { try await task.value() } }
        } else {
            let thread = Running { try connection.request(bytes, timeout: .seconds(30)) }
            hasEnded = { thread.hasEnded }
            request = Request { await Self.result { try await onThread { try thread.value() } } }
        }
        if side.isClosed || other.isClosed { return _ = try isOver(await request.value(), side, other) }
        // It is on its way before anything else is sent.
        let end = ContinuousClock.now + .seconds(10)
        while !connection.frames.outbox.withLock({ $0.accepted > before && $0.sent == $0.accepted }) {
            if hasEnded() || ContinuousClock.now > end { throw Mismatch("the request is not sent") }
            try await Task.sleep(for: .microseconds(100))
        }
        side.requests.append(request)
        other.inbox.append((bytes, request))
    }

    private static func result(
        _ body: @Sendable () async throws -> [UInt8]
    ) async -> Result<[UInt8], any Error> {
        do { return .success(try await body()) } catch { return .failure(error) }
    }

    func reply(_ step: Step<Kind>, _ side: Side, _ other: Side) async throws {
        if side.held.isEmpty || !other.hasRoom { return }
        let (message, request) = side.held.remove(at: step.other % side.held.count)
        let bytes = bytes(step.size)
        journal.note("reply with \(bytes.count) bytes by \(side.name)\(step.formDescription)")
        let patience = step.patience
        let result = await step.either {
            try message.reply(bytes, timeout: patience)
            return true
        } awaited: {
            try await message.reply(bytes, timeout: patience)
            // On the loop, it is the next call that tells of a failure.
            try await message.connection.flush(timeout: patience)
            return true
        }
        if try isOver(result, side, other) { return }
        try expect(result, true)
        try expect(Result { try message.reply(bytes) }, .invalidArgument)
        try await end(request, of: other) { try expect($0, bytes) }
    }

    func refuse(_ step: Step<Kind>, _ side: Side, _ other: Side) async throws {
        if side.held.isEmpty { return }
        journal.note("\(step.has(1) ? "drop" : "refuse") a request by \(side.name)")
        let request = try { () throws -> Request in
            let (message, request) = side.held.remove(at: step.other % side.held.count)
            if step.has(1) { return request }
            message.refuse()
            try expect(Result { try message.reply([]) }, .invalidArgument)
            return request
        }()
        if !side.isClosed && !other.isClosed { try await end(request, of: other) { try expect($0, .noReply) } }
    }

    /// Waits for what a request comes to.
    func end(
        _ request: Request,
        of side: Side,
        _ look: (Result<[UInt8], any Error>) throws -> Void
    ) async throws {
        if request.isOver { return }
        request.isOver = true
        side.requests.removeAll { $0 === request }
        try look(await request.value())
    }
}
