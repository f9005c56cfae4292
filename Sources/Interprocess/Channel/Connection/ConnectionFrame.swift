// SPDX-License-Identifier: MIT OR Apache-2.0

/// The head of a frame on a connection with one peer.
///
///     0..<4   how many bytes follow the head (little-endian)
///     4       what the frame is (`Kind`)
///     5       how many attachments belong to it
///     6       1 where it is the first part of a message that is larger than a frame, else 0
///     7       zero
///     8..<16  the number of the request that it is, or belongs to (little-endian); else zero
///
/// The body of a first part begins with the size of the whole, in 64 bits (little-endian). Its other parts follow, with
/// frames of other messages in between, but no other first part.
struct ConnectionFrame: Equatable {
    static let headSize = 16
    /// The largest frame, with its head.
    static let maximumSize = 64 << 10
    static let maximumBody = maximumSize - headSize
    static let totalSize = 8

    enum Kind: UInt8 {
        /// A message that wants no reply.
        case message = 0
        case request = 1
        case reply = 2
        /// There will be no reply to that request.
        case noReply = 3
        /// What follows of a message that is larger than a frame.
        case part = 4
        /// Instead of what would have followed: its sender has given it up.
        case abandonment = 5
        /// Who each side is: what both begin with.
        case hello = 6
        /// That a side knows the secret.
        case proof = 7
        /// Why there will be no connection.
        case refusal = 8

        /// Whether it is what users send, of any size up to the limit.
        var isValue: Bool { self == .message || self == .request || self == .reply }
    }

    var kind: Kind
    var byteCount: Int
    var attachmentCount = 0
    var isFirstPart = false
    var request: UInt64 = 0

    init(_ kind: Kind, byteCount: Int, request: UInt64 = 0) {
        self.kind = kind
        self.byteCount = byteCount
        self.request = request
    }

    /// Reads a head; `nil` if no frame begins so.
    init?(_ memory: UnsafeRawPointer) {
        let word = unsafe UInt64(littleEndian: memory.loadUnaligned(as: UInt64.self))
        let length = Int(word & 0xFFFF_FFFF)
        guard let kind = Kind(rawValue: UInt8(truncatingIfNeeded: word >> 32)), length <= Self.maximumBody,
            word >> 48 <= 1
        else { return nil }
        self.init(
            kind,
            byteCount: length,
            request: unsafe UInt64(littleEndian: memory.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        )
        attachmentCount = Int(word >> 40 & 0xFF)
        isFirstPart = word >> 48 == 1
    }

    /// The two words of the head, as they are in memory.
    var words: (UInt64, UInt64) {
        let flags = UInt64(UInt8(attachmentCount)) << 40 | (isFirstPart ? 1 << 48 : 0)
        let word = UInt64(UInt32(byteCount)) | UInt64(kind.rawValue) << 32 | flags
        return (word.littleEndian, request.littleEndian)
    }
}

/// The frames that a message is sent in, one after the other.
struct ConnectionFrames {
    let kind: ConnectionFrame.Kind
    let request: UInt64
    let count: Int
    let descriptors: OutgoingDescriptors
    private var sent = 0
    private(set) var areSent = false

    init(
        _ kind: ConnectionFrame.Kind,
        request: UInt64 = 0,
        count: Int,
        _ descriptors: OutgoingDescriptors = .none
    ) {
        self.kind = kind
        self.request = request
        self.count = count
        self.descriptors = descriptors
    }

    var isWhole: Bool { count <= ConnectionFrame.maximumBody }

    /// Whether some of it is sent, and not all.
    var hasBegun: Bool { sent > 0 && !areSent }

    private var isFirstPart: Bool { !isWhole && sent == 0 }

    /// How much of the message is in the next frame.
    private var partCount: Int {
        min(count - sent, ConnectionFrame.maximumBody - (isFirstPart ? ConnectionFrame.totalSize : 0))
    }

    /// The descriptors that go with the next frame.
    var passed: [Int64] { sent == 0 ? descriptors.numbers : [] }

    /// Lends what the next frame begins with, and the part of the message that follows.
    func withNext(
        _ bytes: UnsafeRawBufferPointer,
        _ body: (_ start: UnsafeRawBufferPointer, _ part: UnsafeRawBufferPointer) -> Int64
    ) -> Int64 {
        let prefix = isFirstPart ? ConnectionFrame.totalSize : 0
        var head = ConnectionFrame(
            sent > 0 ? .part : kind,
            byteCount: prefix + partCount,
            request: sent > 0 ? 0 : request
        )
        head.attachmentCount = passed.count
        head.isFirstPart = isFirstPart
        var start = (head.words.0, head.words.1, UInt64(count).littleEndian)
        return unsafe withUnsafeBytes(of: &start) { start in
            unsafe body(
                UnsafeRawBufferPointer(rebasing: start.prefix(ConnectionFrame.headSize + prefix)),
                UnsafeRawBufferPointer(rebasing: bytes[sent..<sent + partCount])
            )
        }
    }

    mutating func advance() {
        sent += partCount
        areSent = sent == count
    }
}
