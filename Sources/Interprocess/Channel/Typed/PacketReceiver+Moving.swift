// SPDX-License-Identifier: MIT OR Apache-2.0

/// A receiver in a message: its descriptor, and what was received ahead by whoever sends it.
extension PacketReceiver: Codable {
    private enum CodingKeys: CodingKey { case end, packet, messages }

    convenience init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        let end = try fields.superDecoder(forKey: .end).claim(.receiver)
        let ahead = ReceivedAhead(
            packet: try fields.decodeIfPresent([UInt8].self, forKey: .packet) ?? [],
            messages: try fields.decodeIfPresent([ReceivedAhead.PartialMessage].self, forKey: .messages) ?? []
        )
        // Nobody else has it: whoever sent it has none any more.
        let core = try PacketTransport.adopt(end, toReceive: true, isShared: false)
        try self.init(core, limit: IPCChannel.Options().maximumMessageSize, ahead)
    }

    func encode(to encoder: any Encoder) throws {
        // From now on nothing is received, so that nothing is received twice.
        let move = try beginMove()
        var fields = encoder.container(keyedBy: CodingKeys.self)
        let end = AttachedObject(kind: .receiver, core: core, move: move)
        try fields.superEncoder(forKey: .end).encode(attachment: end)
        let ahead = move.ahead
        if !ahead.packet.isEmpty { try fields.encode(ahead.packet, forKey: .packet) }
        if !ahead.messages.isEmpty { try fields.encode(ahead.messages, forKey: .messages) }
    }
}

extension ReceivedAhead.PartialMessage: Codable {
    private enum CodingKeys: CodingKey { case identifier, total, bytes }

    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        identifier = try fields.decode(UInt64.self, forKey: .identifier)
        total = try fields.decode(Int.self, forKey: .total)
        bytes = try fields.decode([UInt8].self, forKey: .bytes)
    }

    func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(identifier, forKey: .identifier)
        try fields.encode(total, forKey: .total)
        try fields.encode(bytes, forKey: .bytes)
    }
}
