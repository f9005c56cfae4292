// SPDX-License-Identifier: MIT OR Apache-2.0

#if os(Linux)
internal import CInterprocess

// There is one thread.
private nonisolated(unsafe) let decoder = IPCDecoder(limits: IPCCodingLimits())

/// What channels and connections make of the bytes on the wire: the first byte says which part of it is meant.
func driveFraming(_ input: UnsafeRawBufferPointer) {
    guard let first = input.first else { return }
    let rest = UnsafeRawBufferPointer(rebasing: input.dropFirst())
    [packets, heads, frames, pieces, wholeMessage][Int(first) % 5](rest)
}

/// Packets as they come: each with two bytes for its size, and one for the number of its descriptors.
private func packets(_ bytes: UnsafeRawBufferPointer) {
    var inbox = PacketInbox(limit: 1 << 16)
    var script = Script(bytes)
    while !script.isAtEnd {
        let (size, passed) = (script.number(), script.byte())
        let packet = script.piece(size)
        _ = inbox.fill { message in
            guard let buffer = message.buffers, let room = message.descriptors else { die("no room") }
            if packet.count > buffer.pointee.count { die("less room than a packet may have") }
            if let base = packet.baseAddress { buffer.pointee.base?.copyMemory(from: base, byteCount: packet.count) }
            message.descriptor_count = Int(passed % 4)
            for index in 0..<message.descriptor_count { room[index] = Samples.shared.duplicate(index) }
            message.descriptors_lost = passed >= 128
            return Int64(packet.count)
        }
        var isDone = false
        while !isDone {
            switch inbox.next() {
            case .message(let message):
                if message.bytes.count > inbox.limit { die("a message that is too large") }
                _ = try? decoder.decode([Ends].self, from: message.bytes.bytes, message.attachments)
            case .none: isDone = true
            case .failure: break
            }
        }
        if !inbox.isEmpty { die("a packet is left") }
    }
}

/// What is read as a head is written as the same bytes.
private func heads(_ bytes: UnsafeRawBufferPointer) {
    guard let base = bytes.baseAddress, bytes.count >= ConnectionFrame.headSize else { return }
    if let head = ConnectionFrame(base) {
        if head.byteCount > ConnectionFrame.maximumBody { die("a frame that is too large") }
        if !withUnsafeBytes(of: head.words, { $0.elementsEqual(bytes.prefix(16)) }) { die("two heads for one frame") }
    }
    if let head = FrameHead(base) {
        if !withUnsafeBytes(of: head.word, { $0.elementsEqual(bytes.prefix(8)) }) { die("two heads for one packet") }
    }
}

/// A stream of frames, in parts whose sizes say how many descriptors come with them: each part has two bytes for its
/// size, and one for the number of its descriptors.
private func frames(_ bytes: UnsafeRawBufferPointer) {
    var inbox = FrameInbox(limit: 1 << 16)
    var script = Script(bytes)
    while !script.isAtEnd {
        let (size, passed) = (script.number(), script.byte())
        let part = script.piece(size)
        let numbers = (0..<Int(passed % 4)).map { Samples.shared.duplicate($0) }
        let came = numbers.isEmpty ? nil : ReceivedDescriptors(numbers)
        _ = inbox.fill { memory, room, arrive in
            if passed >= 128 { arrive(nil) } else if let came { arrive(came) }
            let count = min(room, part.count)
            if let base = part.baseAddress { memory.copyMemory(from: base, byteCount: count) }
            return Int64(count)
        }
        do {
            while let message = try inbox.next() {
                if message.kind.isValue && message.bytes.count > inbox.limit { die("a message that is too large") }
                let attachments = message.attachments ?? .empty
                _ = try? decoder.decode([Ends].self, from: message.bytes.bytes, attachments)
            }
        } catch { return }
    }
}

/// A message that was taken out of a stream.
private struct Taken: Equatable {
    let kind: ConnectionFrame.Kind
    let request: UInt64
    let bytes: [UInt8]
}

