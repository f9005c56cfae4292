// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess

/// Where connections wait that have been made and not been accepted yet, and calls that accept, of both forms.
final class ConnectionLobby<Connection: Sendable>: Sendable {
    struct State {
        var isClosed = false
        var hasStarted = false
        /// Why no clients can come.
        var failure: IPCError?
        var connections: [Connection] = []
        var waiting: [ParkedCall] = []
    }

    private let state = Locked(State())
    private let core: DescriptorCore

    /// A lobby whose calls end with a descriptor.
    init(_ core: DescriptorCore) { self.core = core }

    /// Returns whether this is the first time that anybody asks, or the first time after a failure.
    func start() -> Bool {
        state.withLock { state in
            defer { (state.hasStarted, state.failure) = (true, state.hasStarted ? state.failure : nil) }
            return !state.hasStarted
        }
    }

    /// Ends all waits, for no clients can come; the next call tries again.
    func fail(_ error: IPCError) {
        let waiting = state.withLock { state in
            (state.hasStarted, state.failure) = (false, error)
            defer { state.waiting = [] }
            return state.waiting
        }
        for call in waiting { call.wake() }
    }

    /// Lets a connection wait; returns whether it may.
    func add(_ connection: Connection) -> Bool {
        let (isOpen, call) = state.withLock { state -> (Bool, ParkedCall?) in
            if state.isClosed { return (false, nil) }
            state.connections.append(connection)
            return (true, state.waiting.isEmpty ? nil : state.waiting.removeFirst())
        }
        call?.wake()
        return isOpen
    }

    /// Waits for a connection.
    ///
    /// - Throws: `.closed`, `.timedOut`, `.resourcesExhausted`.
    func take(until deadline: Deadline) throws(IPCError) -> Connection {
        var call: ParkedCall?
        defer { leave(call) }
        while true {
            if let connection = try takeOrWait(call) { return connection }
            if let call {
                try call.wait(.accept, until: deadline)
            } else {
                call = try .ofThread(core, .receive)
            }
        }
    }

    /// The same, suspending the task.
    ///
    /// - Throws: Also `.cancelled`.
    func take(until deadline: Deadline) async throws(IPCError) -> Connection {
        if Task.isCancelled { throw core.error(.cancelled, .accept) }
        var call: ParkedCall?
        defer { leave(call) }
        while true {
            if let connection = try takeOrWait(call) { return connection }
            if let present = call {
                try await present.wait(.accept, until: deadline)
            } else {
                call = try .ofTask(core, .receive)
            }
        }
    }

    /// Ends all waits; returns the connections that nobody has accepted.
    func close() -> [Connection] {
        let (connections, waiting) = state.withLock { state in
            state.isClosed = true
            defer { (state.connections, state.waiting) = ([], []) }
            return (state.connections, state.waiting)
        }
        for call in waiting { call.wake() }
        return connections
    }

    private func takeOrWait(_ call: ParkedCall?) throws(IPCError) -> Connection? {
        let (connection, failure, isClosed) = state.withLock { state -> (Connection?, IPCError?, Bool) in
            if !state.connections.isEmpty { return (state.connections.removeFirst(), nil, false) }
            if let call { state.waiting.append(call) }
            return (nil, state.failure, state.isClosed)
        }
        if isClosed { throw core.error(.closed, .accept) }
        if let failure { throw failure }
        return connection
    }

    /// A call leaves; if it was woken in vain, another one is.
    private func leave(_ call: ParkedCall?) {
        let next = state.withLock { state -> ParkedCall? in
            state.waiting.removeAll { $0 === call }
            return state.connections.isEmpty || state.waiting.isEmpty ? nil : state.waiting.removeFirst()
        }
        next?.wake()
    }
}
