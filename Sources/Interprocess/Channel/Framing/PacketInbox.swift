// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess

/// What has come in packets, and the messages that it makes.
///
/// It believes nothing that it is told: memory is taken as bytes arrive, and what cannot be is a failure of the message
/// or packet that it is in, and of nothing else.
@safe
// Sendable: its memory is nobody else's, and goes with it from thread to thread.
struct PacketInbox: ~Copyable, @unchecked Sendable {
    /// A message, whose memory lasts until the next one is asked for.
    @safe
    struct Message: @unchecked Sendable {
        let bytes: UnsafeRawBufferPointer
        let attachments: ReceivedDescriptors?
    }

    enum Next {
        case message(Message)
        /// Another packet has to come.
        case none
        /// What came cannot be used.
        case failure(Failure)
    }

    struct Failure: Error {
        let code: IPCError.Code
        let detail: String

        static let malformed = Failure(
            code: .protocolViolation,
            detail: "a packet came that no sender of a channel sends"
        )
        static let tooLarge = Failure(
            code: .messageTooLarge,
            detail: "a message came that is larger than the limit"
        )
        static let cut = Failure(
            code: .resourcesExhausted,
            detail: "a message came with more descriptors than this process has room for, and is lost"
        )
        static let dropped = Failure(
            code: .resourcesExhausted,
            detail: "too many large messages were arriving at the same time: one that made no progress is lost"
        )
    }

    /// One byte more than any packet has, to tell one that has too many.
    private static let capacity = FrameHead.maximumPacket + PacketTransport.trailerCapacity + 1

    /// How large a message may be.
    let limit: Int
    private var memory: UnsafeMutableRawPointer?
    private var numbers: UnsafeMutablePointer<Int64>?
    /// What is left of the packet.
    private var start = 0
    private var end = 0
    private var attachments: ReceivedDescriptors?
    private var wasCut = false
    private var assemblies = Assemblies()
    /// What the last message was in, if that was not the packet.
    private var delivered: Assembly?

    init(limit: Int) { self.limit = limit }

    deinit {
        unsafe memory?.deallocate()
        unsafe numbers?.deallocate()
    }

    /// Whether there is nothing more to take out of the packet.
    var isEmpty: Bool { start == end }

    /// Lets a call receive the next packet, once this one is empty.
    ///
    /// - Parameter receive: Receives into a message, which has room for what a packet may have.
    /// - Returns: Its result.
    @inline(__always)
    mutating func fill(_ receive: (inout cip_message) -> Int64) -> Int64 {
        let memory = unsafe memory ?? allocate()
        var buffer = unsafe cip_buffer(base: memory, count: Self.capacity)
        return unsafe withUnsafeMutablePointer(to: &buffer) { buffer in
            var message = unsafe cip_message()
            unsafe message.buffers = buffer
            unsafe message.buffer_count = 1
            unsafe message.descriptors = numbers
            unsafe message.descriptor_count = Int(CIP_MAXIMUM_DESCRIPTORS)
            let result = unsafe receive(&message)
            if result < 0 { return result }
            start = 0
            end = Int(result)
            unsafe takeDescriptors(message)
            return result
        }
    }

    @inline(never)
    private mutating func allocate() -> UnsafeMutableRawPointer {
        let allocated = UnsafeMutableRawPointer.allocate(byteCount: Self.capacity, alignment: 16)
        unsafe memory = allocated
        unsafe numbers = .allocate(capacity: Int(CIP_MAXIMUM_DESCRIPTORS))
        return unsafe allocated
    }

    private mutating func takeDescriptors(_ message: cip_message) {
        wasCut = unsafe message.descriptors_lost
        let numbers = unsafe UnsafeBufferPointer(start: numbers, count: message.descriptor_count)
        attachments = numbers.isEmpty ? nil : ReceivedDescriptors(unsafe Array(numbers))
    }

