// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess

/// The receiving direction of a descriptor: the one way in which all of the library's types receive bytes.
///
/// It has no public members. A stream and the receiving half that is split from it share one of these, and so its
/// read-ahead buffer.
public final class ReceivingSide: Sendable {
    let core: DescriptorCore
    let transport: Transport
    let connection: PendingConnection?
    /// Who may send, where that is asked of each message.
    let gate: Gate
    let settings: WaitSettings
    let spin: AdaptiveSpin
    let ahead = SetOnce<ReadAhead>()
    let turn = ReadingTurn()
    let guess = EmptinessGuess()

    init(
        _ core: DescriptorCore,
        _ transport: Transport,
        connection: PendingConnection? = nil,
        gate: Gate = .open,
        nonblocking: Bool = false,
        spinTime: Duration = .zero
    ) {
        self.core = core
        self.transport = transport
        self.connection = connection
        self.gate = gate
        settings = WaitSettings(nonblocking: nonblocking)
        spin = AdaptiveSpin(spinTime)
    }

    /// Waits for a deferred connection, for a call that is no read.
    func finishConnecting(_ operation: IPCError.Operation) throws(IPCError) {
        guard let connection else { return }
        let lease = try core.lease(.both, for: operation)
        try connection.finish(core, .both, lease, settings.patience(nil))
    }

    /// The read-ahead buffer, made at first use.
    var readAhead: ReadAhead { ahead.value ?? ahead.set(ReadAhead()) }

    var bufferedByteCount: Int { ahead.isSet ? readAhead.byteCount : 0 }

    // The forms that are called most are made of as few functions as can be: each one that a processor returns through
    // after a system call costs it some 14 ns.

    @usableFromInline
    func read(into buffer: UnsafeMutableRawBufferPointer, timeout: Duration?) throws(IPCError) -> Int {
        guard let base = buffer.baseAddress else { return 0 }
        return try unsafe read(into: base, buffer.count, settings.patience(timeout))
    }

    @usableFromInline
    func readExactly(into buffer: inout MutableRawSpan, timeout: Duration?) throws(IPCError) {
        // Taken out of the closure, which would be one more function; the span stays as it is during this call.
        let memory = unsafe buffer.withUnsafeMutableBytes { unsafe $0 }
        try unsafe fill(memory, settings.patience(timeout))
    }

    /// Receives up to `count` bytes, those that were read ahead first; 0 at the end of the stream.
    @inline(__always)
    func read(
        into memory: UnsafeMutableRawPointer,
        _ count: Int,
        _ patience: Patience
    ) throws(IPCError) -> Int {
        // Nothing can be received, so there is nothing to wait for.
        if count == 0 { return 0 }
        if !ahead.isSet { return try unsafe receive(into: memory, count, patience) }
        return try unsafe readBuffered(into: memory, count, patience)
    }

    /// The same once there is a read-ahead buffer, in which another thread may leave bytes.
    @inline(never)
    private func readBuffered(
        into memory: UnsafeMutableRawPointer,
        _ count: Int,
        _ patience: Patience
    ) throws(IPCError) -> Int {
        try inTurn(patience) {
            unsafe readAhead.take(into: memory, count)
        } orReceive: { () throws(IPCError) -> Int in
            try unsafe receive(into: memory, count, patience)
        }
    }

    /// Takes bytes out of the read-ahead buffer, or else receives some, when no other thread is at it.
    func inTurn(
        _ patience: Patience,
        _ take: () -> Int,
        orReceive receive: () throws(IPCError) -> Int
    ) throws(IPCError) -> Int {
        while true {
            if core.isClosed(.receive) { throw core.error(.closed, .read) }
            let taken = take()
            if taken > 0 {
                turn.passOn(core, leaving: bufferedByteCount)
                return taken
            }
            guard turn.tryTake() else {
                try turn.wait(core, patience)
                continue
            }
            defer { turn.give(core) }
            // Somebody may have filled the buffer and given the turn since the look.
            if bufferedByteCount == 0 { return try receive() }
        }
    }

    /// Receives into several pieces of memory, one after another; 0 at the end of the stream.
    func read(into pieces: UnsafeMutableBufferPointer<cip_buffer>, _ patience: Patience) throws(IPCError) -> Int {
        guard ahead.isSet, let first = unsafe pieces.first, let base = unsafe first.base else {
            return try unsafe receive(into: pieces, patience)
        }
        return try inTurn(patience) {
            unsafe readAhead.take(into: base, first.count)
        } orReceive: { () throws(IPCError) -> Int in
            try unsafe receive(into: pieces, patience)
        }
    }

    private func receive(
        into pieces: UnsafeMutableBufferPointer<cip_buffer>,
        _ patience: Patience
    ) throws(IPCError) -> Int {
        let lease = try core.lease(.receive, for: .read, blocking: !patience.isNonblocking)
        try connection?.finish(core, .receive, lease, patience)
        return try receive(lease, patience) { unsafe attempt(pieces) }
    }

    /// Receives what is there into several pieces of memory, without waiting.
    func attempt(_ pieces: UnsafeMutableBufferPointer<cip_buffer>) -> Int64 {
        System.call(.receive) { unsafe transport.read(core, pieces) }
    }

