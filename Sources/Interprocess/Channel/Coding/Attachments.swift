// SPDX-License-Identifier: MIT OR Apache-2.0

/// What an attachment is, which both sides must agree on.
struct AttachmentKind: RawRepresentable, Hashable, Sendable {
    let rawValue: UInt8
}

/// What a value sends along beside its bytes.
///
/// Encoding only collects them: a message that cannot be encoded, or sent, changes nothing.
protocol OutgoingAttachment: Sendable {
    var kind: AttachmentKind { get }
}

/// An encoder whose messages can have attachments: values find out by a cast, and throw if theirs is none.
protocol AttachmentEncoder: Encoder {
    /// Encodes a value as an attachment.
    ///
    /// - Throws: A failure, where there are too many, or the value has been written already.
    func encode(attachment: any OutgoingAttachment) throws
}

/// A decoder of such messages.
protocol AttachmentDecoder: Decoder {
    /// Takes over the descriptor of the attachment that the value is.
    ///
    /// - Throws: A failure, where the value is no attachment of that kind, or its attachment is missing or taken.
    func claimAttachment(_ kind: AttachmentKind) throws -> OwnedDescriptor
}

/// The descriptors that came with a message: each can be claimed once; those that nobody claims are closed with it.
final class ReceivedAttachments {
    private var descriptors: [Int64]

    /// - Parameter descriptors: What came, in order. They belong to this from now on.
    init(_ descriptors: [Int64]) { self.descriptors = descriptors }

    deinit {
        for descriptor in descriptors where descriptor >= 0 { _ = OwnedDescriptor(descriptor) }
    }

    func claim(_ index: Int) throws -> OwnedDescriptor {
        guard descriptors.indices.contains(index) else { throw CodingFailure("attachment \(index) is missing") }
        let descriptor = descriptors[index]
        if descriptor < 0 { throw CodingFailure("attachment \(index) is there twice") }
        descriptors[index] = -1
        return OwnedDescriptor(descriptor)
    }
}

extension ValueEncoder: AttachmentEncoder {
    func encode(attachment: any OutgoingAttachment) throws {
        try beginSingle()
        let index = try core.attach(attachment)
        memory.append(Kind.attachment)
        memory.append(attachment.kind.rawValue)
        memory.append(UInt32(truncatingIfNeeded: index))
    }
}

extension ValueDecoder: AttachmentDecoder {
    func claimAttachment(_ kind: AttachmentKind) throws -> OwnedDescriptor {
        let place = try use()
        guard try memory.kind(at: place) == .attachment else { throw memory.mismatch(at: place, "an attachment") }
        let found = try memory.number(UInt8.self, at: place.advanced(by: 1))
        if found != kind.rawValue {
            throw CodingFailure("the attachment is of kind \(found), and kind \(kind.rawValue) is needed")
        }
        guard let attachments = core.attachments else { throw CodingFailure("the message has no attachments") }
        return try attachments.claim(Int(memory.number(UInt32.self, at: place.advanced(by: 2))))
    }
}
