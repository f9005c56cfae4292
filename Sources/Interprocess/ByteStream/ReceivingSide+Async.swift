// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess

// Receiving where tasks wait instead of threads. What is in the read-ahead buffer, whose turn it is, and what an attempt
// does are the same as for the calls that block.

extension ReceivingSide {
    /// Where bytes are taken from.
    enum Source {
        case readAhead
        case descriptor
    }

    @usableFromInline
    func read(into buffer: UnsafeMutableRawBufferPointer, timeout: Duration?) async throws(IPCError) -> Int {
        // With room for nothing, there is nothing to wait for.
        guard let base = buffer.baseAddress, buffer.count > 0 else { return 0 }
        let deadline = settings.deadline(timeout)
        if connection != nil || ahead.isSet { return try unsafe await readInTurn(base, buffer.count, until: deadline) }
        return try await core.checked(receiveAnew(until: deadline) { unsafe attempt(base, buffer.count) }, .read)
    }

    /// The same where there is more to look at than the descriptor.
    ///
    /// Kept apart, for what is awaited here would take room in the frame of each task that waits above.
    @inline(never)
    private func readInTurn(
        _ memory: UnsafeMutableRawPointer,
        _ count: Int,
        until deadline: Deadline
    ) async throws(IPCError) -> Int {
        if connection != nil { try await finishConnecting(until: deadline) }
        return try await core.checked(receive(until: deadline) { unsafe take(from: $0, memory, count) }, .read)
    }

    /// Receives up to `count` bytes into a new array.
    func read(upTo count: Int, until deadline: Deadline) async throws(IPCError) -> [UInt8] {
        var bytes: [UInt8] = []
        if count == 0 { return bytes }
        if connection != nil { try await finishConnecting(until: deadline) }
        // A caller's "as much as there is" should not allocate as much as can be imagined.
        let most = min(count, Self.step)
        let result = await receive(until: deadline) { source in
            unsafe bytes.append(atMost: most) { unsafe take(from: source, $0, $1) }
        }
        _ = try core.checked(result, .read)
        return bytes
    }

    /// Receives what a closure takes from where it is told to.
    ///
    /// - Returns: Its result: 0 at the end of the stream; or one of `Ending`, or a negated error code.
    @inline(__always)
    func receive(until deadline: Deadline, _ take: (Source) -> Int64) async -> Int64 {
        if ahead.isSet { return await receiveBuffered(until: deadline, take) }
        return await receiveAnew(until: deadline) { take(.descriptor) }
    }

    /// The same once there is a read-ahead buffer, in which others may leave bytes.
    @inline(never)
    private func receiveBuffered(until deadline: Deadline, _ take: (Source) -> Int64) async -> Int64 {
        if core.budget.spend() { await core.giveWay() }
        while true {
            if core.isClosed(.receive) { return Ending.closed }
            if Task.isCancelled { return Ending.cancelled }
            let taken = take(.readAhead)
            if taken > 0 {
                turn.passOn(core, leaving: bufferedByteCount)
                return taken
            }
            if turn.tryTake() {
                defer { turn.give(core) }
                // Somebody may have filled the buffer and given the turn since the look.
                if bufferedByteCount == 0 { return await receiveAnew(until: deadline) { take(.descriptor) } }
            } else if case let result = await turn.wait(core, until: deadline), result < 0 {
                return result
            }
        }
    }

    /// Receives from the descriptor.
    @inline(__always)
    private func receiveAnew(until deadline: Deadline, _ attempt: () -> Int64) async -> Int64 {
        await core.awaiting(.receive, until: deadline, waitsFirst: guess.isLikelyEmpty) {
            let result = attempt()
            return isTrustworthy(result) ? result : Ending.closed
        }
    }

    /// Receives a line, without its line feed; `nil` at the end of the stream.
    func readLine(limit: Int, until deadline: Deadline) async throws(IPCError) -> [UInt8]? {
        if connection != nil { try await finishConnecting(until: deadline) }
        if core.budget.spend() { await core.giveWay() }
        if core.isClosed(.receive) { throw core.error(.closed, .read) }
        if Task.isCancelled { throw core.error(.cancelled, .read) }
        var hasTurn = false
        defer { if hasTurn { turn.give(core) } else { turn.passOn(core, leaving: bufferedByteCount) } }
        var isAtEnd = false
        while true {
            switch readAhead.takeLine(limit: limit, isAtEnd: isAtEnd) {
            case .line(let bytes): return bytes
            case .tooLong: throw core.error(.messageTooLarge, .read)
            case .incomplete: if isAtEnd { return nil }
            }
            var result: Int64 = 0
            if hasTurn {
                result = await receiveAnew(until: deadline) { readAhead.fill { unsafe attempt($0, $1) } }
                isAtEnd = result == 0
            } else if turn.tryTake() {
                // Somebody may have received and given the turn since the look: so look again.
                hasTurn = true
            } else {
                result = await turn.wait(core, until: deadline)
            }
            if result < 0 { throw core.failure(result, .read) }
        }
    }

    /// Receives into an array until it has `count` bytes or the stream ends; returns whether it has them all.
    func collect(
        into bytes: inout [UInt8],
        atMost count: Int,
        until deadline: Deadline
    ) async throws(IPCError) -> Bool {
        if connection != nil { try await finishConnecting(until: deadline) }
        while bytes.count < count {
            let result = await receive(until: deadline) { source in
                unsafe bytes.append(atMost: bytes.nextStep(of: count)) { unsafe take(from: source, $0, $1) }
            }
            if result < 0 { throw putBack(bytes, core.failure(result, .read)) }
            if result == 0 { return false }
        }
        return true
    }

    /// Receives until the memory is full.
    @usableFromInline
    func fill(_ memory: UnsafeMutableRawBufferPointer, timeout: Duration?) async throws(IPCError) {
        guard let base = memory.baseAddress else { return }
        let deadline = settings.deadline(timeout)
        if connection != nil { try await finishConnecting(until: deadline) }
        var filled = 0
        while filled < memory.count {
            let result = await receive(until: deadline) { source in
                unsafe take(from: source, base + filled, memory.count - filled)
            }
            if result <= 0 {
                let failure = result == 0 ? core.error(.endOfStream, .read) : core.failure(result, .read)
                throw unsafe putBack(UnsafeRawBufferPointer(start: base, count: filled), failure)
            }
            filled += Int(result)
        }
    }

    @inline(__always)
    private func take(from source: Source, _ memory: UnsafeMutableRawPointer, _ count: Int) -> Int64 {
        switch source {
        case .readAhead: unsafe Int64(readAhead.take(into: memory, count))
        case .descriptor: unsafe attempt(memory, count)
        }
    }

    /// Waits for a deferred connection.
    func finishConnecting(until deadline: Deadline) async throws(IPCError) {
        try await connection?.finish(core, .receive, until: deadline)
    }

    /// Waits for a deferred connection, for a call that is no read.
    func finishConnectingBothSides() async throws(IPCError) {
        try await connection?.finish(core, .both, until: settings.deadline(nil))
    }
}