    @inline(__always)
    private func receive(
        into memory: UnsafeMutableRawPointer,
        _ count: Int,
        _ patience: Patience
    ) throws(IPCError) -> Int {
        let lease = try core.lease(.receive, for: .read, blocking: !patience.isNonblocking)
        try connection?.finish(core, .receive, lease, patience)
        guard patience.isUnlimited && transport.mayWait(lease) else {
            return try unsafe receiveByPolling(into: memory, count, lease, patience)
        }
        while true {
            let early = spin.isOn ? unsafe receiveBySpinning(memory, count) : nil
            let result =
                early
                ?? System.transfer(.receive, count) {
                    unsafe transport.read(core, memory, $0, wait: true)
                }
            try checkOpen(result)
            if result >= 0 { return Int(result) }
            // Somebody put the open file description into nonblocking mode.
            if result != -cip_codes.would_block { throw core.error(result: result, .read) }
            try core.wait(.receive, for: .read, lease, until: .never)
        }
    }

    /// Kept apart, for in the caller its closure would cost a little even where it is not made.
    @inline(never)
    private func receiveBySpinning(_ memory: UnsafeMutableRawPointer, _ count: Int) -> Int64? {
        core.spin(.receive, spin, until: .never) { unsafe attempt(memory, count) }
    }

    @inline(never)
    private func receiveByPolling(
        into memory: UnsafeMutableRawPointer,
        _ count: Int,
        _ lease: borrowing DescriptorCore.Lease,
        _ patience: Patience
    ) throws(IPCError) -> Int {
        try receive(lease, patience) { unsafe attempt(memory, count) }
    }

    /// Makes attempts until one works, waiting for readiness in between.
    func receive(
        _ lease: borrowing DescriptorCore.Lease,
        _ patience: Patience,
        _ attempt: () -> Int64
    ) throws(IPCError) -> Int {
        var result = firstResult(patience, attempt)
        while true {
            try checkOpen(result)
            if result >= 0 { return Int(result) }
            if result != -cip_codes.would_block { throw core.error(result: result, .read) }
            if patience.isNonblocking { throw core.error(.wouldBlock, .read) }
            try core.wait(.receive, for: .read, lease, until: patience.deadline)
            result = attempt()
            // What is ready again and again, and in vain, must not keep the call from ending.
            if result == -cip_codes.would_block && patience.deadline.hasPassed {
                throw core.error(core.isClosed(.receive) ? .closed : .timedOut, .read)
            }
        }
    }

    /// The result of the first attempt, or of spinning; "would block" without one where it would be in vain.
    private func firstResult(_ patience: Patience, _ attempt: () -> Int64) -> Int64 {
        if patience.isNonblocking { return attempt() }
        if let result = core.spin(.receive, spin, until: patience.deadline, attempt) { return result }
        return guess.isLikelyEmpty ? -cip_codes.would_block : attempt()
    }

    /// Looks whether a result is still to be believed: what ends a blocked call at close is an end of stream, or a
    /// byte, that is not the peer's, and another call may get to see it.
    ///
    /// - Throws: `.closed`.
    @inline(__always)
    private func checkOpen(_ result: Int64) throws(IPCError) {
        if !isTrustworthy(result) { throw core.error(.closed, .read) }
    }

    @inline(__always)
    func isTrustworthy(_ result: Int64) -> Bool {
        !core.isClosed(.receive) || result > 0 && transport.bytesOutliveClose
    }

    /// Receives a line, without its line feed; `nil` at the end of the stream.
    ///
    /// The buffer is locked only while bytes are copied, never while waiting, so that those who find what they want in
    /// it go on.
    func readLine(limit: Int, _ patience: Patience) throws(IPCError) -> [UInt8]? {
        if core.isClosed(.receive) { throw core.error(.closed, .read) }
        var hasTurn = false
        defer { if hasTurn { turn.give(core) } else { turn.passOn(core, leaving: bufferedByteCount) } }
        var isAtEnd = false
        while true {
            switch readAhead.takeLine(limit: limit, isAtEnd: isAtEnd) {
            case .line(let bytes): return bytes
            case .tooLong: throw core.error(.messageTooLarge, .read)
            case .incomplete: if isAtEnd { return nil }
            }
            if hasTurn {
                isAtEnd = try readMoreAhead(patience) == 0
            } else if turn.tryTake() {
                // Somebody may have received and given the turn since the look: so look again.
                hasTurn = true
            } else {
                try turn.wait(core, patience)
            }
        }
    }

    /// Receives more bytes into the read-ahead buffer; returns their number, 0 at the end of the stream.
    private func readMoreAhead(_ patience: Patience) throws(IPCError) -> Int {
        let lease = try core.lease(.receive, for: .read, blocking: !patience.isNonblocking)
        try connection?.finish(core, .receive, lease, patience)
        return try receive(lease, patience) { readAhead.fill { unsafe attempt($0, $1) } }
    }

    /// Receives what is there, without waiting.
    func attempt(_ memory: UnsafeMutableRawPointer, _ count: Int) -> Int64 {
        let result = System.transfer(.receive, count) {
            unsafe transport.read(core, memory, $0, wait: false)
        }
        // The end of the stream is no reason to wait: as long as no sender of a FIFO has come, reading tells of it and
        // poll does not. Once reading has said that there is something to wait for, poll tells of everything.
        if transport.endIsAwaitable || result < 0 || guess.isLikelyEmpty { guess.learn(result, of: count) }
        return result
    }
}
