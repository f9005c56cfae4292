// SPDX-License-Identifier: MIT OR Apache-2.0

/// The receiving side of a connection, for values.
///
/// One of the calls that wait for something reads for all, and hands what has come to those who wait for it.
final class ConnectionReceiver<Value: Decodable & Sendable>: @unchecked Sendable {
    let reader: FrameReader
    private let frames: FrameSender
    private let state: Locked<ConnectionState<Value>>
    /// Belongs to whoever reads, as the reader does.
    private let decoder: IPCDecoder

    init(_ reader: FrameReader, _ frames: FrameSender, _ options: IPCConnectionOptions) {
        self.reader = reader
        self.frames = frames
        reader.limit = options.maximumMessageSize
        state = Locked(ConnectionState(options))
        var limits = IPCCodingLimits()
        limits.bytes = options.maximumMessageSize
        decoder = IPCDecoder(limits: limits)
    }

    var core: DescriptorCore { reader.core }

    var settings: WaitSettings { _read { yield reader.side.settings } }

    /// Why nothing more comes, if that is so.
    var end: IPCError? { state.withLock { $0.end } }

    /// Waits for something to come.
    ///
    /// - Throws: `.disconnected`, `.closed`, `.timedOut`, `.wouldBlock`, `.protocolViolation`; `.decodingFailed`,
    ///   `.resourcesExhausted` or `.noReply` instead of what came.
    func receive(_ awaited: Awaited, _ patience: Patience) throws(IPCError) -> Arrival<Value> {
        var call: ParkedCall?
        defer { leave(call) }
        while true {
            switch step(awaited, call) {
            case .take(let arrival): return arrival
            case .fail(let error): throw error
            case .read: if let arrival = try read(awaited, patience) { return arrival }
            case .wait:
                if patience.isNonblocking { throw core.error(.wouldBlock, .read) }
                guard let present = call else {
                    call = try .ofThread(core, .receive)
                    continue
                }
                try reportingEnd { () throws(IPCError) in try present.wait(.read, until: patience.deadline) }
            }
        }
    }

    private func read(_ awaited: Awaited, _ patience: Patience) throws(IPCError) -> Arrival<Value>? {
        var overtime = Overtime(patience)
        do throws(IPCError) {
            while true {
                switch try takeOut(awaited) {
                case .own(let arrival): return arrival
                case .full: return nil
                case .needsMore:
                    try reader.fill(patience)
                    try overtime.spend(core, .read)
                }
            }
        } catch { throw stop(error) }
    }

    func step(_ awaited: Awaited, _ call: ParkedCall?) -> ConnectionState<Value>.Step {
        state.withLock { $0.step(awaited, call) }
    }

    func leave(_ call: ParkedCall?) { state.withLock { $0.leave(call) }?.wake() }

    /// What a call ended by closing is told if the connection had an end of its own.
    private func reportingEnd(_ body: () throws(IPCError) -> Void) throws(IPCError) {
        do throws(IPCError) { try body() } catch { throw error.code == .closed ? end ?? error : error }
    }
}

// MARK: - Reading

extension ConnectionReceiver {
    /// What is in the buffer.
    enum Found {
        case own(Arrival<Value>)
        case full
        case needsMore
    }

    /// Takes messages out of the buffer until there is one for this call.
    func takeOut(_ awaited: Awaited) throws(IPCError) -> Found {
        while let message = try reader.next() {
            guard let (arrival, outcome) = try deliver(message, awaited) else { continue }
            switch outcome {
            case .own: return .own(arrival)
            case .kept(let call): call?.wake()
            case .full(let call):
                call?.wake()
                return .full
            }
        }
        return .needsMore
    }

    private func deliver(
        _ message: FrameInbox.Message,
        _ awaited: Awaited
    ) throws(IPCError) -> (Arrival<Value>, ConnectionState<Value>.Outcome)? {
        switch message.kind {
        case .message, .request:
            let attached = (message.attachments?.count ?? 0) * IPCConnectionOptions.bytesForDescriptor
            var arrival = Arrival(value: decode(message), byteCount: unsafe message.bytes.count + attached)
            if message.kind == .request {
                if case .success = arrival.value {
                    arrival.request = message.request
                } else {
                    refuse(message.request)
                }
            }
            return (arrival, state.withLock { $0.add(message: arrival, awaited) })
        case .reply, .noReply:
            let number = message.request
            let (wasMade, isAwaited) = state.withLock { $0.knows(number) }
            if !wasMade { throw violation("the peer has replied to what it was not asked") }
            // It comes too late.
            if !isAwaited { return nil }
            let arrival = Arrival(
                value: message.kind == .reply
                    ? decode(message) : .failure(core.error(.noReply, .read))
            )
            return (arrival, state.withLock { $0.add(reply: arrival, to: number, awaited) })
        default: throw violation("the peer has sent what is no message of a connection")
        }
    }

    private func decode(_ message: FrameInbox.Message) -> Result<Value, IPCError> {
        guard let attachments = message.attachments else {
            let detail = "a message came with more descriptors than this process has room for, and is lost"
            return .failure(core.error(.resourcesExhausted, .read, detail: detail))
        }
        do throws(IPCError) {
            let bytes = unsafe RawSpan(_unsafeBytes: message.bytes)
            return .success(try decoder.decode(Value.self, from: bytes, attachments))
        } catch { return .failure(error) }
    }

    private func violation(_ detail: String) -> IPCError { core.error(.protocolViolation, .read, detail: detail) }

    /// The one who reads has failed: only for itself, or for all.
    ///
    /// - Returns: What it is to be told.
    func stop(_ error: IPCError) -> IPCError {
        switch error.code {
        case .protocolViolation:
            finish(error)
            frames.abort()
            return error
        case .disconnected, .closed:
            finish(error)
            return end ?? error
        default:
            state.withLock { $0.stopReading() }
            return error
        }
    }

    /// Nothing more comes.
    func finish(_ error: IPCError) {
        for call in state.withLock({ $0.finish(error) }) { call.wake() }
    }
}

// MARK: - Requests

extension ConnectionReceiver {
    /// The number of a new request, whose reply is kept until that is ended.
    func beginRequest() -> UInt64 { state.withLock { $0.beginRequest() } }

    // What is forgotten may do anything as it goes, so it goes without the lock.
    func endRequest(_ number: UInt64) { _ = state.withLock { $0.endRequest(number) } }

    /// A request of the other side has got its answer, or never will.
    func didAnswer() { state.withLock { $0.answer() }?.wake() }

    /// The same for one that was received, and gets no reply.
    func decline(_ request: UInt64) {
        refuse(request)
        didAnswer()
    }

    /// Tells the other side that there will be no reply.
    func refuse(_ request: UInt64) {
        if frames.sendInAnyCase(ConnectionFrames(.noReply, request: request, count: 0)) { return }
        // Else one that goes on asking, and does not listen, would have us collect answers for ever.
        finish(violation("the peer does not read the answers to its requests"))
        frames.abort()
    }

    /// Closes both sides, as soon as what was sent has gone.
    func close() {
        let error = core.error(.closed, .read)
        // What is lost may do anything as it goes, so it goes without the lock.
        let (waiting, _) = state.withLock { $0.close(error) }
        for call in waiting { call.wake() }
        frames.close()
    }
}
