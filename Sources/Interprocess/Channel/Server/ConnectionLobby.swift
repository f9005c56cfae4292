// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess

/// Where connections wait that have been made and not been accepted yet, and calls that accept, of both forms.
final class ConnectionLobby<Connection: Sendable>: Sendable {
    struct State {
        /// Why there will be no more connections.
        var end: IPCError?
        var hasStarted = false
        var connections: [Connection] = []
        var waiting: [ParkedCall] = []
    }

    private let state = Locked(State())
    private let core: DescriptorCore

    /// A lobby whose calls end with a descriptor.
    init(_ core: DescriptorCore) { self.core = core }

    /// Returns whether this is the first time that anybody asks.
    func start() -> Bool {
        state.withLock { state in
            defer { state.hasStarted = true }
            return !state.hasStarted
        }
    }

    /// Lets a connection wait; returns whether it may.
    func add(_ connection: Connection) -> Bool {
        let (isOpen, call) = state.withLock { state -> (Bool, ParkedCall?) in
            if state.end != nil { return (false, nil) }
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

    /// Ends all waits, with the first error that it is given; returns the connections that nobody has accepted.
    func close(_ error: IPCError? = nil) -> [Connection] {
        let (connections, waiting) = state.withLock { state in
            if state.end == nil { state.end = error ?? core.error(.closed, .accept) }
            defer { (state.connections, state.waiting) = ([], []) }
            return (state.connections, state.waiting)
        }
        for call in waiting { call.wake() }
        return connections
    }

    private func takeOrWait(_ call: ParkedCall?) throws(IPCError) -> Connection? {
        let (connection, end) = state.withLock { state -> (Connection?, IPCError?) in
            if !state.connections.isEmpty { return (state.connections.removeFirst(), nil) }
            if let call { state.waiting.append(call) }
            return (nil, state.end)
        }
        if let end { throw end }
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
