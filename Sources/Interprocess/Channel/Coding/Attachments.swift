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
        let index = Int(try memory.number(UInt32.self, at: place.advanced(by: 2)))
        guard let descriptor = attachments.claim(index) else {
            throw CodingFailure("attachment \(index) is missing, or there twice")
        }
        return descriptor
    }
}
