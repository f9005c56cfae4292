// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess

/// A router's routes, and the thread that calls their handlers, to which they belong as long as it runs.
final class RouterCore: Sendable {
    struct Route: Sendable {
        let isOnce: Bool
        let onEnd: (@Sendable ((any Error)?) -> Void)?
        let handle: @Sendable (IPCRawMessage) throws -> Void
    }

    private struct State {
        var routes: [IPCReceiverGroup.ID: Route] = [:]
        var isShutDown = false
        var isStarted = false
        /// Whether the thread is past its last handler, or never was.
        var hasEnded = false
        var thread: UInt64 = 0
    }

    private let group: IPCReceiverGroup
    private let state = Locked(State())
    /// Ends when the thread does.
    private let life: UnnamedPipeSender
    private let end: UnnamedPipeReceiver

    init() throws(IPCError) {
        group = try IPCReceiverGroup()
        // Had now, so that the thread can wait whatever happens.
        try group.descriptorCore.wake(.receive, for: .create)
        (life, end) = try UnnamedPipe.create()
    }

    var count: Int { state.withLock { $0.routes.count } }

    /// Adds a route, and with it a member of the group.
    ///
    /// - Throws: `.closed`, and what `join` throws.
    func add(
        _ route: Route,
        _ join: (IPCReceiverGroup) throws(IPCError) -> IPCReceiverGroup.ID
    ) throws(IPCError) -> IPCRouter.Route {
        let result = state.withLock { state -> Result<IPCReceiverGroup.ID, IPCError> in
            do throws(IPCError) {
                if state.isShutDown {
                    throw group.descriptorCore.error(.closed, .configure, detail: "the router was shut down")
                }
                try start(&state)
                // What comes at once finds its route: the thread has to wait for the lock.
                let id = try join(group)
                state.routes[id] = route
                return .success(id)
            } catch {
                return .failure(error)
            }
        }
        return IPCRouter.Route(id: try result.get())
    }

    private func start(_ state: inout State) throws(IPCError) {
        if state.isStarted { return }
        let this = unsafe Unmanaged.passRetained(self)
        let started = System.call(.thread) {
            unsafe cip_thread_start(
                "router",
                { unsafe Unmanaged<RouterCore>.fromOpaque($0).takeRetainedValue().run() },
                this.toOpaque()
            )
        }
        if started < 0 {
            unsafe this.release()
            throw IPCError(result: started, .create, name: "a router's thread")
        }
        state.isStarted = true
    }

    func remove(_ id: IPCReceiverGroup.ID) -> Route? {
        group.remove(id)
        return state.withLock { $0.routes.removeValue(forKey: id) }
    }

    private func run() {
        state.withLock { $0.thread = cip_thread_current() }
        var backoff = Backoff()
        while true {
            do throws(IPCError) {
                let event = try group.next()
                // What has come waits, and is received later.
                if case .failed(_, let error) = event, isShortage(-(error.systemCode ?? 0)) { throw error }
                backoff = Backoff()
                handle(event)
            } catch {
                if error.code == .closed { break }
                // Whatever is in the way, the routes stay, and the processor is not kept busy.
                backoff.sleep(until: .never)
            }
        }
        state.withLock { $0.hasEnded = true }
        life.close()
    }

    private func handle(_ event: IPCReceiverGroup.Event) {
        switch event {
        case .message(let id, let message):
            guard let route = state.withLock({ $0.routes[id] }) else { return }
            do {
                // Its handler is free to give the receiver another route.
                if route.isOnce { group.remove(id) }
                try route.handle(message)
                if route.isOnce { finish(id, nil) }
            } catch {
                finish(id, error)
            }
        case .failed(let id, let error): finish(id, error)
        case .closed(let id): finish(id, nil)
        }
    }

    /// A route has ended by itself.
    private func finish(_ id: IPCReceiverGroup.ID, _ error: (any Error)?) { remove(id)?.onEnd?(error) }

    func shutDown() {
        let routes = state.withLock { state in
            state.isShutDown = true
            if !state.isStarted {
                state.hasEnded = true
                life.close()
            }
            defer { state.routes = [:] }
            return state.routes
        }
        group.close()
        // Out of the lock: what the handlers have captured may do anything when it goes.
        _ = consume routes
    }

    /// Whether the thread that calls is the one whose end it would wait for.
    private var isOwnThread: Bool { state.withLock { $0.isStarted && $0.thread == cip_thread_current() } }

    private var hasEnded: Bool { state.withLock { $0.hasEnded } }

    func waitForEnd() {
        if isOwnThread { return }
        // Nobody closes it meanwhile.
        let descriptor = end.descriptorCore.descriptor
        var backoff = Backoff()
        while !hasEnded {
            let result = System.call(.poll) { cip_poll(descriptor, Int64(CIP_READABLE), -1, -1) }
            if result < 0 { backoff.sleep(until: .never) }
        }
    }

    func waitForEndAwaited() async {
        if isOwnThread { return }
        while !hasEnded && !Task.isCancelled {
            let result = await end.descriptorCore.becomeReady(.receive, until: .never)
            if result < 0 { await EventLoop.pauseInShortage() }
        }
    }
}
