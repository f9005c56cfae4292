// SPDX-License-Identifier: MIT OR Apache-2.0

#if !os(Windows)
internal import CInterprocess
internal import Synchronization

/// How to reach a server: what connecting, at once or later, has to know.
struct ConnectPlan: Sendable {
    let address: UnixSocketAddress
    let name: String
    let kind: UnixSocketKind
    let waitsForServer: Bool
    let requiredPeer: PeerRequirement

    init(_ name: LocalSocketName, _ options: LocalSocketStream.ConnectOptions) {
        self.init(name.address, label: name.description, isAgreedOn: name.isAgreedOn, .stream, options)
    }

    /// For a name that is agreed on, and that anybody can be first to take, the server has to be the current user's,
    /// unless the options say otherwise.
    init(
        _ address: UnixSocketAddress,
        label: String,
        isAgreedOn: Bool,
        _ kind: UnixSocketKind,
        _ options: LocalSocketStream.ConnectOptions
    ) {
        self.address = address
        name = label
        self.kind = kind
        waitsForServer = options.waitsForServer
        requiredPeer = options.requiresPeer ?? (isAgreedOn ? .currentUser : .anyone)
    }

    init(_ address: UnixSocketAddress, _ kind: UnixSocketKind, _ options: LocalSocketStream.ConnectOptions) {
        self.init(address, label: address.description, isAgreedOn: address.abstractBytes != nil, kind, options)
    }

    /// A socket that is connected, or that the first call which needs it connects.
    struct Opened {
        let core: DescriptorCore
        var pending: PendingConnection?
    }

    func open(_ wait: LocalSocketStream.ConnectWait) throws(IPCError) -> Opened {
        switch wait {
        case .unbounded: return Opened(core: makeCore(try connect(until: .never)))
        case .timeout(let limit): return Opened(core: makeCore(try connect(until: Deadline(after: limit))))
        case .deferred: return try openDeferred()
        }
    }

    func makeCore(_ socket: consuming OwnedDescriptor) -> DescriptorCore {
        DescriptorCore(socket, name: name, waker: LocalSocketBackend.streamWaker)
    }

    /// A socket that the first call which needs the connection connects, unless that takes no waiting now.
    func openDeferred() throws(IPCError) -> Opened {
        let core = makeCore(try makeSocket(nonblocking: true))
        let pending = PendingConnection(self)
        try pending.tryNow(core)
        return Opened(core: core, pending: pending)
    }

    func error(_ code: IPCError.Code, result: Int64? = nil, detail: StaticString? = nil) -> IPCError {
        IPCError(code, .connect, systemCode: result.map { -$0 }, name: name, detail: detail)
    }

    func error(result: Int64) -> IPCError {
        var detail: StaticString?
        if result == -cip_codes.connection_refused, let present = try? address.pathBytes.map(CPath.init)?.status(),
            present.kind != Int64(CIP_KIND_SOCKET)
        {
            detail = "the file at that path is no socket"
        }
        return IPCError(result: result, .connect, name: name, detail: detail)
    }

    /// Whether a failed attempt is to be repeated when a server may have appeared.
    func isWorthRepeating(_ result: Int64) -> Bool {
        waitsForServer && (result == -cip_codes.not_found || result == -cip_codes.connection_refused)
    }

    func attempt(_ descriptor: Int64) -> Int64 {
        let result = System.once(.connect) { address.with { unsafe cip_connect(descriptor, $0, $1) } }
        return result == -cip_codes.is_connected ? 0 : result
    }

    /// Connects, waiting until the deadline for room in the server's backlog and, if asked to, for the server.
    ///
    /// Linux makes a blocking connect wait for room in a full backlog, for as long as SO_SNDTIMEO says; a nonblocking
    /// one fails with EAGAIN and must not be mistaken for one under way. Elsewhere a full backlog refuses.
    func connect(until deadline: Deadline) throws(IPCError) -> OwnedDescriptor {
        var backoff = Backoff()
        while true {
            let socket = try makeSocket(nonblocking: false)
            let result = attempt(socket, until: deadline)
            if result >= 0 {
                try requiredPeer.check(socket.raw, self)
                return socket
            }
            if !isWorthRepeating(result) {
                if result != -cip_codes.would_block { throw error(result: result) }
                throw error(.timedOut, detail: "the server's backlog of unaccepted clients stayed full")
            }
            if deadline.hasPassed { throw error(.timedOut, result: result, detail: "no server appeared in time") }
            backoff.sleep(until: deadline)
        }
    }

    func makeSocket(nonblocking: Bool) throws(IPCError) -> OwnedDescriptor {
        let made = System.call(.socket) { cip_socket(kind.native, nonblocking) }
        return try OwnedDescriptor(result: made, .connect, name: name)
    }

