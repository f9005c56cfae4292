// SPDX-License-Identifier: MIT OR Apache-2.0

#if !canImport(Darwin) && !os(Windows)
/// The head of a frame: what every message, or part of one, begins with on its way between processes.
///
///     0..<4   how many bytes follow the head (little-endian)
///     4       what the frame is (`Kind`)
///     5       how many attachments belong to it
///     6..<8   zero
///
/// Of a message that is larger than a packet, the first part begins with two more numbers of 64 bits (little-endian):
/// one by which its other parts are known, and the size of the whole. The other parts begin with the first of these.
struct FrameHead: Equatable {
    static let size = 8
    /// The largest packet, with all that is in it: 64 KiB of a user's, coded, and heads.
    static let maximumPacket = (64 << 10) + 128
    /// How many bytes the numbers take that parts begin with.
    static let firstPartPrefix = 16
    static let partPrefix = 8

    enum Kind: UInt8 {
        /// A whole message.
        case message = 0
        /// The beginning of a message that is larger than a packet.
        case firstPart = 1
        /// What follows of such a message.
        case part = 2
        /// Instead of what would have followed: its sender has given it up.
        case abandonment = 3
    }

    let kind: Kind
    let byteCount: Int
    let attachmentCount: Int

    init(_ kind: Kind, byteCount: Int, attachmentCount: Int) {
        self.kind = kind
        self.byteCount = byteCount
        self.attachmentCount = attachmentCount
    }

    /// The head of a whole message of so many bytes; `nil` if it is larger than a packet.
    @inline(__always)
    init?(whole byteCount: Int) {
        if byteCount > Self.maximumPacket - Self.size { return nil }
        self.init(.message, byteCount: byteCount, attachmentCount: 0)
    }

    /// Reads a head; `nil` if no frame begins so.
    init?(_ memory: UnsafeRawPointer) {
        let length = unsafe UInt32(littleEndian: memory.loadUnaligned(as: UInt32.self))
        let kind = unsafe Kind(rawValue: memory.load(fromByteOffset: 4, as: UInt8.self))
        let rest = unsafe memory.loadUnaligned(fromByteOffset: 6, as: UInt16.self)
        guard let kind, rest == 0, length <= Int32.max else { return nil }
        self.kind = kind
        byteCount = Int(length)
        attachmentCount = unsafe Int(memory.load(fromByteOffset: 5, as: UInt8.self))
    }

    /// Its bytes, in their order.
    var word: UInt64 {
        let word = UInt64(UInt32(byteCount)) | UInt64(kind.rawValue) << 32 | UInt64(UInt8(attachmentCount)) << 40
        return word.littleEndian
    }

    func store(to memory: UnsafeMutableRawPointer) { unsafe memory.storeBytes(of: word, as: UInt64.self) }
}
#endif
