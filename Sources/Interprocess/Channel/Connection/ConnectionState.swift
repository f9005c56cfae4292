// SPDX-License-Identifier: MIT OR Apache-2.0

/// Something that has come, or why it could not be used.
struct Arrival<Value: Sendable>: Sendable {
    let value: Result<Value, IPCError>
    /// The number of the request that it is.
    var request: UInt64?
    /// How many bytes it took, with what stands for its descriptors.
    var byteCount = 0
}

/// What a call waits for.
enum Awaited: Equatable {
    case message
    case reply(UInt64)
}

/// What the calls on a connection that receive have to agree on: who reads, what has come for whom, and who waits.
struct ConnectionState<Value: Sendable> {
    /// What a call does next.
    enum Step {
        case take(Arrival<Value>)
        case fail(IPCError)
        /// It reads, for all.
        case read
        /// Another one reads, or nobody may until others have taken something.
        case wait
    }

    enum Reply {
        case awaited
        case arrived(Arrival<Value>)
    }

    private let mostMessages: Int
    private let mostBytes: Int
    private let mostUnanswered: Int

    private var isReading = false
    private var messages = MessageRing<Arrival<Value>>()
    private var byteCount = 0
    private var unanswered = 0
    private var replies: [UInt64: Reply] = [:]
    private var lastRequest: UInt64 = 0
    private var waiting: [(call: ParkedCall, awaited: Awaited)] = []
    /// Why nothing more comes.
    private(set) var end: IPCError?
    /// Whether this side was closed: then what is kept is nobody's any more.
    private var isClosed = false

    init(_ options: IPCConnectionOptions) {
        mostMessages = max(1, options.maximumWaitingMessages)
        mostBytes = max(1, options.maximumWaitingBytes)
        mostUnanswered = max(1, options.maximumUnansweredRequests)
    }

    /// Whether whatever comes next can be kept.
    private var hasRoom: Bool {
        messages.count < mostMessages && byteCount < mostBytes && unanswered < mostUnanswered
    }

    /// What a call does next; one that is to wait is among the waiting from now on, if it can.
    mutating func step(_ awaited: Awaited, _ call: ParkedCall?) -> Step {
        if isClosed && awaited == .message, let end { return .fail(end) }
        if let arrival = take(awaited) { return .take(arrival) }
        if let end { return .fail(end) }
        if !isReading && hasRoom {
            isReading = true
            return .read
        }
        if let call { waiting.append((call, awaited)) }
        return .wait
    }

    private mutating func take(_ awaited: Awaited) -> Arrival<Value>? {
        switch awaited {
        case .message:
            guard let first = messages.removeFirst() else { return nil }
            byteCount -= first.byteCount
            return first
        case .reply(let number):
            guard case .arrived(let arrival)? = replies[number] else { return nil }
            return arrival
        }
    }

    /// A call leaves; returns one that is to be woken in its place, for there is something for it, or it may read.
    mutating func leave(_ call: ParkedCall?) -> ParkedCall? {
        if let call { waiting.removeAll { $0.call === call } }
        return nextToWake()
    }

    private mutating func nextToWake() -> ParkedCall? {
        // Who was woken for a message may have left without it.
        if messages.count > 0, let call = wake(.message) { return call }
        if waiting.isEmpty || isReading || !hasRoom { return nil }
        return waiting.removeFirst().call
    }

    mutating func stopReading() { isReading = false }

    /// Nothing more comes; returns all that wait.
    mutating func finish(_ error: IPCError) -> [ParkedCall] {
        if end == nil { end = error }
        defer { waiting = [] }
        return waiting.map(\.call)
    }

    /// This side was closed, of which all calls are told from now on, whatever came before; returns all that wait, and what
    /// nobody has taken.
    mutating func close(_ error: IPCError) -> (waiting: [ParkedCall], lost: MessageRing<Arrival<Value>>) {
        isClosed = true
        end = error
        defer { (messages, byteCount) = (MessageRing(), 0) }
        return (finish(error), messages)
    }
}

// MARK: - What the one who reads does with what has come

extension ConnectionState {
    /// What becomes of something that has come.
    enum Outcome {
        /// It is what the reader waits for.
        case own
        /// It is kept, and the reader goes on; somebody may have to be woken.
        case kept(ParkedCall?)
        /// It is kept, and there is no room for more: the reader stops.
        case full(ParkedCall?)
    }

    mutating func add(message: Arrival<Value>, _ awaited: Awaited) -> Outcome {
        if message.request != nil { unanswered += 1 }
        if awaited == .message && messages.count == 0 {
            isReading = false
            return .own
        }
        if isClosed { return .kept(nil) }
        messages.append(message)
        byteCount += message.byteCount
        let call = wake(.message)
        if hasRoom { return .kept(call) }
        isReading = false
        return .full(call)
    }

    mutating func add(reply: Arrival<Value>, to number: UInt64, _ awaited: Awaited) -> Outcome {
        if awaited == .reply(number) {
            isReading = false
            return .own
        }
        // Who asked may have left meanwhile.
        guard replies[number] != nil else { return .kept(nil) }
        replies[number] = .arrived(reply)
        return .kept(wake(.reply(number)))
    }

    fileprivate mutating func wake(_ awaited: Awaited) -> ParkedCall? {
        waiting.firstIndex { $0.awaited == awaited }.map { waiting.remove(at: $0).call }
    }

    /// Whether there has been such a request, and whether somebody waits for its reply.
    func knows(_ number: UInt64) -> (wasMade: Bool, isAwaited: Bool) {
        (number > 0 && number <= lastRequest, replies[number] != nil)
    }
}

// MARK: - Requests

extension ConnectionState {
    mutating func beginRequest() -> UInt64 {
        lastRequest += 1
        replies[lastRequest] = .awaited
        return lastRequest
    }

    /// Forgets a request, and returns what there is of its reply.
    mutating func endRequest(_ number: UInt64) -> Reply? { replies.removeValue(forKey: number) }

    /// A request of the other side has been answered; returns a call that is to be woken, for it may read again.
    mutating func answer() -> ParkedCall? {
        unanswered -= 1
        return nextToWake()
    }
}
