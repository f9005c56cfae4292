// SPDX-License-Identifier: MIT OR Apache-2.0

#if !os(Windows)
internal import CInterprocess
internal import Synchronization

extension LocalSocketBackend {
    static func connect(
        _ name: LocalSocketName,
        _ options: LocalSocketStream.ConnectOptions
    ) async throws(IPCError) -> LocalSocketStream {
        LocalSocketStream(try await ConnectPlan(name, options).open(options.wait), options)
    }
}

extension ConnectPlan {
    func open(_ wait: LocalSocketStream.ConnectWait) async throws(IPCError) -> Opened {
        switch wait {
        case .unbounded: return Opened(core: makeCore(try await connect(until: .never)))
        case .timeout(let limit): return Opened(core: makeCore(try await connect(until: Deadline(after: limit))))
        case .deferred: return try openDeferred()
        }
    }

    /// Connects as the blocking form does.
    ///
    /// Nothing tells of room in a server's backlog, nor of a server that appears, so both are tried for again and again.
    func connect(until deadline: Deadline) async throws(IPCError) -> OwnedDescriptor {
        var backoff = Backoff()
        while true {
            if Task.isCancelled { throw error(.cancelled) }
            let socket = try makeSocket(nonblocking: true)
            let result = attempt(socket.raw)
            if result >= 0 {
                try requiredPeer.check(socket.raw, self)
                _ = System.call(.option) { cip_set_nonblocking(socket.raw, false) }
                return socket
            }
            try await pause(after: result, &backoff, until: deadline)
        }
    }

    /// Waits before the next attempt, if one may help.
    func pause(after result: Int64, _ backoff: inout Backoff, until deadline: Deadline) async throws(IPCError) {
        if result == -cip_codes.interrupted { return }
        let isFull = result == -cip_codes.would_block || result == -cip_codes.in_progress
        if !isFull && !isWorthRepeating(result) { throw error(result: result) }
        if deadline.hasPassed {
            throw error(
                .timedOut,
                result: result,
                detail: isFull ? "the server's backlog of unaccepted clients stayed full" : "no server appeared in time"
            )
        }
        try await EventLoop.pause(until: backoff.next(until: deadline), for: .connect, name: name)
    }
}

extension PendingConnection {
    /// Sees to it that the socket is connected, as the blocking form does.
    func finish(
        _ core: DescriptorCore,
        _ side: DescriptorCore.Side,
        until deadline: Deadline
    ) async throws(IPCError) {
        if isMade.load(ordering: .acquiring) { return }
        var backoff = Backoff()
        while true {
            let result = try attemptWithLease(core, side)
            if result >= 0 { return }
            try await plan.pause(after: result, &backoff, until: deadline)
        }
    }

    private func attemptWithLease(_ core: DescriptorCore, _ side: DescriptorCore.Side) throws(IPCError) -> Int64 {
        let lease = try core.lease(side, for: .connect)
        defer { withExtendedLifetime(lease) {} }
        let result = try attempt(core)
        // A close during connect(2) came too early to end what follows.
        if core.isClosed(side) { throw core.error(.closed, .connect) }
        return result
    }
}
#endif
