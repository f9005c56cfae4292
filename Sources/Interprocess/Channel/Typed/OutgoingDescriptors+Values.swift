// SPDX-License-Identifier: MIT OR Apache-2.0

extension OutgoingDescriptors {
    /// - Throws: `.closed`, `.busy`, `.endpointMoved`.
    init(_ attachments: [any OutgoingAttachment]) throws(IPCError) {
        self.init()
        for case let attached as AttachedObject in attachments {
            // First, for a receiver that others wait on is busy, and not closed.
            if let moving = attached.moving { moves.append(try moving.beginMove()) }
            try add(attached.core)
        }
    }
}
