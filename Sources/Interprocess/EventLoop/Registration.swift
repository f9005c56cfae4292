// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess
internal import Synchronization

/// A descriptor's membership in an event loop, from the first time that it is awaited until it closes.
final class Registration: DescriptorAttachment, @unchecked Sendable {
    let reactor: Reactor
    private let token: SlotToken
    /// The task whose cancellation is watched for as a whole (see `withScope`), so that its waits need not do it.
    private let scope = Atomic<UInt>(0)

    init(_ reactor: Reactor, _ token: SlotToken) {
        self.reactor = reactor
        self.token = token
    }

    override func willClose(_ side: DescriptorCore.Side) {
        let kinds: [WaitKind] =
            switch side {
            case .receive: [.receive, .turn]
            case .send: [.send]
            case .both: [.receive, .turn, .send]
            }
        reactor.update { $0.close(token, kinds) }
    }

    override func didDrain() { reactor.remove(token) }

    override var isBusy: Bool { waiterCount > 0 }

    /// How many tasks wait for it.
    var waiterCount: Int { reactor.waiterCount(token) }

    override func didShutDown() { reactor.update { $0.releaseAll(token, .send, .ready) } }

    override func passTurn() { reactor.update { $0.passTurn(token) } }

    func passOn(_ kind: WaitKind) { reactor.update { $0.passOn(token, kind) } }

    /// Has somebody called whenever the descriptor is ready for what is wanted; to be used on the loop's thread.
    func watch(_ watcher: (any Watcher)?, for wanted: Int64) -> Int64 {
        reactor.setWatcher(watcher, token, for: wanted)
    }

    /// Ends the wait of a task, and every wait that it begins here until it is allowed to, as if it was cancelled.
    func interrupt(_ task: TaskIdentity) { reactor.update { $0.interrupt(task, token) } }

    /// Lets a task that was interrupted wait again; before it ends, for another one may come to have its identity.
    func allow(_ task: TaskIdentity) { reactor.update { $0.allow(task, token) } }
}

extension Registration {
    /// Suspends the task until what it waits for is ready, or has ended otherwise.
    ///
    /// - Parameters:
    ///   - kind: What it waits for.
    ///   - deadline: For how long.
    ///   - isBack: Whether it comes back, having been let go and found nothing: then it is the next to be served.
    /// - Returns: How the wait has ended.
    @inline(__always)
    func wait(_ kind: WaitKind, until deadline: Deadline, isBack: Bool) async -> WaitOutcome {
        let task = TaskIdentity.current
        let waiter = unsafe Waiter(continuation: nil, task: task, deadline: deadline.nanoseconds)
        // Asked here, for a closure does not know whether its task holds an actor: that would be held meanwhile, and its
        // other tasks with it.
        let keepsThread = reactor.canWaitHere(task, #isolation)
        if task.value == scope.load(ordering: .relaxed) {
            return await wait(waiter, kind, isBack, isScoped: true, keepsThread)
        }
        return await waitWithHandler(waiter, kind, isBack, keepsThread)
    }

    @inline(never)
    private func waitWithHandler(
        _ waiter: Waiter,
        _ kind: WaitKind,
        _ isBack: Bool,
        _ keepsThread: Bool
    ) async -> WaitOutcome {
        await withTaskCancellationHandler {
            await wait(waiter, kind, isBack, isScoped: false, keepsThread)
        } onCancel: {
            reactor.update { $0.withdraw(waiter.task, token, kind, .cancelled) }
        }
    }

    @inline(__always)
    private func wait(
        _ waiter: Waiter,
        _ kind: WaitKind,
        _ isBack: Bool,
        isScoped: Bool,
        _ keepsThread: Bool
    ) async -> WaitOutcome {
        if keepsThread,
            let outcome = reactor.waitHere(waiter, token, kind, isBack: isBack, isScoped: isScoped)
        {
            return outcome
        }
        return unsafe await withUnsafeContinuation { continuation in
            let outcome =
                unsafe keepsThread
                ? reactor.suspend(waiter.task, token, kind, continuation)
                : reactor.install(waiter.suspended(continuation), token, kind, isBack: isBack, isScoped: isScoped)
            if let outcome { unsafe continuation.resume(returning: outcome) }
        }
    }

    /// Runs a body whose task's cancellation ends all of its waits here.
    ///
    /// One handler for the whole body is cheaper than one for each wait.
    func withScope<Value>(_ body: () async throws -> Value) async throws -> Value {
        let task = TaskIdentity.current
        defer { allow(task) }
        return try await withTaskCancellationHandler {
            scope.store(task.value, ordering: .relaxed)
            defer { scope.store(0, ordering: .relaxed) }
            return try await body()
        } onCancel: {
            interrupt(task)
        }
    }
}

extension EventLoop {
    /// Suspends the task until a moment.
    ///
    /// - Throws: `.cancelled`, `.resourcesExhausted`.
    static func pause(
        until deadline: Deadline,
        for operation: IPCError.Operation,
        name: String?
    ) async throws(IPCError) {
        var failure: Int64 = 0
        guard let pause = (Reactor.current ?? shared.reactor).register(-1, &failure) else {
            throw IPCError(result: failure, operation, name: name)
        }
        let outcome = await pause.wait(.turn, until: deadline, isBack: false)
        pause.didDrain()
        if outcome == .cancelled { throw IPCError(.cancelled, operation, name: name, detail: nil) }
    }

    /// Suspends the task until the system may have memory again, or the task is cancelled.
    static func pauseInShortage() async {
        try? await pause(until: Deadline(after: .milliseconds(10)), for: .wait, name: nil)
    }
}
