// SPDX-License-Identifier: MIT OR Apache-2.0

/// The messages that arrive in parts at the same time, from several senders.
struct Assemblies: ~Copyable {
    static let most = 64
    /// How many descriptors are kept for them: the process has only so many.
    static let mostDescriptors = 512

    /// In the order of their progress: who has waited longest comes first.
    private var present: [(identifier: UInt64, assembly: Assembly)] = []

    var isEmpty: Bool { present.isEmpty }

    /// Begins a message with its first part.
    ///
    /// A sender that dies in the middle of one leaves it behind, so the number of them is bounded, and so is that of the
    /// descriptors that came with them.
    ///
    /// - Returns: Whether another one had to be given up for it.
    mutating func begin(
        _ identifier: UInt64,
        _ total: Int,
        _ part: UnsafeRawBufferPointer,
        _ attachments: ReceivedDescriptors?
    ) throws(PacketInbox.Failure) -> Bool {
        // There is more to come; and nobody chooses a number that is in use.
        if total <= part.count || index(of: identifier) != nil { throw .malformed }
        let isFull = present.count == Self.most
        if isFull { present.removeFirst() }
        let lacksDescriptors = makeRoom(forDescriptors: attachments?.count ?? 0)
        let assembly = Assembly(total, attachments)
        unsafe assembly.add(part)
        present.append((identifier, assembly))
        return isFull || lacksDescriptors
    }

    /// Gives up those that have descriptors, and have waited longest, until there is room for more; returns whether any
    /// had to be.
    private mutating func makeRoom(forDescriptors more: Int) -> Bool {
        var count = more == 0 ? 0 : present.reduce(more) { $0 + $1.assembly.descriptorCount }
        if count <= Self.mostDescriptors { return false }
        while count > Self.mostDescriptors, let index = present.firstIndex(where: { $0.assembly.descriptorCount > 0 }) {
            count -= present.remove(at: index).assembly.descriptorCount
        }
        return true
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

    private func index(of identifier: UInt64) -> Int? { present.firstIndex { $0.identifier == identifier } }
}
