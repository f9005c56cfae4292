// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess
internal import Synchronization

/// Whose turn it is to receive, where a read-ahead buffer is used by several threads or tasks.
///
/// One that receives may leave bytes in the buffer that another one waits for. So only one at a time waits for the
/// peer; the others wait for the turn, and look into the buffer whenever it is passed on.
struct ReadingTurn: ~Copyable, Sendable {
    private let isTaken = Atomic<Bool>(false)
    private let waitingThreads = Atomic<Int>(0)
    private let waitingTasks = Atomic<Int>(0)
    /// Has a signal for each time the turn is passed on to a thread.
    ///
    /// Made when a second thread comes.
    private let baton = WakePair()

    func tryTake() -> Bool { !isTaken.exchange(true, ordering: .sequentiallyConsistent) }

    /// Ends the turn.
    func give(_ core: DescriptorCore) {
        isTaken.store(false, ordering: .sequentiallyConsistent)
        passOn(core)
    }

    /// To be called by one that has looked into the buffer, and leaves without having had the turn: was it let go to
    /// look, then it leaves bytes, or the turn, to the next one.
    @inline(__always)
    func passOn(_ core: DescriptorCore, leaving byteCount: Int) {
        if byteCount > 0 || !isTaken.load(ordering: .sequentiallyConsistent) { passOn(core) }
    }

    /// Lets one of those who wait look again.
    @inline(__always)
    func passOn(_ core: DescriptorCore) {
        // Of two kinds of waiters one is told; whoever leaves in vain tells the others.
        if waitingTasks.load(ordering: .sequentiallyConsistent) > 0 {
            core.attached?.passTurn()
        } else if waitingThreads.load(ordering: .sequentiallyConsistent) > 0 {
            baton.signal(.receive)
        }
    }

    /// Blocks until it is passed on; or does not, if it has been given meanwhile.
    func wait(_ core: DescriptorCore, _ patience: Patience) throws(IPCError) {
        if patience.isNonblocking { throw core.error(.wouldBlock, .read) }
        let lease = try core.lease(.receive, for: .read)
        let baton = baton.wake(of: .receive)
        if baton < 0 { throw core.error(result: baton, .read) }
        waitingThreads.add(1, ordering: .sequentiallyConsistent)
        defer { waitingThreads.subtract(1, ordering: .sequentiallyConsistent) }
        if !isTaken.load(ordering: .sequentiallyConsistent) { return }
        try core.wait(polling: baton, Int64(CIP_READABLE), .receive, for: .read, lease, until: patience.deadline)
        // If another one was faster, that is all right: whoever looks finds out.
        _ = cip_wake_take(baton)
    }

    /// Notes that a task waits from now on; returns whether it has to, for the turn is taken.
    func beginWaitingTask() -> Bool {
        waitingTasks.add(1, ordering: .sequentiallyConsistent)
        return isTaken.load(ordering: .sequentiallyConsistent)
    }

    func endWaitingTask() { waitingTasks.subtract(1, ordering: .sequentiallyConsistent) }
}
