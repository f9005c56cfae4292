// SPDX-License-Identifier: MIT OR Apache-2.0

#if !canImport(Darwin) && !os(Windows)
/// Descriptors that go with a message, and that are not closed until it is sent.
struct OutgoingDescriptors: Sendable {
    static let none = OutgoingDescriptors()

    private(set) var numbers: [Int64] = []
    private var held: [HeldLease] = []
    private var moves: [any EndMove] = []

    private init() {}

    /// - Throws: `.closed`, `.busy`.
    init(_ owners: [any DescriptorOwner]) throws(IPCError) {
        for owner in owners { try add(owner.descriptorCore) }
    }

    /// - Throws: `.closed`, `.busy`, `.endpointMoved`.
    init(_ attachments: [any OutgoingAttachment]) throws(IPCError) {
        for case let attached as AttachedObject in attachments {
            // First, for a receiver that others wait on is busy, and not closed.
            if let moving = attached.moving { moves.append(try moving.beginMove()) }
            try add(attached.core)
        }
    }

    private mutating func add(_ core: DescriptorCore) throws(IPCError) {
        held.append(try HeldLease(toSend: core))
        numbers.append(core.lent)
    }

    /// What moves has moved.
    func areSent() { for move in moves { move.finish() } }
}
#endif
