// SPDX-License-Identifier: MIT OR Apache-2.0

/// The messages that arrive in parts at the same time, from several senders.
struct Assemblies: ~Copyable {
    static let most = 64

    /// In the order of their progress: who has waited longest comes first.
    private var present: [(identifier: UInt64, assembly: Assembly)] = []

    /// Begins a message with its first part.
    ///
    /// A sender that dies in the middle of one leaves it behind, so the number of them is bounded. What came beside it is
    /// none of it: that comes with the last part.
    ///
    /// - Returns: Whether another one had to be given up for it.
    mutating func begin(
        _ identifier: UInt64,
        _ total: Int,
        _ part: UnsafeRawBufferPointer
    ) throws(PacketInbox.Failure) -> Bool {
        // There is more to come; and nobody chooses a number that is in use.
        if total <= part.count || index(of: identifier) != nil { throw .malformed }
        let isFull = present.count == Self.most
        if isFull { present.removeFirst() }
        let assembly = Assembly(total)
        unsafe assembly.add(part)
        present.append((identifier, assembly))
        return isFull
    }

    /// Forgets a message that its sender has given up.
    mutating func remove(_ identifier: UInt64) { present.removeAll { $0.identifier == identifier } }

    /// Adds a part; returns the message if it is whole with it.
    ///
    /// Parts of a message that was given up are passed over.
    mutating func add(
        _ part: UnsafeRawBufferPointer,
        to identifier: UInt64
    ) throws(PacketInbox.Failure) -> Assembly? {
        guard let index = index(of: identifier) else { return nil }
        let (_, assembly) = present.remove(at: index)
        if unsafe part.isEmpty || part.count > assembly.total - assembly.count { throw .malformed }
        unsafe assembly.add(part)
        if assembly.count == assembly.total { return assembly }
        present.append((identifier, assembly))
        return nil
    }

    var partialMessages: [ReceivedAhead.PartialMessage] {
        present.map { identifier, assembly in
            ReceivedAhead.PartialMessage(
                identifier: identifier,
                total: assembly.total,
                bytes: unsafe Array(assembly.bytes)
            )
        }
    }

    /// Begins with what has come of a message elsewhere; there must be room.
    mutating func begin(_ message: ReceivedAhead.PartialMessage) throws(PacketInbox.Failure) {
        let failure = unsafe message.bytes.withUnsafeBytes { bytes -> PacketInbox.Failure? in
            do throws(PacketInbox.Failure) {
                _ = try unsafe begin(message.identifier, message.total, bytes)
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw failure }
    }

    private func index(of identifier: UInt64) -> Int? { present.firstIndex { $0.identifier == identifier } }
}
