// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess

/// The receiving side of a connection, to be used by one thread or task at a time.
@safe
final class FrameReader: @unchecked Sendable {
    let side: ReceivingSide
    private var inbox: FrameInbox
    /// Where the numbers of descriptors are received, once something is.
    private var numbers = unsafe UnsafeMutableBufferPointer<Int64>(start: nil, count: 0)

    init(_ side: ReceivingSide) {
        self.side = side
        inbox = FrameInbox(limit: 0)
    }

    deinit { unsafe numbers.deallocate() }

    var core: DescriptorCore { side.core }

    /// How large a message may be: at first there are none, for who the other side is has to be known before any of its
    /// messages takes memory.
    var limit: Int {
        get { inbox.limit }
        set { inbox.limit = newValue }
    }

    /// The next message that is whole; `nil` when more has to come first.
    ///
    /// - Throws: `.protocolViolation`, after which there is nothing more to be had.
    func next() throws(IPCError) -> FrameInbox.Message? {
        do throws(FrameInbox.Violation) {
            return try inbox.next()
        } catch { throw core.error(.protocolViolation, .read, detail: error.detail) }
    }

    /// Waits for more to come.
    ///
    /// - Throws: `.disconnected` when the other side is gone; `.closed`, `.timedOut`, `.wouldBlock`.
    func fill(_ patience: Patience) throws(IPCError) {
        let lease = try core.lease(.receive, for: .read, blocking: !patience.isNonblocking)
        if patience.isUnlimited && side.transport.mayWait(lease) && !side.spin.isOn {
            let result = attempt(wait: true)
            if core.isClosed(.receive) && result <= 0 { throw core.error(.closed, .read) }
            if result != -cip_codes.would_block { return try check(result) }
        }
        do throws(IPCError) {
            try check(Int64(side.receive(lease, patience) { attempt(wait: false) }))
        } catch { throw toldAsDisconnect(error) }
    }

    /// The same, suspending the task.
    ///
    /// - Throws: Also `.cancelled`.
    func fill(until deadline: Deadline) async throws(IPCError) {
        try check(
            await core.awaiting(.receive, until: deadline, waitsFirst: side.guess.isLikelyEmpty) {
                let result = attempt(wait: false)
                return side.isTrustworthy(result) ? result : Ending.closed
            }
        )
    }

    private func attempt(wait: Bool) -> Int64 {
        if unsafe numbers.isEmpty { unsafe numbers = .allocate(capacity: Int(CIP_MAXIMUM_DESCRIPTORS)) }
        return inbox.fill { memory, count, arrive in
            let result = unsafe FrameTransport.receive(core, memory, count, numbers, wait: wait, arrive: arrive)
            side.guess.learn(result, of: count)
            return result
        }
    }

    private func check(_ result: Int64) throws(IPCError) {
        if result == 0 { throw core.error(.disconnected, .read) }
        if result < 0 { throw toldAsDisconnect(core.failure(result, .read)) }
    }

    private func toldAsDisconnect(_ error: IPCError) -> IPCError {
        guard error.code == .brokenPipe || error.code == .connectionReset else { return error }
        return IPCError(.disconnected, .read, systemCode: error.systemCode, name: error.name, detail: nil)
    }
}
