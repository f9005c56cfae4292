// SPDX-License-Identifier: MIT OR Apache-2.0

#if canImport(Darwin) || os(Windows)
/// Descriptors that go with a message: none, where values cannot have any in them yet.
struct OutgoingDescriptors: Sendable {
    static let none = OutgoingDescriptors()

    var numbers: [Int64] { [] }

    private init() {}

    /// - Throws: `.unsupported`.
    init(_ attachments: [any OutgoingAttachment]) throws(IPCError) {
        if attachments.isEmpty { return }
        throw IPCError(
            .unsupported,
            .write,
            detail: "values with descriptors in them cannot be sent on this system yet"
        )
    }

    func areSent() {}
}
#endif
