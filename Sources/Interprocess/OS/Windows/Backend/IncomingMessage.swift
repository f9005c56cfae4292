// SPDX-License-Identifier: MIT OR Apache-2.0

#if os(Windows)
internal import CInterprocess

/// A message that is being received, part by part.
struct IncomingMessage {
    private let limit: Int
    private var bytes: [UInt8] = []
    private var length = 0

    init(limit: Int) { self.limit = limit }

    /// Receives all parts of a message, without waiting: only the first one may not have come.
    ///
    /// - Returns: The message's length; "would block", or another negated error code.
    mutating func receive(_ core: DescriptorCore) -> Int64 {
        (bytes, length) = ([], 0)
        while true {
            var received = 0
            let result = System.call(.receive) { receivePart(core.mailbox, &received) }
            length += received
            if result >= 0 { return Int64(length) }
            if result == -PipeCode.moreData { continue }
            if result != -cip_codes.would_block || length == 0 { return result }
            // Its sender has taken back the rest of it, so it was none.
            (bytes, length) = ([], 0)
        }
    }

    private mutating func receivePart(_ mailbox: Mailbox, _ received: inout Int) -> Int64 {
        var result: Int64 = 0
        // One byte beyond the limit tells that the message is too long.
        let room = min(limit, Int.max - 1) + 1 - length
        if room > 0 {
            _ = unsafe bytes.append(atMost: min(room, max(4096, length))) { memory, count in
                result = unsafe mailbox.read(memory, count, &received)
                return Int64(received)
            }
        } else {
            // The rest of it goes nowhere.
            unsafe withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 16) { memory in
                result = unsafe mailbox.read(memory.baseAddress.unsafelyUnwrapped, memory.count, &received)
            }
        }
        return result
    }

    /// The message, once it is whole; `nil` if the result is the end of the stream.
    ///
    /// - Throws: `.messageTooLarge`; or what the result means.
    func whole(_ result: Int64, _ core: DescriptorCore) throws(IPCError) -> [UInt8]? {
        if PipeCode.isEndOfStream(result) { return nil }
        if result < 0 { throw core.error(result: result, .read) }
        if length > limit { throw core.error(.messageTooLarge, .read).adding(bytesTransferred: length) }
        return bytes
    }
}
#endif
