// SPDX-License-Identifier: MIT OR Apache-2.0

#if canImport(Darwin) || INTERPROCESS_STREAM_CHANNELS
internal import CInterprocess

/// Frames that come in a stream: those that are whole are a packet.
///
/// Descriptors come with the first bytes of their frame, and the system ends a read before those that come next. As long as
/// that frame is not whole nothing of what follows is read, so that there is never more than one such frame at a time.
struct IncomingFrames: ~Copyable {
    /// The beginning of a frame.
    private var beginning: [UInt8] = []
    /// The descriptors of a frame that is not whole yet.
    private var descriptors: ReceivedNumbers?
    private var isSpoilt = false

    /// Those that are closed unless they are taken.
    private final class ReceivedNumbers {
        var numbers: [Int64]
        let areLost: Bool

        init(_ numbers: [Int64], areLost: Bool) {
            self.numbers = numbers
            self.areLost = areLost
        }

        deinit { for number in numbers { _ = cip_close(number) } }
    }

    /// What is in some bytes: how many of them are whole frames, and whether one of these has descriptors.
    private struct Found {
        var count = 0
        var hasDescriptors = false
        var isSpoilt = false

        init(_ memory: UnsafeRawPointer, _ total: Int) {
            while total - count >= FrameHead.size {
                guard let head = unsafe FrameHead(memory + count),
                    head.byteCount <= FrameHead.maximumPacket - FrameHead.size
                else {
                    isSpoilt = true
                    return
                }
                if count + FrameHead.size + head.byteCount > total { return }
                count += FrameHead.size + head.byteCount
                if head.attachmentCount > 0 { hasDescriptors = true }
            }
        }
    }

    /// Receives a packet into a message, as `cip_receive_message` does.
    mutating func receive(_ descriptor: Int64, _ message: inout cip_message, wait: Bool) -> Int64 {
        let room = unsafe message.descriptor_count
        unsafe message.descriptor_count = 0
        if isSpoilt { return 0 }
        let base = unsafe message.buffers.unsafelyUnwrapped.pointee.base.unsafelyUnwrapped
        var (count, delivered) = (beginning.count, 0)
        unsafe beginning.withUnsafeBytes {
            if let start = $0.baseAddress { unsafe base.copyMemory(from: start, byteCount: $0.count) }
        }
        defer { unsafe beginning = Array(UnsafeRawBufferPointer(start: base + delivered, count: count - delivered)) }
        while true {
            let result = unsafe read(descriptor, base, count, room, message.descriptors, wait: wait)
            if result < 0 || result == 0 && count == 0 { return result }
            count += Int(result)
            let found = unsafe Found(base, count)
            // What is no frame, or was cut by the end of the stream, makes an error, and then the end.
            isSpoilt = found.isSpoilt || result == 0
            if found.count == 0 && !isSpoilt { continue }
            delivered = isSpoilt ? count : found.count
            if found.hasDescriptors || isSpoilt || count == found.count { unsafe deliver(&message) }
            return Int64(delivered)
        }
    }

    private mutating func deliver(_ message: inout cip_message) {
        guard let present = descriptors.take() else { return }
        for (index, number) in present.numbers.enumerated() { unsafe message.descriptors?[index] = number }
        unsafe message.descriptor_count = present.numbers.count
        unsafe message.descriptors_lost = present.areLost
        present.numbers = []
    }

    /// Reads more, behind what is here.
    private mutating func read(
        _ descriptor: Int64,
        _ base: UnsafeMutableRawPointer,
        _ count: Int,
        _ room: Int,
        _ numbers: UnsafeMutablePointer<Int64>?,
        wait: Bool
    ) -> Int64 {
        var buffer = unsafe cip_buffer(base: base + count, count: wanted(base, count))
        var part = unsafe cip_message()
        unsafe part.descriptors = numbers
        unsafe part.descriptor_count = room
        let result = unsafe withUnsafeMutablePointer(to: &buffer) { buffer in
            unsafe part.buffers = buffer
            unsafe part.buffer_count = 1
            return unsafe cip_receive_message(descriptor, &part, wait)
        }
        if result < 0 { return result }
        if unsafe part.descriptor_count > 0 || part.descriptors_lost {
            let came = unsafe Array(UnsafeBufferPointer(start: numbers, count: part.descriptor_count))
            // Should others be here, no sender of a channel has sent them: they go, and their frame has none.
            descriptors = unsafe ReceivedNumbers(came, areLost: part.descriptors_lost)
        }
        return result
    }

    /// How many bytes to ask for.
    private func wanted(_ base: UnsafeRawPointer, _ count: Int) -> Int {
        let all = FrameHead.maximumPacket - count
        if count == 0 { return all }
        if count < FrameHead.size { return descriptors == nil ? all : FrameHead.size - count }
        guard let head = unsafe FrameHead(base), head.attachmentCount > 0 else { return all }
        return FrameHead.size + head.byteCount - count
    }
}
#endif
