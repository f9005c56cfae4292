// SPDX-License-Identifier: MIT OR Apache-2.0

/// Descriptors that go with a message, and that are not closed until it is sent.
struct OutgoingDescriptors: Sendable {
    static let none = OutgoingDescriptors()

    private(set) var numbers: [Int64] = []
    private var held: [HeldLease] = []
    var moves: [any EndMove] = []

    init() {}

    /// - Throws: `.closed`, `.busy`.
    init(_ owners: [any DescriptorOwner]) throws(IPCError) {
        for owner in owners { try add(owner.descriptorCore) }
    }

    mutating func add(_ core: DescriptorCore) throws(IPCError) {
        held.append(try HeldLease(toSend: core))
        numbers.append(core.lent)
    }

    /// What moves has moved.
    func areSent() { for move in moves { move.finish() } }
}
