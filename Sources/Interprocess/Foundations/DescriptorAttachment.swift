// SPDX-License-Identifier: MIT OR Apache-2.0

/// What else has to know of what happens to a descriptor: an event loop it is registered with, or an engine that has
/// operations under way.
class DescriptorAttachment: @unchecked Sendable {
    /// A side is marked closed; calls may still be under way.
    ///
    /// Comes once for each side that is closed, on the closing thread.
    func willClose(_ side: DescriptorCore.Side) {}

    /// No call is under way and none can come: the descriptor is closed, or given away, when this returns.
    func didDrain() {}

    /// Whether a task awaits something, so that the descriptor cannot be given away.
    var isBusy: Bool { false }

    /// What is waited for until there is something to receive, where that is not the descriptor; otherwise -1.
    var receives: Int64 { -1 }

    /// What is waited for until there is room to send, where that is not the descriptor: -1 if it never is.
    var sends: Int64 { -1 }

    /// The sending side was shut down, which the system tells nobody who waits for room.
    func didShutDown() {}

    /// The turn to read has been passed on (see `ReadingTurn`), and a task waits for it.
    func passTurn() {}
}

extension DescriptorCore {
    /// Attaches something, once.
    ///
    /// - Returns: What is attached from now on: it, or what another thread attached first.
    func attach(_ new: DescriptorAttachment) -> DescriptorAttachment { attachment.set(new) }

    @inline(__always)
    var attached: DescriptorAttachment? { attachment.value }
}
