// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess
internal import Synchronization

/// A watcher of signals: those that come to this process are received here, instead of doing what they do otherwise.
///
/// ```swift
/// let signals = try Signals([.interrupt, .terminate])
/// print("ended by \(try signals.next().signal)")
/// ```
///
/// It can be waited on by a thread, awaited by a task, or looped over (`for try await`). Several watchers of one signal all
/// receive it; of several that wait on one watcher, each signal goes to one. What comes while nobody waits is kept, up to
/// the capacity.
///
/// No code of yours runs in a signal handler. The library's does no more than to write down what came, on any thread,
/// also one that is older than the watcher, and calls that it interrupts go on (`SA_RESTART`). Signals come in the order in
/// which threads take them. This library's threads and those of Swift's pool take none, so that a program without others
/// has them in order; two that are taken by two threads at the same moment may swap.
///
/// What the signals did before comes back with the end of their last watcher: handler, mask and flags, unless somebody else
/// has changed that meanwhile. A process made by `fork` has it back from the start, receives nothing here, and may not use
/// its parent's watchers; programs started by `exec` are not touched.
///
/// A watcher ends when it is closed, or the last reference to it goes.
public final class Signals: Sendable, DescriptorOwner {
    /// The descriptor's owner, which has no public members.
    public let descriptorCore: DescriptorCore

    /// What is watched.
    public let signals: [Signal]

    private struct Watch {
        /// -1 when it has ended.
        var handle: Int64
        var lost: Int64 = 0
    }

    private let watch: Locked<Watch>
    /// How many lost ones have been told of.
    private let toldLost = Atomic<UInt32>(0)

    /// Begins to watch signals.
    ///
    /// The corresponding system calls are `sigaction` and `pipe`; on Windows `signal` and `SetConsoleCtrlHandler`. On Unix
    /// each watcher has three descriptors, and one more once a thread has waited.
    ///
    /// - Parameters:
    ///   - signals: Which.
    ///   - capacity: How many are kept until they are received; what comes when there is no room is lost, and told of
    ///     (``SignalInfo/lostBefore``). The system may keep more, or fewer: Linux allows every user 43,520, and on other
    ///     Unix systems pipes have a size of their own, for some hundreds.
    /// - Throws: ``IPCError/Code/unsupported`` for signals that cannot be caught (`SIGKILL`, `SIGSTOP`), that failing
    ///   instructions raise (`SIGSEGV`, `SIGBUS`, `SIGILL`, `SIGFPE`, `SIGTRAP`), or that the C library uses;
    ///   ``IPCError/Code/invalidArgument`` for numbers that no signal has, none at all, or a capacity of less than one;
    ///   ``IPCError/Code/resourcesExhausted``. When it throws, nothing has changed.
    public init(_ signals: [Signal], capacity: Int = 10_000) throws(IPCError) {
        if signals.isEmpty { throw Self.refusal(.invalidArgument, nil, "there are none") }
        for signal in signals {
            if let (code, detail) = signal.refusal { throw Self.refusal(code, signal.description, detail) }
        }
        if capacity < 1 { throw Self.refusal(.invalidArgument, nil, "a watcher has room for one signal at least") }
        let begun = try SignalBackend.watch(signals.map { $0.rawValue }, capacity: capacity)
        descriptorCore = begun.core
        watch = Locked(Watch(handle: begun.handle))
        self.signals = signals
    }

    deinit { close() }

    private static func refusal(_ code: IPCError.Code, _ name: String?, _ detail: String) -> IPCError {
        IPCError(code, .watch, name: name ?? SignalBackend.label, detail: detail)
    }

    /// Waits for the next signal.
    ///
    /// It blocks the thread while it waits.
    ///
    /// - Parameter timeout: How long to wait at most; `nil` is without limit, zero takes what is there.
    /// - Returns: The signal, and what the system tells of it.
    /// - Throws: ``IPCError/Code/timedOut``; ``IPCError/Code/closed`` when the watcher is closed, also during the call;
    ///   ``IPCError/Code/resourcesExhausted`` (to wait may take a descriptor). No signal is lost when it throws.
    public func next(timeout: Duration? = nil) throws(IPCError) -> SignalInfo {
        let deadline = Deadline(after: timeout)
        let core = descriptorCore
        let lease = try core.lease(.receive, for: .wait)
        var record = cip_signal_record()
        while true {
            let result = SignalBackend.take(core, &record)
            if result > 0 { return describe(record) }
            if result == 0 { throw core.error(.closed, .wait) }
            if result != -cip_codes.would_block { throw core.error(result: result, .wait) }
            try core.wait(.receive, for: .wait, lease, until: deadline)
        }
    }

    func describe(_ record: cip_signal_record) -> SignalInfo {
        // Records that were written at the same time may come in another order than that of the losses they tell of.
        let (before, now) = toldLost.max(record.lost, ordering: .relaxed)
        return SignalInfo(record, lostBefore: Int(now - before))
    }

    /// How many signals were lost, for there was no more room, since the watcher began.
    ///
    /// Those that the kernel does not tell apart are not among them: of each signal that is not a real-time one it keeps no
    /// more than one until a thread takes it.
    public var lostCount: Int {
        watch.withLock { watch in
            if watch.handle >= 0 { watch.lost = cip_signal_lost(watch.handle) }
            return Int(clamping: watch.lost)
        }
    }

    /// Stops watching, and lets the signals do what they did before.
    ///
    /// Waiting calls end with ``IPCError/Code/closed``. What was not received is given up. Further calls do nothing.
    public func close() {
        watch.withLock { watch in
            guard watch.handle >= 0 else { return }
            watch.lost = cip_signal_lost(watch.handle)
            cip_signal_unwatch(watch.handle)
            watch.handle = -1
        }
        descriptorCore.close()
    }
}
