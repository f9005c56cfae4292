// SPDX-License-Identifier: MIT OR Apache-2.0

/// Descriptors that go with a message, and that are not closed until it is sent.
struct OutgoingDescriptors: Sendable {
    static let none = OutgoingDescriptors()

    private(set) var numbers: [Int64] = []
    private var held: [HeldLease] = []

    private init() {}

    /// - Throws: `.closed`, `.busy`.
    init(_ owners: [any DescriptorOwner]) throws(IPCError) {
        for owner in owners {
            held.append(try HeldLease(toSend: owner.descriptorCore))
            numbers.append(owner.descriptorCore.lent)
        }
    }
}
