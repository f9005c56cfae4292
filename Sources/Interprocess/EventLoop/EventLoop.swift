// SPDX-License-Identifier: MIT OR Apache-2.0

/// A thread that waits for many descriptors at once, wakes the tasks that await them, and runs tasks itself.
///
/// Awaiting works without ever naming a loop: there is a ``shared`` one, whose thread starts when it is first needed. A
/// stream, listener or pipe end belongs to the loop on which a task first awaited it, and to the shared one if that
/// task ran elsewhere.
///
/// Every wait of a task that runs on the loop itself is cheap. One that runs elsewhere, on the default pool or on the
/// main actor, is woken by way of another thread, which takes several microseconds each time. Where that counts, let
/// tasks run on the loop:
///
/// ```swift
/// func echo(_ stream: LocalSocketStream) async throws {
///     try await withTaskExecutorPreference(EventLoop.shared) {
///         while let line = try await stream.readLine() { try await stream.writeAll(line + "\n") }
///     }
/// }
/// ```
///
/// Child tasks run there too; `Task { }` does not, and `Task(executorPreference:)` does. The handlers of
/// ``LocalSocketListener/serve(options:_:)`` run on a loop without more ado. What runs on a loop must not block or
/// compute for long, for everything else that belongs to it waits meanwhile.
///
/// The thread waits by `epoll`, `kqueue`, or a completion port. It ends when the loop is no longer referred to, and neither
/// tasks nor open descriptors belong to it any more; the shared one stays. Like those of Swift's pool, it has signals
/// blocked, which go to other threads; so has a program that is started on it, unless the starter sees to that.
public final class EventLoop: TaskExecutor, Sendable {
    /// How a loop works.
    public struct Options: Sendable {
        /// For how long the thread keeps asking, once it has nothing to do, before it goes to sleep.
        ///
        /// Waking a sleeping thread takes tens of microseconds on some machines, virtual ones above all. 30
        /// microseconds of asking avoid that, where answers come fast and there is a processor to spare. It is done
        /// only as long as it pays, and never where the process may use one processor only.
        public var spinTime: Duration = .zero

        /// Creates the options that are right for most programs.
        public init() {}
    }

    /// The loop for everything that was not awaited on another one.
    public static let shared = EventLoop()

    let reactor: Reactor

    /// Creates a loop, whose thread starts when it is first needed.
    ///
    /// One loop serves thousands of connections. More of them help only where one processor does not suffice.
    ///
    /// - Parameter options: How it works.
    public init(options: Options = Options()) {
        reactor = Reactor(spinTime: options.spinTime)
        unsafe reactor.setExecutor(asUnownedTaskExecutor())
    }

    deinit { reactor.stop() }

    /// Runs a part of a task on the loop's thread.
    ///
    /// The Swift runtime calls it. If the thread cannot be started for want of descriptors or memory, the default pool
    /// runs the part.
    ///
    /// - Parameter job: The part.
    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if reactor.enqueue(job) { return }
        globalConcurrentExecutor.enqueue(job)
    }
}
