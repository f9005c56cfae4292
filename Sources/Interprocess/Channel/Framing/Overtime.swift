// SPDX-License-Identifier: MIT OR Apache-2.0

/// How much a call receives once its time is over: enough for a message that is there to be had, in whatever parts, and no
/// more, for somebody may send without end what is no message.
struct Overtime {
    private let patience: Patience
    private var left: Int
    private var isSpent = false

    init(_ patience: Patience, most: Int = 64) {
        self.patience = patience
        left = most
    }

    init(until deadline: Deadline, most: Int = 64) {
        self.init(Patience(isNonblocking: false, deadline: deadline), most: most)
    }

    /// Notes that something was received, and no message is whole with it.
    ///
    /// - Throws: `.timedOut`, `.wouldBlock`: what has come stays for the next call.
    mutating func spend(_ core: DescriptorCore, _ operation: IPCError.Operation) throws(IPCError) {
        // The first one costs nothing, not even a look at the clock.
        if !isSpent { return isSpent = true }
        if !patience.isNonblocking && !patience.deadline.hasPassed { return }
        if left == 0 { throw core.error(patience.isNonblocking ? .wouldBlock : .timedOut, operation) }
        left -= 1
    }
}
