// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess
internal import Synchronization

/// Whose turn it is to receive, where a read-ahead buffer is used by several threads.
///
/// One that receives may leave bytes in the buffer that another one waits for. So only one at a time waits for the
/// peer; the others wait for the turn, and look into the buffer whenever it is passed on.
struct ReadingTurn: ~Copyable, Sendable {
    private let isTaken = Atomic<Bool>(false)
    private let waiting = Atomic<Int>(0)
    /// Has a signal for each time the turn is passed on.
    ///
    /// Made when a second thread comes.
    private let baton = WakePair()

    func tryTake() -> Bool { !isTaken.exchange(true, ordering: .sequentiallyConsistent) }

    /// Ends the turn.
    func give() {
        isTaken.store(false, ordering: .sequentiallyConsistent)
        passOn()
    }

    /// Lets one of those who wait look again.
    ///
    /// To be called when the buffer may hold bytes for somebody else.
    func passOn() {
        if waiting.load(ordering: .sequentiallyConsistent) > 0 { baton.signal(.receive) }
    }

    /// Waits until it is passed on; or does not, if it has been given meanwhile.
    func wait(_ core: DescriptorCore, _ patience: Patience) throws(IPCError) {
        if patience.isNonblocking { throw core.error(.wouldBlock, .read) }
        let lease = try core.lease(.receive, for: .read)
        let baton = baton.wake(of: .receive)
        if baton < 0 { throw core.error(result: baton, .read) }
        waiting.add(1, ordering: .sequentiallyConsistent)
        defer { waiting.subtract(1, ordering: .sequentiallyConsistent) }
        if !isTaken.load(ordering: .sequentiallyConsistent) { return }
        try core.wait(polling: baton, Int64(CIP_READABLE), .receive, for: .read, lease, until: patience.deadline)
        // If another one was faster, that is all right: whoever looks finds out.
        _ = cip_wake_take(baton)
    }
}
