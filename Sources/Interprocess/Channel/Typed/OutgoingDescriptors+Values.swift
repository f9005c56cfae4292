// SPDX-License-Identifier: MIT OR Apache-2.0

extension OutgoingDescriptors {
    /// - Throws: `.closed`, `.busy`.
    init(_ attachments: [any OutgoingAttachment]) throws(IPCError) {
        self.init()
        for case let attached as AttachedObject in attachments {
            try add(attached.core)
            if let move = attached.move { moves.append(move) }
        }
    }
}
