// SPDX-License-Identifier: MIT OR Apache-2.0

import Interprocess

// The forms of reading, which share what is read ahead.

extension StreamModel {
    /// Does an operation if it is one of reading.
    func performReading(_ step: Step<Kind>, _ stream: ModelStream) async throws -> Bool {
        let receiver: any ByteReceiver = step.has(1) ? stream.halves?.receiver ?? stream.stream : stream.stream
        switch step.kind {
        case .read: try await read(step, stream, receiver)
        case .readExactly: try await readExactly(step, stream, receiver)
        case .readLine: try await readLine(step, stream, receiver)
        case .readToEnd: try await readToEnd(step, stream, receiver)
        case .takeBuffered:
            journal.note("take what \(stream.name) has read ahead")
            try expect(.success(receiver.takeBuffered()), stream.ahead)
            stream.ahead = []
        default: return false
        }
        try expect(.success(receiver.bufferedByteCount), stream.ahead.count)
        return true
    }

    private func read(_ step: Step<Kind>, _ stream: ModelStream, _ receiver: any ByteReceiver) async throws {
        let count = max(1, step.size)
        let timeout = stream.available.isEmpty && !isOver(stream) ? step.impatience : step.patience
        journal.note("read up to \(count) bytes from \(stream.name)\(step.formDescription)")
        // Nonblocking mode is nothing to awaited calls.
        let isNonblocking = !step.isAwaited && step.has(2)
        if isNonblocking { setNonblocking(receiver, true) }
        defer { if isNonblocking { setNonblocking(receiver, false) } }
        let isScattered = step.has(3)
        let result = await step.either {
            if !isScattered { return try receiver.read(upTo: count, timeout: timeout) }
            return try receiver.readScattered(count, timeout)
        } awaited: {
            if !isScattered { return try await receiver.read(upTo: count, timeout: timeout) }
            return try await receiver.readScattered(count, timeout)
        }
        if stream.isReceivingClosed { return try expect(result, .closed) }
        if !stream.available.isEmpty {
            // What was read ahead comes alone, into one piece of memory; of the rest comes as much as there is.
            let first = isScattered && count >= 3 ? count / 3 : count
            let expected = stream.available.prefix(stream.ahead.isEmpty ? count : min(first, stream.ahead.count))
            try expect(result, Array(expected))
            return stream.take(expected.count)
        }
        if told(result, ofResetOf: stream) { return }
        if stream.willEnd { return try expect(result, []) }
        try expect(result, isNonblocking ? .wouldBlock : .timedOut)
    }

    private func readExactly(_ step: Step<Kind>, _ stream: ModelStream, _ receiver: any ByteReceiver) async throws {
        let count = step.size
        let available = stream.available
        let timeout = available.count < count && !isOver(stream) ? step.impatience : step.patience
        journal.note("read exactly \(count) bytes from \(stream.name)\(step.formDescription)")
        let result = await step.either {
            try receiver.readExactly(count, timeout: timeout)
        } awaited: {
            try await receiver.readExactly(count, timeout: timeout)
        }
        if count == 0 { return try expect(result, []) }
        if stream.isReceivingClosed { return try expect(result, .closed, transferred: 0) }
        if available.count >= count {
            try expect(result, Array(available.prefix(count)))
            return stream.take(count)
        }
        stream.take(0, leavingAhead: available.count)
        if told(result, ofResetOf: stream) { return }
        try expect(result, stream.willEnd ? .endOfStream : .timedOut, transferred: available.count)
    }

