// SPDX-License-Identifier: MIT OR Apache-2.0

internal import Synchronization

/// One call of `serve`: it accepts clients, and has a child task for each.
final class Server: Sendable {
    private let listener: LocalSocketListener
    private let options: LocalSocketListener.ServeOptions
    private let handler: @Sendable (LocalSocketStream) async throws -> Void
    private let acceptor = Atomic<UInt>(0)
    private let clientCount = Atomic<Int>(0)
    private let isStopping = Atomic<Bool>(false)
    private let arrivals: Registration
    /// Where clients that leave are waited for.
    private let departures: Registration

    init(
        _ listener: LocalSocketListener,
        _ options: LocalSocketListener.ServeOptions,
        _ handler: @escaping @Sendable (LocalSocketStream) async throws -> Void
    ) throws(IPCError) {
        self.listener = listener
        self.options = options
        self.handler = handler
        if options.eventLoops.isEmpty || options.maximumClients < 1 {
            throw listener.descriptorCore.error(
                .invalidArgument,
                .accept,
                detail: "serving takes at least one event loop, and at least one client at a time"
            )
        }
        let reactor = options.eventLoops[0].reactor
        arrivals = try listener.descriptorCore.register(.receive, for: .accept, reactor)
        var failure: Int64 = 0
        guard let pause = reactor.register(-1, &failure) else {
            throw listener.descriptorCore.failure(failure, .accept)
        }
        departures = pause
    }

    deinit { departures.didDrain() }

    func run() async throws(IPCError) {
        await withTaskCancellationHandler {
            // A task of its own: cancelling the caller must not cancel the handlers at once. It starts when cancelling
            // can stop it, so that no client is accepted once that has been done.
            await Task(executorPreference: options.eventLoops[0]) { await self.work() }.value
        } onCancel: {
            stop()
        }
        // Now no cancellation is on its way any more, which could leave something behind for the next task.
        arrivals.allow(TaskIdentity(value: acceptor.load(ordering: .sequentiallyConsistent)))
    }

    /// Ends accepting, now or, if it has not begun, when it does.
    private func stop() {
        isStopping.store(true, ordering: .sequentiallyConsistent)
        let task = TaskIdentity(value: acceptor.load(ordering: .sequentiallyConsistent))
        if task != .none { arrivals.interrupt(task) }
        departures.passTurn()
    }

    private func work() async {
        let task = TaskIdentity.current
        acceptor.store(task.value, ordering: .sequentiallyConsistent)
        await withDiscardingTaskGroup { group in
            await accept(&group)
            while !isStopping.load(ordering: .sequentiallyConsistent) && hasClients { await departure(until: .never) }
            // Clients may finish, but not for ever.
            let deadline = Deadline(after: options.gracePeriod)
            while hasClients && !deadline.hasPassed { await departure(until: deadline) }
            group.cancelAll()
        }
    }

    private var hasClients: Bool { clientCount.load(ordering: .sequentiallyConsistent) > 0 }

    /// Waits until a client leaves, or it is time to stop.
    private func departure(until deadline: Deadline) async {
        _ = await departures.wait(.turn, until: deadline, isBack: false)
    }

    private func accept(_ group: inout DiscardingTaskGroup) async {
        var accepted = 0
        while !isStopping.load(ordering: .sequentiallyConsistent) {
            if clientCount.load(ordering: .sequentiallyConsistent) >= options.maximumClients {
                await departure(until: .never)
                continue
            }
            listener.fillReserve()
            do throws(IPCError) {
                let stream = try await listener.accept()
                clientCount.add(1, ordering: .sequentiallyConsistent)
                let loop = options.eventLoops[accepted % options.eventLoops.count]
                accepted += 1
                let executor: any TaskExecutor =
                    options.handlerExecutor == .eventLoop ? loop : globalConcurrentExecutor
                group.addTask(executorPreference: executor) { await self.handle(stream, loop) }
            } catch {
                if error.code == .closed { return }
                if isStopping.load(ordering: .sequentiallyConsistent) { return }
                options.onFailure?(LocalSocketListener.ServeFailure(error: error, stream: nil))
                if !listener.shedClient(after: error) { try? await listener.pauseAfterError() }
            }
        }
    }

    // A frame for each client stands as long as the client stays, so that little is done in it.
    private func handle(_ stream: LocalSocketStream, _ loop: EventLoop) async {
        if let registration = register(stream, loop) {
            do { try await registration.withScope { try await handler(stream) } } catch { report(error, stream) }
        }
        finish(stream)
    }

    @inline(never)
    private func register(_ stream: LocalSocketStream, _ loop: EventLoop) -> Registration? {
        do {
            return try stream.descriptorCore.register(.both, for: .accept, loop.reactor)
        } catch {
            report(error, stream)
            return nil
        }
    }

    @inline(never)
    private func report(_ error: any Error, _ stream: LocalSocketStream) {
        let isOurDoing = (error as? IPCError)?.code == .cancelled || error is CancellationError
        if Task.isCancelled && isOurDoing { return }
        options.onFailure?(LocalSocketListener.ServeFailure(error: error, stream: stream))
    }

    @inline(never)
    private func finish(_ stream: LocalSocketStream) {
        stream.close()
        clientCount.subtract(1, ordering: .sequentiallyConsistent)
        departures.passTurn()
    }
}
