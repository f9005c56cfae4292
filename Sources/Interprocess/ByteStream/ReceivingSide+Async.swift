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
        guard let base = buffer.baseAddress else { return 0 }
        return try unsafe await read(into: base, buffer.count, until: settings.deadline(timeout))
    }

    @inline(__always)
    func read(
        into memory: UnsafeMutableRawPointer,
        _ count: Int,
        until deadline: Deadline
    ) async throws(IPCError) -> Int {
        // Nothing can be received, so there is nothing to wait for.
        if count == 0 { return 0 }
        return try await receive(until: deadline) { unsafe take(from: $0, memory, count) }
    }

    /// Receives up to `count` bytes into a new array.
    func read(upTo count: Int, until deadline: Deadline) async throws(IPCError) -> [UInt8] {
        var bytes: [UInt8] = []
        if count == 0 { return bytes }
        // A caller's "as much as there is" should not allocate as much as can be imagined.
        let most = min(count, Self.step)
        _ = try await receive(until: deadline) { source in
            unsafe bytes.append(atMost: most) { unsafe take(from: source, $0, $1) }
        }
        return bytes
    }

    @inline(__always)
    private func take(from source: Source, _ memory: UnsafeMutableRawPointer, _ count: Int) -> Int64 {
        switch source {
        case .readAhead: unsafe Int64(readAhead.take(into: memory, count))
        case .descriptor: unsafe attempt(memory, count)
        }
    }

    /// Receives what a closure takes from where it is told to; 0 at the end of the stream.
    @inline(__always)
    func receive(until deadline: Deadline, _ take: (Source) -> Int64) async throws(IPCError) -> Int {
        if !ahead.isSet { return try await receiveAnew(until: deadline) { take(.descriptor) } }
        while true {
            if core.isClosed(.receive) { throw core.error(.closed, .read) }
            let taken = take(.readAhead)
            if taken > 0 {
                turn.passOn(core, leaving: bufferedByteCount)
                return Int(taken)
            }
            guard turn.tryTake() else {
                try await waitForTurn(until: deadline)
                continue
            }
            defer { turn.give(core) }
            // Somebody may have filled the buffer and given the turn since the look.
            if bufferedByteCount == 0 { return try await receiveAnew(until: deadline) { take(.descriptor) } }
        }
    }

    /// Receives from the descriptor.
    @inline(__always)
    private func receiveAnew(until deadline: Deadline, _ attempt: () -> Int64) async throws(IPCError) -> Int {
        if let connection { try await connection.finish(core, .receive, until: deadline) }
        return try await core.awaiting(
            .receive,
            for: .read,
            until: deadline,
            waitsFirst: guess.isLikelyEmpty
        ) { () throws(IPCError) -> Int? in
            let lease = try core.lease(.receive, for: .read)
            let result = attempt()
            withExtendedLifetime(lease) {}
            try checkOpen(result)
            if result >= 0 { return Int(result) }
            if result != -cip_codes.would_block { throw core.error(result: result, .read) }
            return nil
        }
    }

    /// Waits until another one passes on its turn; or does not, if it has done so already.
    private func waitForTurn(until deadline: Deadline) async throws(IPCError) {
        let registration = try core.registration(.receive, for: .read)
        let isTaken = turn.beginWaitingTask()
        let outcome = isTaken ? await registration.wait(.turn, until: deadline, isBack: false) : .ready
        turn.endWaitingTask()
        if outcome == .ready || outcome == .readyBeforeOthers { return }
        // The turn may have been passed on to this task just when it gave up.
        turn.passOn(core)
        throw core.failure(outcome, .read)
    }

    /// Receives a line, without its line feed; `nil` at the end of the stream.
    func readLine(limit: Int, until deadline: Deadline) async throws(IPCError) -> [UInt8]? {
        if core.isClosed(.receive) { throw core.error(.closed, .read) }
        var hasTurn = false
        defer { if hasTurn { turn.give(core) } else { turn.passOn(core, leaving: bufferedByteCount) } }
        var isAtEnd = false
        while true {
            switch readAhead.takeLine(limit: limit, isAtEnd: isAtEnd) {
            case .line(let bytes): return bytes
            case .tooLong: throw core.error(.messageTooLarge, .read)
            case .incomplete: if isAtEnd { return nil }
            }
            if hasTurn {
                let received = try await receiveAnew(until: deadline) { readAhead.fill { unsafe attempt($0, $1) } }
                isAtEnd = received == 0
            } else if turn.tryTake() {
                // Somebody may have received and given the turn since the look: so look again.
                hasTurn = true
            } else {
                try await waitForTurn(until: deadline)
            }
        }
    }

    /// Receives into an array until it has `count` bytes or the stream ends; returns whether it has them all.
    func collect(into bytes: inout [UInt8], atMost count: Int, until deadline: Deadline) async throws(IPCError) -> Bool
    {
        while bytes.count < count {
            let received: Int
            do throws(IPCError) {
                received = try await receive(until: deadline) { source in
                    unsafe bytes.append(atMost: bytes.nextStep(of: count)) { unsafe take(from: source, $0, $1) }
                }
            } catch {
                throw putBack(bytes, error)
            }
            if received == 0 { return false }
        }
        return true
    }

    /// Receives until the memory is full.
    @usableFromInline
    func fill(_ memory: UnsafeMutableRawBufferPointer, timeout: Duration?) async throws(IPCError) {
        guard let base = memory.baseAddress else { return }
        let deadline = settings.deadline(timeout)
        var filled = 0
        while filled < memory.count {
            var failure: IPCError?
            do throws(IPCError) {
                let part = try unsafe await read(into: base + filled, memory.count - filled, until: deadline)
                if part == 0 { failure = core.error(.endOfStream, .read) }
                filled += part
            } catch {
                failure = error
            }
            if let failure {
                unsafe readAhead.putBack(UnsafeRawBufferPointer(start: base, count: filled))
                throw failure.adding(bytesTransferred: filled)
            }
        }
    }
}