    /// One attempt, which waits for room in the backlog until the deadline.
    private func attempt(_ socket: borrowing OwnedDescriptor, until deadline: Deadline) -> Int64 {
        while true {
            if !deadline.isNever {
                // 0 would be no limit.
                let limited = System.call(.option) { cip_set_send_timeout(socket.raw, max(deadline.remaining, 1)) }
                if limited < 0 { return limited }
            }
            let result = attempt(socket.raw)
            if result == -cip_codes.interrupted || result == -cip_codes.would_block && !deadline.hasPassed { continue }
            if result < 0 || deadline.isNever { return result }
            return System.call(.option) { cip_set_send_timeout(socket.raw, 0) }
        }
    }
}

/// A connection that was deferred, and is made by the first call that needs it.
final class PendingConnection: Sendable {
    let plan: ConnectPlan
    let isMade = Atomic<Bool>(false)
    private let isBeingTried = Atomic<Bool>(false)

    init(_ plan: ConnectPlan) { self.plan = plan }

    /// Sees to it that the socket is connected, waiting as long as the call that needs it may.
    ///
    /// Several threads may be here at once: one of them connects, and the others look again soon.
    func finish(
        _ core: DescriptorCore,
        _ side: DescriptorCore.Side,
        _ lease: borrowing DescriptorCore.Lease,
        _ patience: Patience
    ) throws(IPCError) {
        if isMade.load(ordering: .acquiring) { return }
        var backoff = Backoff()
        while true {
            let result = try attempt(core)
            if result >= 0 {
                // A close during connect(2) came too early to end what follows.
                if core.isClosed(side) { throw core.error(.closed, .connect) }
                return
            }
            if result == -cip_codes.interrupted { continue }
            let isFull = result == -cip_codes.would_block || result == -cip_codes.in_progress
            if !isFull && !plan.isWorthRepeating(result) { throw plan.error(result: result) }
            if patience.isNonblocking { throw plan.error(.wouldBlock) }
            if patience.deadline.hasPassed { throw plan.error(.timedOut, result: result) }
            try core.pause(side, for: .connect, lease, until: backoff.next(until: patience.deadline))
        }
    }

    /// Connects if that takes no waiting; else leaves it to the first call that needs the connection.
    ///
    /// - Throws: What is wrong with the server, unless that is worth waiting for.
    func tryNow(_ core: DescriptorCore) throws(IPCError) {
        do throws(IPCError) {
            let lease = try core.lease(.both, for: .connect)
            try finish(core, .both, lease, Patience(isNonblocking: true, deadline: .never))
        } catch {
            if error.code != .wouldBlock { throw error }
        }
    }

    /// One attempt, unless another thread is at it, which looks like a full backlog.
    ///
    /// A second connect must not be made: Linux looks at the backlog before it looks whether the socket is connected,
    /// and on one that is, and blocking again, it would wait for room that need never come.
    func attempt(_ core: DescriptorCore) throws(IPCError) -> Int64 {
        if isBeingTried.exchange(true, ordering: .acquiring) { return -cip_codes.would_block }
        defer { isBeingTried.store(false, ordering: .releasing) }
        if isMade.load(ordering: .acquiring) { return 0 }
        let result = plan.attempt(core.descriptor)
        if result >= 0 { try complete(core) }
        return result
    }

    private func complete(_ core: DescriptorCore) throws(IPCError) {
        do throws(IPCError) {
            try plan.requiredPeer.check(core.descriptor, plan)
        } catch {
            core.close()
            throw error
        }
        // While it was pending, connect had to be told not to wait.
        _ = System.call(.option) { cip_set_nonblocking(core.descriptor, false) }
        isMade.store(true, ordering: .releasing)
    }
}

extension LocalSocketStream {
    convenience init(_ opened: ConnectPlan.Opened, _ options: ConnectOptions) {
        self.init(
            opened.core,
            connection: opened.pending,
            nonblocking: options.nonblocking,
            spinTime: options.spinTime
        )
    }
}

extension PeerRequirement {
    /// - Throws: `.permissionDenied` when the peer is somebody else.
    func check(_ descriptor: Int64, _ plan: ConnectPlan) throws(IPCError) {
        let wanted: Int64
        switch self {
        case .anyone: return
        case .currentUser: wanted = cip_own_user()
        case .user(let user): wanted = Int64(user)
        }
        var peer = cip_credentials()
        let result = System.call(.credentials) { unsafe cip_peer_credentials(descriptor, &peer) }
        if result < 0 { throw plan.error(result: result) }
        if peer.user != wanted && peer.user != 0 {
            throw plan.error(
                .permissionDenied,
                detail: "the server there runs as another user than the option requiresPeer asks for"
            )
        }
    }
}
#endif
