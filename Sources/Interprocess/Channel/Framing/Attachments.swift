// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess

/// The descriptors that came with a message, each of which is claimed once, or closed in the end.
@safe
final class Attachments: @unchecked Sendable {
    // Whoever has the message has these, and hands them to one decoder.
    private var descriptors: [Int64]

    static let none = Attachments([])

    init(_ descriptors: [Int64]) { self.descriptors = descriptors }

    deinit {
        for descriptor in descriptors where descriptor >= 0 { _ = cip_close(descriptor) }
    }

    var count: Int { descriptors.count }

    /// Hands out one of them; `nil` if there is none of that number, or it was handed out before.
    func claim(_ index: Int) -> OwnedDescriptor? {
        guard descriptors.indices.contains(index), descriptors[index] >= 0 else { return nil }
        defer { descriptors[index] = -1 }
        return OwnedDescriptor(descriptors[index])
    }
}
