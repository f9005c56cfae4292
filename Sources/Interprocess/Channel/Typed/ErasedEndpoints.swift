// SPDX-License-Identifier: MIT OR Apache-2.0

// Endpoints without the type of their messages, for those who hand them on, or keep many of different types.

extension IPCSender {
    /// The same end without the type of its messages: closing the one closes the other.
    ///
    /// Sent in a message, it can be taken out with the type again, and one with a type can be taken out without.
    ///
    /// - Throws: ``IPCError/Code/unsupported`` for a channel inside one process, whose values are not coded.
    public var erased: IPCBytesSender {
        get throws(IPCError) {
            if memory != nil { throw IPCError.isInProcess(.configure) }
            return IPCBytesSender(packets)
        }
    }

    /// Gives an end its type again.
    ///
    /// If it is another type, the receiver gets ``IPCError/Code/decodingFailed`` instead of each value.
    ///
    /// - Parameter sender: The end without a type. Closing the one closes the other.
    public convenience init(retyping sender: IPCBytesSender) { self.init(sender.packets) }
}

extension IPCReceiver {
    /// The same end without the type of its messages, which it receives undecoded: closing the one closes the other.
    ///
    /// Sent in a message, it can be taken out with the type again, and one with a type can be taken out without.
    ///
    /// - Throws: ``IPCError/Code/unsupported`` for a channel inside one process, whose values are not coded.
    public var erased: IPCBytesReceiver { get throws(IPCError) { IPCBytesReceiver(try coded) } }

    /// Where its messages come coded.
    var coded: PacketReceiver {
        get throws(IPCError) {
            if memory != nil { throw IPCError.isInProcess(.configure) }
            return packets
        }
    }

    /// Gives an end its type again.
    ///
    /// If it is another type, receiving throws ``IPCError/Code/decodingFailed`` instead of each value.
    ///
    /// - Parameter receiver: The end without a type. Closing the one closes the other.
    public convenience init(retyping receiver: IPCBytesReceiver) { self.init(receiver.packets) }
}

extension IPCBytesSender: Codable {
    /// Takes a sender out of a message: one of this process's own, for the same channel.
    ///
    /// What holds for it are the ``IPCChannel/Options`` as they are by default, whatever they were for the other end.
    ///
    /// - Parameter decoder: The decoder of a channel.
    /// - Throws: What the decoder throws when there is none; ``IPCError`` when what came is something else.
    public convenience init(from decoder: any Decoder) throws {
        self.init(try decoder.claimSender(), limit: IPCChannel.Options().maximumMessageSize)
    }

    /// Puts a sender into a message: who gets it has one, too.
    ///
    /// - Parameter encoder: The encoder of a channel.
    /// - Throws: ``IPCError/Code/encodingFailed`` for any other encoder; what the encoder throws.
    public func encode(to encoder: any Encoder) throws {
        try encoder.encode(attachment: AttachedObject(kind: .sender, core: descriptorCore))
    }
}

extension IPCBytesReceiver: Codable {
    /// Takes a receiver out of a message.
    ///
    /// What holds for it are the ``IPCChannel/Options`` as they are by default, whatever they were where it comes from.
    ///
    /// - Parameter decoder: The decoder of a channel.
    /// - Throws: What the decoder throws when there is none; ``IPCError`` when what came is something else.
    public convenience init(from decoder: any Decoder) throws {
        self.init(try PacketReceiver(from: decoder))
    }

    /// Puts a receiver into a message: it moves to who gets it, once the message is sent.
    ///
    /// - Parameter encoder: The encoder of a channel.
    /// - Throws: ``IPCError/Code/encodingFailed`` for any other encoder; ``IPCError/Code/busy`` while somebody receives
    ///   from it; ``IPCError/Code/endpointMoved``; what the encoder throws.
    public func encode(to encoder: any Encoder) throws {
        try packets.encode(to: encoder)
    }
}
