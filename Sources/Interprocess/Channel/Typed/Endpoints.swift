// SPDX-License-Identifier: MIT OR Apache-2.0

// What can be anywhere in a value that is sent: it travels as a descriptor, beside the bytes.

extension AttachmentKind {
    static let sender = AttachmentKind(rawValue: 1)
    static let receiver = AttachmentKind(rawValue: 2)
    static let region = AttachmentKind(rawValue: 3)
    static let descriptor = AttachmentKind(rawValue: 4)
    static let stream = AttachmentKind(rawValue: 5)
}

/// An object that a value has in it.
struct AttachedObject: OutgoingAttachment {
    let kind: AttachmentKind
    let core: DescriptorCore
    /// Its move, if it is not merely copied.
    var move: (any EndMove)?
}

extension Encoder {
    func encode(attachment: AttachedObject) throws {
        guard let encoder = self as? any AttachmentEncoder else {
            throw IPCError(.encodingFailed, .encode, detail: "descriptors can be sent by channels alone")
        }
        try encoder.encode(attachment: attachment)
    }
}

extension Decoder {
    func claim(_ kind: AttachmentKind) throws -> OwnedDescriptor {
        guard let decoder = self as? any AttachmentDecoder else {
            throw IPCError(.decodingFailed, .decode, detail: "descriptors can be received by channels alone")
        }
        return try decoder.claimAttachment(kind)
    }

    func claimSender() throws -> DescriptorCore {
        try PacketTransport.adopt(claim(.sender), toReceive: false, isShared: true)
    }
}

extension IPCSender: Codable {
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
    /// - Throws: ``IPCError/Code/encodingFailed`` for any other encoder; ``IPCError/Code/unsupported`` for an end of a
    ///   channel inside one process; what the encoder throws.
    public func encode(to encoder: any Encoder) throws {
        if memory != nil { throw IPCError.isInProcess(.encode) }
        try encoder.encode(attachment: AttachedObject(kind: .sender, core: descriptorCore))
    }
}

extension IPCReceiver: Codable {
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
    /// - Throws: ``IPCError/Code/encodingFailed`` for any other encoder; ``IPCError/Code/unsupported`` for an end of a
    ///   channel inside one process; ``IPCError/Code/busy`` while somebody receives from it;
    ///   ``IPCError/Code/endpointMoved``; what the encoder throws.
    public func encode(to encoder: any Encoder) throws {
        if memory != nil { throw IPCError.isInProcess(.encode) }
        try packets.encode(to: encoder)
    }
}

extension SharedRegion: Codable {
    /// Takes a region out of a message, and maps it.
    ///
    /// - Parameter decoder: The decoder of a channel.
    /// - Throws: What the decoder throws when there is none; ``IPCError`` when what came is something else.
    public convenience init(from decoder: any Decoder) throws {
        let owned = try decoder.claim(.region)
        try self.init(adopting: RawDescriptor(owned.raw))
        _ = owned.release()
    }

    /// Puts a region into a message: who gets it can read it.
    ///
    /// - Parameter encoder: The encoder of a channel.
    /// - Throws: ``IPCError/Code/encodingFailed`` for any other encoder; what the encoder throws.
    public func encode(to encoder: any Encoder) throws {
        try encoder.encode(attachment: AttachedObject(kind: .region, core: descriptorCore))
    }
}

extension IPCDescriptor: Codable {
    /// Takes a descriptor out of a message.
    ///
    /// - Parameter decoder: The decoder of a channel.
    /// - Throws: What the decoder throws when there is none; ``IPCError`` when what came is something else.
    public convenience init(from decoder: any Decoder) throws {
        self.init(try decoder.claim(.descriptor), name: "a received descriptor")
    }

    /// Puts a descriptor into a message: who gets it has one for the same thing.
    ///
    /// - Parameter encoder: The encoder of a channel.
    /// - Throws: ``IPCError/Code/encodingFailed`` for any other encoder; what the encoder throws.
    public func encode(to encoder: any Encoder) throws {
        try encoder.encode(attachment: AttachedObject(kind: .descriptor, core: descriptorCore))
    }
}

extension LocalSocketStream: Codable {
    /// Takes a stream out of a message.
    ///
    /// - Parameter decoder: The decoder of a channel.
    /// - Throws: What the decoder throws when there is none; ``IPCError`` when what came is something else.
    public convenience init(from decoder: any Decoder) throws {
        let owned = try decoder.claim(.stream)
        try self.init(adopting: RawDescriptor(owned.raw))
        _ = owned.release()
    }

    /// Puts a stream into a message: who gets it has it, too.
    ///
    /// Bytes that were read ahead must be taken first: with them, encoding fails.
    ///
    /// - Parameter encoder: The encoder of a channel.
    /// - Throws: ``IPCError/Code/encodingFailed`` for any other encoder; what the encoder throws.
    public func encode(to encoder: any Encoder) throws {
        try receivingSide.checkNothingBuffered()
        try encoder.encode(attachment: AttachedObject(kind: .stream, core: descriptorCore))
    }
}
