// SPDX-License-Identifier: MIT OR Apache-2.0

/// What has come on a stream, and the messages that it makes.
///
/// It believes nothing that it is told: memory is taken as bytes arrive. What no sender of ours sends ends the
/// connection, for nothing tells where the next frame would begin.
@safe
// Sendable: its memory is nobody else's, and goes with it from thread to thread.
struct FrameInbox: ~Copyable, @unchecked Sendable {
    /// A message, whose memory lasts until the next one is asked for.
    @safe
    struct Message: @unchecked Sendable {
        let kind: ConnectionFrame.Kind
        let request: UInt64
        let bytes: UnsafeRawBufferPointer
        /// `nil` when this process had no room for the descriptors, which are lost.
        let attachments: ReceivedDescriptors?
    }

    /// Why what came is no message.
    struct Violation: Error {
        let detail: String

        static let malformed = Violation(detail: "the peer has sent what is no message of a connection")
        static let tooLarge = Violation(detail: "the peer has sent a message that is larger than the limit")
        static let descriptors = Violation(detail: "the peer has sent descriptors that belong to no message")
    }

    /// How large a message may be.
    var limit: Int
    private var memory: UnsafeMutableRawPointer?
    private var start = 0
    private var end = 0
    /// The descriptors of frames that have not been taken out, by frame.
    private var attachments: [ReceivedDescriptors?] = []
    private var large: Large?
    /// What the last message was in, if that was not the buffer.
    private var delivered: Assembly?

    /// A message that arrives in parts.
    private struct Large {
        let head: ConnectionFrame
        let assembly: Assembly
        let isLost: Bool
    }

    init(limit: Int) { self.limit = limit }

    deinit { unsafe memory?.deallocate() }

    /// Lets a call receive behind what is here.
    ///
    /// - Parameter receive: Receives into memory, and tells of descriptors.
    /// - Returns: Its result.
    @safe
    mutating func fill(
        _ receive: (UnsafeMutableRawPointer, Int, (ReceivedDescriptors?) -> Void) -> Int64
    ) -> Int64 {
        let memory = unsafe memory ?? .allocate(byteCount: ConnectionFrame.maximumSize, alignment: 16)
        unsafe self.memory = memory
        if start > 0 {
            unsafe memory.copyMemory(from: memory + start, byteCount: end - start)
            end -= start
            start = 0
        }
        var arrived: [ReceivedDescriptors?] = []
        let result = unsafe receive(memory + end, ConnectionFrame.maximumSize - end) { arrived.append($0) }
        end += Int(max(0, result))
        attachments += arrived
        return result
    }

    /// Takes out the next message that is whole; `nil` when more has to come first.
    mutating func next() throws(Violation) -> Message? {
        delivered = nil
        while let memory = unsafe memory, end - start >= ConnectionFrame.headSize {
            guard let head = unsafe ConnectionFrame(memory + start) else { throw .malformed }
            let size = ConnectionFrame.headSize + head.byteCount
            if end - start < size { break }
            let bytes = unsafe UnsafeRawBufferPointer(
                start: memory + start + ConnectionFrame.headSize,
                count: head.byteCount
            )
            start += size
            if let message = try unsafe take(head, bytes) { return message }
        }
        // Those of a frame of which only the beginning has come may be here, and no others.
        if attachments.count > (start == end ? 0 : 1) { throw .descriptors }
        return nil
    }

    /// Takes a frame; returns the message that is whole with it.
    private mutating func take(
        _ head: ConnectionFrame,
        _ bytes: UnsafeRawBufferPointer
    ) throws(Violation) -> Message? {
        let attachments = try takeAttachments(head.attachmentCount)
        switch head.kind {
        case .part:
            guard let large, unsafe !bytes.isEmpty, bytes.count <= large.assembly.total - large.assembly.count,
                head.attachmentCount == 0, !head.isFirstPart
            else { throw .malformed }
            unsafe large.assembly.add(bytes)
            if large.assembly.count < large.assembly.total { return nil }
            delivered = large.assembly
            self.large = nil
            return unsafe Message(
                kind: large.head.kind,
                request: large.head.request,
                bytes: large.assembly.bytes,
                attachments: large.isLost ? nil : large.assembly.attachments
            )
        case .abandonment:
            guard large != nil, unsafe bytes.isEmpty, head.attachmentCount == 0, !head.isFirstPart else {
                throw .malformed
            }
            large = nil
            return nil
        default:
            if head.isFirstPart {
                try unsafe begin(head, bytes, attachments)
                return nil
            }
            if head.kind.isValue && bytes.count > limit { throw .tooLarge }
            return unsafe Message(kind: head.kind, request: head.request, bytes: bytes, attachments: attachments)
        }
    }

    private mutating func begin(
        _ head: ConnectionFrame,
        _ bytes: UnsafeRawBufferPointer,
        _ attachments: ReceivedDescriptors?
    ) throws(Violation) {
        guard large == nil, bytes.count > ConnectionFrame.totalSize, head.kind.isValue else { throw .malformed }
        let total = unsafe UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        if total > UInt64(max(0, limit)) { throw .tooLarge }
        let part = unsafe UnsafeRawBufferPointer(rebasing: bytes[ConnectionFrame.totalSize...])
        // There is more to come.
        if total <= UInt64(part.count) { throw .malformed }
        let assembly = Assembly(Int(total), attachments ?? .empty)
        unsafe assembly.add(part)
        large = Large(head: head, assembly: assembly, isLost: attachments == nil)
    }

    private mutating func takeAttachments(_ count: Int) throws(Violation) -> ReceivedDescriptors? {
        if count == 0 { return .empty }
        if attachments.isEmpty { throw .descriptors }
        let taken = attachments.removeFirst()
        if let taken, taken.count != count { throw .descriptors }
        return taken
    }
}
