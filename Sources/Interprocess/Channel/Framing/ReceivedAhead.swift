// SPDX-License-Identifier: MIT OR Apache-2.0

/// What a receiver has received ahead of what was asked for: it moves with the receiver.
struct ReceivedAhead: Sendable {
    /// A message of which some parts have come.
    struct PartialMessage: Sendable {
        let identifier: UInt64
        let total: Int
        let bytes: [UInt8]
    }

    /// What is left of a packet, which are whole frames without attachments.
    var packet: [UInt8] = []
    var messages: [PartialMessage] = []
}
