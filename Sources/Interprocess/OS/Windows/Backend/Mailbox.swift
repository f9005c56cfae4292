// SPDX-License-Identifier: MIT OR Apache-2.0

#if os(Windows)
internal import CInterprocess

/// An outbox, and an inbox beside it, for an end that reads messages.
///
/// All reads of such an end are made here, one at a time, so that messages come in their order, however calls that block
/// and calls that are awaited take turns. A read that is under way when nobody waits any more is withdrawn; should a
/// message have come just then, it is kept for the next call.
@safe
final class Mailbox: Outbox, @unchecked Sendable {
    private let inbox = unsafe Locked<OpaquePointer?>(nil)

    /// Takes a message, or its next part, as `cip_inbox_read` does.
    func read(_ memory: UnsafeMutableRawPointer, _ count: Int, _ received: inout Int) -> Int64 {
        unsafe withInbox { unsafe cip_inbox_read($0, handle, memory, count, &received) }
    }

    /// Ends the read that is under way.
    ///
    /// - Returns: How many bytes of a message have come, and whether they are the rest of it; `nil` if none has.
    func withdraw() -> (count: Int, isWhole: Bool)? {
        unsafe inbox.withLock { inbox in
            guard let present = unsafe inbox else { return nil }
            var (count, isWhole) = (0, false)
            return unsafe cip_inbox_withdraw(present, handle, &count, &isWhole) ? (count, isWhole) : nil
        }
    }

    /// An event that is set while no read is under way.
    override var receives: Int64 { unsafe withInbox { unsafe cip_inbox_event($0) } }

    private func withInbox(_ body: (OpaquePointer) -> Int64) -> Int64 {
        unsafe inbox.withLock { inbox in
            if unsafe inbox == nil {
                let made = unsafe cip_inbox_create(&inbox)
                if made < 0 { return made }
            }
            return unsafe body(inbox.unsafelyUnwrapped)
        }
    }

    override func didDrain() {
        unsafe inbox.withLock { inbox in
            if let present = unsafe inbox.take() { unsafe cip_inbox_destroy(present, handle) }
        }
        super.didDrain()
    }
}

extension DescriptorCore {
    /// What the core of an end has that reads messages.
    var mailbox: Mailbox { unsafe unsafeDowncast(companion.value.unsafelyUnwrapped, to: Mailbox.self) }
}
#endif