/// Takes the messages out of a stream that comes in pieces; `nil` at the end is what breaks it.
private func take(_ stream: [UInt8], pieces: () -> Int) -> [Taken?] {
    var inbox = FrameInbox(limit: 1 << 18)
    var (taken, start) = ([Taken?](), 0)
    while start < stream.count {
        _ = inbox.fill { memory, room, _ in
            if room == 0 { die("no room for the rest of a frame") }
            let count = min(room, max(1, pieces()), stream.count - start)
            UnsafeMutableRawBufferPointer(start: memory, count: count).copyBytes(from: stream[start..<start + count])
            start += count
            return Int64(count)
        }
        do {
            while let message = try inbox.next() {
                taken.append(Taken(kind: message.kind, request: message.request, bytes: Array(message.bytes)))
            }
        } catch { return taken + [nil] }
    }
    return taken
}

/// However a stream is cut, the same messages are in it.
private func pieces(_ bytes: UnsafeRawBufferPointer) {
    var script = Script(bytes)
    let sizes = script.bytes(4).map { Int($0) }
    var index = 0
    let stream = script.remaining()
    let inPieces = take(stream) {
        index += 1
        return sizes.isEmpty ? 1 : sizes[index % sizes.count]
    }
    if inPieces != take(stream, pieces: { .max }) { die("other messages when the stream is cut otherwise") }
}

/// A message of any size arrives as it was sent.
private func wholeMessage(_ bytes: UnsafeRawBufferPointer) {
    var script = Script(bytes)
    let kind = [ConnectionFrame.Kind.message, .request, .reply][script.choice(3)]
    let size = script.number() * (script.choice(3) + 1)
    let (request, seed) = (UInt64(script.number()), script.byte())
    let message = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) ^ seed }
    var sent = ConnectionFrames(kind, request: request, count: size)
    var stream: [UInt8] = []
    repeat {
        _ = message.withUnsafeBytes { memory in
            sent.withNext(memory) { start, part in
                if start.count + part.count > ConnectionFrame.maximumSize { die("a frame that is too large") }
                stream += Array(start) + Array(part)
                return 0
            }
        }
        sent.advance()
    } while !sent.areSent
    let most = script.number()
    let taken = take(stream) { most }
    if taken != [Taken(kind: kind, request: request, bytes: message)] { die("a message of \(size) bytes has changed") }
}

func framingSeeds() throws -> [[UInt8]] {
    let text = try IPCEncoder().encode("ä text")
    let ends = try Samples.shared.message()
    let inPackets = [
        packet(.message, text, descriptors: 0) + packet(.message, ends, descriptors: 3),
        packet(.firstPart, littleEndian(7) + littleEndian(6) + [1, 2, 3], descriptors: 0)
            + packet(.part, littleEndian(7) + [4, 5, 6], descriptors: 1),
        packet(.firstPart, littleEndian(8) + littleEndian(9) + [1], descriptors: 0)
            + packet(.abandonment, littleEndian(8), descriptors: 0),
    ]
    let inParts = [
        part(frame(.message, text), descriptors: 0)
            + part(frame(.request, ends, request: 5, attachments: 3), descriptors: 3),
        part(frame(.message, littleEndian(5) + [1, 2, 3], isFirstPart: true), descriptors: 0)
            + part(frame(.reply, text, request: 9) + frame(.part, [4, 5]), descriptors: 0),
        part(frame(.message, littleEndian(50) + [1, 2], isFirstPart: true) + frame(.abandonment), descriptors: 0)
            + part(frame(.noReply, request: 1), descriptors: 0),
    ]
    let stream =
        frame(.message, text) + frame(.message, littleEndian(4) + [1, 2], isFirstPart: true)
        + frame(.request, text, request: 1) + frame(.part, [3, 4]) + frame(.noReply, request: 2)
    return inPackets.map { [0] + $0 } + [[1] + frame(.reply, request: 7)] + inParts.map { [2] + $0 }
        + [[3, 1, 7, 30, 200] + stream] + [
            [4, 0] + scripted(100) + [0], [4, 1] + scripted(65_000) + [1, 9, 9, 3, 0, 40],
        ]
}

/// A packet of one frame, as it stands in an input.
private func packet(_ kind: FrameHead.Kind, _ bytes: [UInt8], descriptors: Int) -> [UInt8] {
    let head = FrameHead(kind, byteCount: bytes.count, attachmentCount: descriptors)
    return part(withUnsafeBytes(of: head.word) { Array($0) } + bytes, descriptors: descriptors)
}

private func part(_ bytes: [UInt8], descriptors: Int) -> [UInt8] {
    scripted(bytes.count) + [UInt8(descriptors)] + bytes
}
#endif
