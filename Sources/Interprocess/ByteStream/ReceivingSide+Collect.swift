// SPDX-License-Identifier: MIT OR Apache-2.0

// Reading in several steps: what has come when a step fails is put back for the next read.

extension ReceivingSide {
    /// The most memory that is taken for bytes that may never come.
    static let step = 1 << 20

    func check(_ count: Int) throws(IPCError) {
        if count < 0 { throw core.error(.invalidArgument, .read, detail: "a number of bytes cannot be negative") }
    }

    /// Receives into an array until it has `count` bytes or the stream ends.
    ///
    /// - Returns: Whether it has them all.
    func collect(into bytes: inout [UInt8], atMost count: Int, _ patience: Patience) throws(IPCError) -> Bool {
        while bytes.count < count {
            let received: Int
            do throws(IPCError) {
                received = try unsafe bytes.append(atMost: bytes.nextStep(of: count)) {
                    (memory, room) throws(IPCError) -> Int in
                    try unsafe read(into: memory, room, patience)
                }
            } catch {
                throw putBack(bytes, error)
            }
            if received == 0 { return false }
        }
        return true
    }

    /// Receives until the memory is full.
    @inline(__always)
    func fill(_ memory: UnsafeMutableRawBufferPointer, _ patience: Patience) throws(IPCError) {
        guard let base = memory.baseAddress else { return }
        var filled = 0
        while filled < memory.count {
            var failure: IPCError?
            do throws(IPCError) {
                let part = try unsafe read(into: base + filled, memory.count - filled, patience)
                if part == 0 { failure = core.error(.endOfStream, .read) }
                filled += part
            } catch {
                failure = error
            }
            if let failure { throw unsafe putBack(UnsafeRawBufferPointer(start: base, count: filled), failure) }
        }
    }

    /// - Throws: `.busy` when bytes wait in the read-ahead buffer, which would be lost with the descriptor.
    func checkNothingBuffered() throws(IPCError) {
        if bufferedByteCount == 0 { return }
        throw core.error(
            .busy,
            .detach,
            detail: "bytes were read ahead that nobody has asked for: take them first (takeBuffered)"
        )
    }

    func prematureEnd(returning bytes: [UInt8]) -> IPCError { putBack(bytes, core.error(.endOfStream, .read)) }

    /// Keeps bytes for the next read, and tells of them in the error.
    func putBack(_ bytes: [UInt8], _ error: IPCError) -> IPCError {
        unsafe bytes.withUnsafeBytes { unsafe putBack($0, error) }
    }

    func putBack(_ bytes: UnsafeRawBufferPointer, _ error: IPCError) -> IPCError {
        // Nothing needs no buffer, which would be in the way of all reads from then on.
        if unsafe bytes.isEmpty { return error }
        unsafe readAhead.putBack(bytes)
        return error.adding(bytesTransferred: bytes.count)
    }
}

extension [UInt8] {
    /// How many bytes to make room for next, on the way to a total.
    ///
    /// Twice as many each time: memory follows what has come, and all is copied once on the average.
    func nextStep(of total: Int) -> Int {
        Swift.min(total, count < capacity ? capacity : Swift.max(4096, 2 * count)) - count
    }

    /// Appends up to `room` bytes that a closure puts into memory; returns what the closure does: their number, or less
    /// than 0.
    mutating func append<Count: SignedInteger, Failure: Error>(
        atMost room: Int,
        _ receive: (UnsafeMutableRawPointer, Int) throws(Failure) -> Count
    ) throws(Failure) -> Count {
        var received: Count = 0
        try append(addingCapacity: room) { (buffer: inout OutputSpan<UInt8>) throws(Failure) in
            received = try unsafe buffer.withUnsafeMutableBufferPointer { (memory, used) throws(Failure) -> Count in
                guard let base = memory.baseAddress else { return 0 }
                let result = try unsafe receive(base, room)
                used += Int(Swift.max(0, result))
                return result
            }
        }
        return received
    }
}
