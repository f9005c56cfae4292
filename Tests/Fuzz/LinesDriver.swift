// SPDX-License-Identifier: MIT OR Apache-2.0

#if os(Linux)
internal import CInterprocess

/// Lines with limits, and other reading between them: from the buffer or a stream, as the first byte says.
///
/// A plain array says what has to come of it.
func driveLines(_ input: UnsafeRawBufferPointer) {
    guard let first = input.first else { return }
    var script = Script(UnsafeRawBufferPointer(rebasing: input.dropFirst()))
    if first % 2 == 0 { readAhead(&script) } else { readStream(&script) }
}

/// The bytes that have come and were not asked for.
private struct Model {
    var bytes: [UInt8] = []

    enum Line: Equatable {
        case line([UInt8])
        case incomplete, tooLong
    }

    mutating func line(limit: Int, isAtEnd: Bool) -> Line {
        guard let end = bytes.firstIndex(of: 10) else {
            if bytes.count > limit { return .tooLong }
            return isAtEnd && !bytes.isEmpty ? .line(take(bytes.count)) : .incomplete
        }
        if end > limit { return .tooLong }
        var line = take(end)
        bytes.removeFirst()
        if line.last == 13 { line.removeLast() }
        return .line(line)
    }

    mutating func take(_ count: Int) -> [UInt8] {
        defer { bytes.removeFirst(min(count, bytes.count)) }
        return Array(bytes.prefix(count))
    }
}

private func limit(_ script: inout Script) -> Int {
    let size = script.byte()
    return size < 250 ? Int(size) : size == 255 ? .max : 1 << 16
}

/// Some text, at times a long one.
private func text(_ script: inout Script) -> [UInt8] {
    let bytes = script.bytes(script.choice(40))
    let times = script.byte()
    return times < 240 ? bytes : Array(repeatElement(bytes, count: Int(times) * 8).joined())
}

private func readAhead(_ script: inout Script) {
    var (buffer, model) = (ReadAheadBuffer(), Model())
    while !script.isAtEnd && model.bytes.count < 1 << 19 {
        switch script.choice(6) {
        case 0, 1:
            let more = text(&script)
            let result = buffer.fill { memory, room in
                let count = min(room, more.count)
                UnsafeMutableRawBufferPointer(start: memory, count: count).copyBytes(from: more.prefix(count))
                return count == 0 ? -1 : Int64(count)
            }
            model.bytes += more.prefix(Int(max(0, result)))
        case 2, 3:
            let (most, isAtEnd) = (limit(&script), script.byte() >= 128)
            let found: Model.Line =
                switch buffer.takeLine(limit: most, isAtEnd: isAtEnd) {
                case .line(let bytes): .line(bytes)
                case .incomplete: .incomplete
                case .tooLong: .tooLong
                }
            if found != model.line(limit: most, isAtEnd: isAtEnd) { die("another line") }
        case 4:
            var room = [UInt8](repeating: 0, count: script.number())
            let count = room.withUnsafeMutableBytes { memory in
                memory.baseAddress.map { buffer.take(into: $0, memory.count) } ?? 0
            }
            if Array(room.prefix(count)) != model.take(room.count) { die("other bytes") }
        default:
            let bytes = text(&script)
            bytes.withUnsafeBytes { buffer.putBack($0) }
            model.bytes = bytes + model.bytes
        }
        if buffer.byteCount != model.bytes.count { die("another number of bytes") }
    }
    if buffer.takeFirst(buffer.byteCount) != model.bytes { die("other bytes at the end") }
}

/// A stream whose other side has said everything, and ended.
private func readStream(_ script: inout Script) {
    do {
        let (near, far) = try LocalSocketStream.pair()
        var model = Model(bytes: script.bytes(script.number() % 2000))
        try far.writeAll(model.bytes)
        far.close()
        while !script.isAtEnd || !model.bytes.isEmpty {
            let before = model.bytes.count
            switch script.choice(4) {
            case 0, 1:
                let most = limit(&script)
                let expected = model.line(limit: most, isAtEnd: true)
                do throws(IPCError) {
                    let line = try near.readLine(limit: most).map { Model.Line.line(Array($0.utf8)) } ?? .incomplete
                    if line != repaired(expected) { die("another line") }
                } catch {
                    if error.code != .messageTooLarge || expected != .tooLong { die("a line ended with \(error)") }
                }
                // So that it comes to an end.
                if script.isAtEnd && before > 0 && near.takeBuffered() != model.take(before) { die("other bytes") }
            case 2:
                // What is read ahead comes first, and maybe alone.
                let some = try near.read(upTo: script.number() % 500 + 1)
                if some != model.take(some.count) || some.isEmpty != (before == 0) { die("other bytes") }
            default:
                let count = script.number() % 500
                do throws(IPCError) {
                    let bytes = try near.readExactly(count)
                    if bytes.count != count || bytes != model.take(count) { die("other bytes, exactly") }
                } catch {
                    if error.code != .endOfStream || model.bytes.count >= count { die("exactly ended with \(error)") }
                    if error.bytesTransferred != model.bytes.count { die("it tells of other bytes") }
                }
            }
            if script.isAtEnd && before == 0 { break }
        }
        if try near.readToEnd() != model.bytes { die("other bytes at the end of the stream") }
    } catch { die("the stream failed: \(error)") }
}

/// What is no UTF-8 is replaced.
private func repaired(_ line: Model.Line) -> Model.Line {
    guard case .line(let bytes) = line else { return line }
    return .line(Array(String(decoding: bytes, as: UTF8.self).utf8))
}

func lineSeeds() throws -> [[UInt8]] {
    let text = Array("one\r\ntwo\n\nand a third line without an end".utf8)
    let ahead = [0, UInt8(text.count % 40)] + text.prefix(text.count % 40) + [1]
    return [
        [0] + ahead + [2, 100, 0, 2, 3, 0, 2, 2, 0, 4] + scripted(3) + [5, 2, 65, 10, 0, 3, 255, 200],
        [0, 1, 3, 65, 66, 10, 250, 2, 255, 0, 4] + scripted(9000) + [2, 1, 0, 3, 249, 255],
        [1] + scripted(text.count) + text + [0, 100, 2, 2, 0, 0, 3, 3, 5, 0, 0, 255, 0, 1],
        [1] + scripted(text.count) + text + [3] + scripted(499) + [1, 40, 1, 40, 1, 40, 1, 40],
    ]
}
#endif