    /// Takes out the next message that is whole.
    mutating func next() -> Next {
        delivered = nil
        while !isEmpty {
            do throws(Failure) {
                if let message = try takeFrame() { return .message(message) }
            } catch {
                return .failure(error)
            }
        }
        attachments = nil
        return .none
    }

    /// Takes out a frame; returns the message that is whole with it.
    private mutating func takeFrame() throws(Failure) -> Message? {
        guard let memory = unsafe memory, end <= FrameHead.maximumPacket, end - start >= FrameHead.size,
            let head = unsafe FrameHead(memory + start), head.byteCount <= end - start - FrameHead.size
        else {
            start = end
            throw .malformed
        }
        let bytes = unsafe UnsafeRawBufferPointer(start: memory + start + FrameHead.size, count: head.byteCount)
        start += FrameHead.size + head.byteCount
        let attachments: ReceivedDescriptors?
        do throws(Failure) {
            attachments = try takeAttachments(head.attachmentCount)
        } catch {
            // The message that it would have ended is lost.
            if head.kind == .part && bytes.count >= FrameHead.partPrefix { unsafe assemblies.remove(identifier(bytes)) }
            throw error
        }
        switch head.kind {
        case .message:
            if bytes.count > limit { throw .tooLarge }
            return unsafe Message(bytes: bytes, attachments: attachments)
        case .firstPart:
            guard bytes.count >= FrameHead.firstPartPrefix, attachments == nil else { throw .malformed }
            let total = unsafe UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            if total > UInt64(limit) { throw .tooLarge }
            let part = unsafe UnsafeRawBufferPointer(rebasing: bytes[FrameHead.firstPartPrefix...])
            let isFull = try unsafe assemblies.begin(identifier(bytes), Int(total), part)
            if isFull { throw .dropped }
            return nil
        case .part:
            if bytes.count < FrameHead.partPrefix { throw .malformed }
            let part = unsafe UnsafeRawBufferPointer(rebasing: bytes[FrameHead.partPrefix...])
            guard let whole = try unsafe assemblies.add(part, to: identifier(bytes)) else {
                if attachments == nil { return nil }
                // They come with the last part, and not before.
                unsafe assemblies.remove(identifier(bytes))
                throw .malformed
            }
            delivered = whole
            return unsafe Message(bytes: whole.bytes, attachments: attachments)
        case .abandonment:
            if bytes.count != FrameHead.partPrefix || head.attachmentCount > 0 { throw .malformed }
            unsafe assemblies.remove(identifier(bytes))
            return nil
        }
    }

    private func identifier(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        unsafe UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
    }

    /// Those of one frame, which has a packet for itself if it has any.
    private mutating func takeAttachments(_ count: Int) throws(Failure) -> ReceivedDescriptors? {
        if count == 0 { return nil }
        if wasCut { throw .cut }
        guard let taken = attachments, taken.count == count else {
            start = end
            throw .malformed
        }
        attachments = nil
        return taken
    }
}

// MARK: - Moving to another process

extension PacketInbox {
    /// What has come, and has not been taken out.
    var ahead: ReceivedAhead {
        var ahead = ReceivedAhead(messages: assemblies.partialMessages)
        if let memory = unsafe memory, !isEmpty {
            ahead.packet = unsafe Array(UnsafeRawBufferPointer(start: memory + start, count: end - start))
        }
        return ahead
    }

    /// Goes on from where another one was.
    mutating func receive(_ ahead: ReceivedAhead) throws(Failure) {
        if ahead.packet.count > FrameHead.maximumPacket || ahead.messages.count > Assemblies.most { throw .malformed }
        for message in ahead.messages {
            if message.total > limit { throw .tooLarge }
            try assemblies.begin(message)
        }
        if ahead.packet.isEmpty { return }
        unsafe UnsafeMutableRawBufferPointer(start: allocate(), count: Self.capacity).copyBytes(from: ahead.packet)
        end = ahead.packet.count
    }
}