    private func readLine(_ step: Step<Kind>, _ stream: ModelStream, _ receiver: any ByteReceiver) async throws {
        let available = stream.available
        let lineFeed = available.firstIndex(of: UInt8(ascii: "\n"))
        let timeout = lineFeed == nil && !isOver(stream) ? step.impatience : step.patience
        journal.note("read a line from \(stream.name)\(step.formDescription)")
        let result = await step.either {
            try receiver.readLine(timeout: timeout)
        } awaited: {
            try await receiver.readLine(timeout: timeout)
        }
        if stream.isReceivingClosed { return try expect(result, .closed) }
        if let lineFeed {
            var line = available.prefix(lineFeed)
            if line.last == UInt8(ascii: "\r") { line.removeLast() }
            try expect(result, String(decoding: line, as: UTF8.self))
            // How much more it has read ahead is its own affair.
            let left = receiver.bufferedByteCount
            if left > available.count - lineFeed - 1 { throw Mismatch("it has \(left) bytes read ahead") }
            return stream.take(lineFeed + 1, leavingAhead: left)
        }
        stream.take(0, leavingAhead: available.count)
        if told(result, ofResetOf: stream) { return }
        if !stream.willEnd { return try expect(result, .timedOut) }
        try expect(result, available.isEmpty ? nil : String(decoding: available, as: UTF8.self))
        stream.take(available.count)
    }

    private func readToEnd(_ step: Step<Kind>, _ stream: ModelStream, _ receiver: any ByteReceiver) async throws {
        let available = stream.available
        let limit = step.has(4) ? 64 << 20 : step.size
        let timeout = available.count <= limit && !isOver(stream) ? step.impatience : step.patience
        journal.note("read at most \(limit) bytes to the end of \(stream.name)\(step.formDescription)")
        let result = await step.either {
            try receiver.readToEnd(limit: limit, timeout: timeout)
        } awaited: {
            try await receiver.readToEnd(limit: limit, timeout: timeout)
        }
        if stream.isReceivingClosed { return try expect(result, .closed) }
        if available.count > limit {
            stream.take(0, leavingAhead: max(stream.ahead.count, limit + 1))
            return try expect(result, .messageTooLarge, transferred: limit + 1)
        }
        stream.take(0, leavingAhead: available.count)
        if told(result, ofResetOf: stream) { return }
        if !stream.willEnd { return try expect(result, .timedOut, transferred: available.count) }
        try expect(result, available)
        stream.take(available.count)
    }

    /// Whether reading ends without waiting, whatever it waits for.
    private func isOver(_ stream: ModelStream) -> Bool {
        stream.isReceivingClosed || stream.willEnd
    }

    /// Whether a read was told that the other side left something unread.
    private func told<Value>(_ result: Result<Value, any Error>, ofResetOf stream: ModelStream) -> Bool {
        guard stream.own.mayBeReset, case .failure(let error as IPCError) = result, error.code == .connectionReset
        else { return false }
        stream.own.mayBeReset = false
        return true
    }

    private func setNonblocking(_ receiver: any ByteReceiver, _ isNonblocking: Bool) {
        (receiver as? LocalSocketStream)?.setNonblocking(isNonblocking)
        (receiver as? LocalSocketReceiver)?.setNonblocking(isNonblocking)
    }
}

extension ByteReceiver {
    /// Reads into two pieces of memory, the first of which is smaller.
    fileprivate func readScattered(_ count: Int, _ timeout: Duration?) throws -> [UInt8] {
        let (memory, pieces) = Self.memory(count)
        defer { memory.deallocate() }
        return Array(memory.prefix(try read(scattering: pieces, timeout: timeout)))
    }

    fileprivate func readScattered(_ count: Int, _ timeout: Duration?) async throws -> [UInt8] {
        let (memory, pieces) = Self.memory(count)
        defer { memory.deallocate() }
        return Array(memory.prefix(try await read(scattering: pieces, timeout: timeout)))
    }

    private static func memory(_ count: Int) -> (UnsafeMutableRawBufferPointer, [UnsafeMutableRawBufferPointer]) {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 1)
        let pieces = [memory[..<(count / 3)], memory[(count / 3)...]]
        return (memory, pieces.map { UnsafeMutableRawBufferPointer(rebasing: $0) })
    }
}
