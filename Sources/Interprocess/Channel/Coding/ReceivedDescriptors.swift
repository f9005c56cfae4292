// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess

/// The descriptors that came with a message, each of which is claimed once, or closed in the end.
final class ReceivedDescriptors: Sendable {
    private let descriptors: Locked<[Int64]>
    let count: Int

    static let empty = ReceivedDescriptors([])

    init(_ descriptors: [Int64]) {
        count = descriptors.count
        self.descriptors = Locked(descriptors)
    }

    deinit {
        descriptors.withLock { descriptors in
            for descriptor in descriptors where descriptor >= 0 { _ = cip_close(descriptor) }
        }
    }

    /// Hands out one of them; `nil` if there is none of that number, or it was handed out before.
    func claim(_ index: Int) -> OwnedDescriptor? {
        let claimed = descriptors.withLock { descriptors -> Int64 in
            guard descriptors.indices.contains(index) else { return -1 }
            defer { descriptors[index] = -1 }
            return descriptors[index]
        }
        return claimed < 0 ? nil : OwnedDescriptor(claimed)
    }
}
