// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess
internal import Synchronization

/// The bytes that were received and not yet asked for: more than a line, or what a failed call had got.
///
/// Each receiving side has one, and every form of reading drains it first.
final class ReadAhead: Sendable {
    private let buffer = Locked(ReadAheadBuffer())
    /// How many bytes there are, for a look without the lock.
    private let count = Atomic<Int>(0)

    @inline(__always)
    var isEmpty: Bool { count.load(ordering: .acquiring) == 0 }

    /// The number of bytes in it.
    var byteCount: Int { count.load(ordering: .acquiring) }

    /// Takes out up to `wanted` bytes.
    func take(into target: UnsafeMutableRawPointer, _ wanted: Int) -> Int {
        update { unsafe $0.take(into: target, wanted) }
    }

    /// Copies up to `wanted` bytes, which stay.
    func copy(into target: UnsafeMutableRawPointer, _ wanted: Int) -> Int {
        buffer.withLock { unsafe $0.copy(into: target, wanted) }
    }

    /// Takes out everything.
    func takeAll() -> [UInt8] {
        update { $0.takeFirst($0.byteCount) }
    }

    /// Puts bytes back in front of the others.
    func putBack(_ bytes: UnsafeRawBufferPointer) {
        update { unsafe $0.putBack(bytes) }
    }

    /// Lets a read that does not wait put more bytes behind the others, and returns its result.
    @safe
    func fill(_ read: (UnsafeMutableRawPointer, Int) -> Int64) -> Int64 {
        update { $0.fill(read) }
    }

    /// Takes out the next line, of at most `limit` bytes without its line feed, which the last one may lack.
    func takeLine(limit: Int, isAtEnd: Bool) -> ReadAheadBuffer.Line {
        update { $0.takeLine(limit: limit, isAtEnd: isAtEnd) }
    }

    private func update<Result>(_ body: (inout ReadAheadBuffer) -> Result) -> Result {
        buffer.withLock { buffer in
            let result = body(&buffer)
            count.store(buffer.byteCount, ordering: .releasing)
            return result
        }
    }
}

/// A queue of bytes in one piece of memory that moves and grows as needed.
struct ReadAheadBuffer: Sendable {
    private static let step = 16 * 1024

    /// The bytes are those from `start` up to `end`; those from `start` up to `scanned` hold no line feed.
    private var memory: [UInt8] = []
    private var start = 0
    private var end = 0
    private var scanned = 0

    var byteCount: Int { end - start }

    func copy(into target: UnsafeMutableRawPointer, _ wanted: Int) -> Int {
        let copied = min(wanted, byteCount)
        unsafe memory.withUnsafeBytes { memory in
            unsafe UnsafeMutableRawBufferPointer(start: target, count: copied)
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: memory[start..<start + copied]))
        }
        return copied
    }

    mutating func take(into target: UnsafeMutableRawPointer, _ wanted: Int) -> Int {
        let taken = unsafe copy(into: target, wanted)
        drop(taken)
        return taken
    }

    mutating func takeFirst(_ wanted: Int) -> [UInt8] {
        let bytes = Array(memory[start..<start + wanted])
        drop(wanted)
        return bytes
    }

    mutating func putBack(_ bytes: UnsafeRawBufferPointer) {
        unsafe memory.replaceSubrange(0..<start, with: bytes)
        end += bytes.count - start
        start = 0
        scanned = 0
    }

    @safe
    mutating func fill(_ read: (UnsafeMutableRawPointer, Int) -> Int64) -> Int64 {
        // As much as there is, at least, so that a long line is moved a few times at most.
        makeRoom(max(Self.step, byteCount))
        let result = unsafe memory.withUnsafeMutableBytes { memory in
            unsafe read(memory.baseAddress.unsafelyUnwrapped + end, memory.count - end)
        }
        end += Int(max(0, result))
        return result
    }

    /// What the search for the end of a line found.
    enum Line {
        /// A line, taken out, without its ending.
        case line([UInt8])
        /// No line feed yet, or nothing at all at the end.
        case incomplete
        /// The line is longer than the limit; nothing was taken out.
        case tooLong
    }

    mutating func takeLine(limit: Int, isAtEnd: Bool) -> Line {
        guard let lineFeed = nextLineFeed() else {
            scanned = end
            if byteCount > limit { return .tooLong }
            return isAtEnd && byteCount > 0 ? .line(takeFirst(byteCount)) : .incomplete
        }
        if lineFeed - start > limit { return .tooLong }
        var line = takeFirst(lineFeed - start)
        drop(1)
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        return .line(line)
    }

    private func nextLineFeed() -> Int? {
        if scanned == end { return nil }
        let distance = unsafe memory.withUnsafeBytes { memory in
            unsafe cip_index_of(UInt8(ascii: "\n"), memory.baseAddress.unsafelyUnwrapped + scanned, end - scanned)
        }
        return distance < 0 ? nil : scanned + Int(distance)
    }

    private mutating func drop(_ taken: Int) {
        start += taken
        scanned = max(scanned, start)
        if start < end { return }
        // What one long line needed is not kept for ever.
        if memory.count > 4 * Self.step { memory = [] }
        start = 0
        end = 0
        scanned = 0
    }

    /// Sees to it that at least `more` bytes fit behind the others.
    private mutating func makeRoom(_ more: Int) {
        if memory.count - end >= more { return }
        memory.removeSubrange(0..<start)
        scanned -= start
        end -= start
        start = 0
        if memory.count - end < more {
            memory += [UInt8](repeating: 0, count: end + more - memory.count)
        }
    }
}
