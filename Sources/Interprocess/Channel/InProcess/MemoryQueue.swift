// SPDX-License-Identifier: MIT OR Apache-2.0

#if !os(Windows)
internal import CInterprocess

/// The values on their way in a channel inside one process.
///
/// The two ends have a pair of sockets, by which nothing goes but a byte, either way, when somebody waits: so waiting,
/// closing and cancelling are those of all other channels, and where nobody waits there is no system call.
final class MemoryQueue<Message: Sendable>: Sendable {
    let sending: DescriptorCore
    let receiving: DescriptorCore
    private let state: Locked<State>

    private struct State {
        var messages = MessageRing<Message>()
        let capacity: Int
        /// Who waits for room, and who for messages.
        var senders = Waiting()
        var receivers = Waiting()
        var hasSender = true
        var hasReceiver = true
    }

    /// Those who wait at one end.
    private struct Waiting {
        /// Whether there may be any, and they have not been told.
        var areThere = false
        /// Whether a byte is at their end, or on its way there; as long as it is, they go on looking.
        var areTold = false

        /// Returns whether they have to be told.
        mutating func tell() -> Bool {
            if !areThere || areTold { return false }
            (areThere, areTold) = (false, true)
            return true
        }

        /// Notes that one of them has looked in vain; takes the byte, if it has come.
        mutating func wait(at core: DescriptorCore) {
            areThere = true
            if areTold { areTold = !MemoryQueue.takeByte(core) }
        }
    }

    init(_ sending: DescriptorCore, _ receiving: DescriptorCore, capacity: Int) {
        self.sending = sending
        self.receiving = receiving
        state = Locked(State(capacity: capacity))
    }

    /// Adds a message if there is room.
    ///
    /// Must be called with a lease on the sender's end.
    ///
    /// - Returns: 1; 0 when the receiver is gone; or "would block".
    func push(_ message: Message, willWait: Bool) -> Int64 {
        let (result, tells) = state.withLock { state -> (Int64, Bool) in
            if !state.hasReceiver { return (0, false) }
            if state.messages.count == state.capacity {
                if willWait { state.senders.wait(at: sending) }
                return (-cip_codes.would_block, false)
            }
            state.messages.append(message)
            return (1, state.receivers.tell())
        }
        if tells { Self.sendByte(sending) }
        return result
    }

    /// Takes out the next message.
    ///
    /// Must be called with a lease on the receiver's end.
    ///
    /// - Returns: 1; 0 when the sender is gone; or "would block".
    func pop(into message: inout Message?, willWait: Bool) -> Int64 {
        let (result, tells) = state.withLock { state -> (Int64, Bool) in
            guard let first = state.messages.removeFirst() else {
                if !state.hasSender { return (0, false) }
                if willWait { state.receivers.wait(at: receiving) }
                return (-cip_codes.would_block, false)
            }
            message = first
            return (1, state.senders.tell())
        }
        if tells { Self.sendByte(receiving) }
        return result
    }

    func closeSender() {
        state.withLock { $0.hasSender = false }
        sending.close()
    }

    /// What has not been received is lost.
    func closeReceiver() {
        let lost = state.withLock { state in
            state.hasReceiver = false
            defer { state.messages = MessageRing() }
            return state.messages
        }
        receiving.close()
        // What it consists of goes outside the lock, for it may do anything as it goes.
        withExtendedLifetime(lost) {}
    }

    private static func sendByte(_ core: DescriptorCore) {
        var byte: UInt8 = 0
        _ = System.call(.wake) { unsafe cip_send(core.descriptor, &byte, 1, false) }
    }

    private static func takeByte(_ core: DescriptorCore) -> Bool {
        var byte: UInt8 = 0
        return System.call(.wake) { unsafe cip_receive(core.descriptor, &byte, 1, false) } >= 0
    }
}
#endif
