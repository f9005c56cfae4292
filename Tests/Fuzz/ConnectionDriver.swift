// SPDX-License-Identifier: MIT OR Apache-2.0

#if os(Linux)
internal import CFuzz
internal import CInterprocess

/// How two sides introduce themselves, and what one of them says then: the first byte says which part of it is meant.
func driveConnection(_ input: UnsafeRawBufferPointer) {
    guard let first = input.first else { return }
    let rest = UnsafeRawBufferPointer(rebasing: input.dropFirst())
    [hello, hashes, conversation][Int(first) % 3](rest)
}

private typealias Texts = IPCConnection<String, String>

private func options(secret: [UInt8]?) -> IPCConnectionOptions {
    var options = IPCConnectionOptions()
    options.secret = secret
    options.maximumMessageSize = 1 << 16
    return options
}

/// What a side says of itself, the same each time.
private func introduction(_ role: Hello.Role, _ options: IPCConnectionOptions) -> [UInt8] {
    let type = Hello.fingerprint(String.self, options)
    return Hello(role, options, receives: type, sends: type).bytes.prefix(40) + [UInt8](repeating: 7, count: 32)
}

private func hello(_ bytes: UnsafeRawBufferPointer) {
    let said = Array(bytes)
    guard let other = Hello(said) else {
        if let known = Hello(introduction(.peer, options(secret: nil))), known.bytes == said {
            die("a hello is refused")
        }
        return
    }
    if other.bytes != said || other.limit < 0 { die("a hello has changed") }
    let own = Hello(.client, options(secret: nil), receives: 1, sends: 2)
    // Both sides have to see it the same way, save for what each of them says first.
    if (own.refusal(of: other) == nil) != (other.refusal(of: own) == nil) {
        die("one side refuses, the other does not")
    }
    if other.proof(to: own, [1]) == own.proof(to: other, [1]) { die("one proof is the other's") }
}

/// A key, whose size comes first, and a message.
private func hashes(_ bytes: UnsafeRawBufferPointer) {
    var script = Script(bytes)
    let key = script.bytes(script.choice(160))
    let message = script.remaining()
    if SHA256.hash(message) != secondHash(message) { die("another hash") }
    var padded = key.count > 64 ? secondHash(key) : key
    padded += [UInt8](repeating: 0, count: 64 - padded.count)
    let code = secondHash(padded.map { $0 ^ 0x5c } + secondHash(padded.map { $0 ^ 0x36 } + message))
    let found = SHA256.authenticationCode(of: message, key: key)
    if found != code || !SHA256.areEqual(found, code) { die("another code") }
    var other = code
    other[message.count % 32] ^= 1 << UInt8(key.count % 8)
    if SHA256.areEqual(found, other) { die("two codes are one") }
}

private func secondHash(_ message: [UInt8]) -> [UInt8] {
    var hash = [UInt8](repeating: 0, count: 32)
    fuzz_sha256(message, message.count, &hash)
    return hash
}

/// Everything that a peer says, and how it goes with the other side.
private struct Peer {
    let stream: LocalSocketStream
    private var said: [UInt8] = []
    /// Whether it has said what proves that it knows the secret.
    private(set) var hasProved = false

    init(_ stream: LocalSocketStream) { self.stream = stream }

    mutating func say(_ script: inout Script, _ own: Hello, _ options: IPCConnectionOptions) {
        var (isTold, groups) = (introduction(.peer, options), 0)
        while !script.isAtEnd {
            switch script.choice(8) {
            case 0, 1:
                isTold = patched(introduction(.peer, options), &script)
                said += frame(.hello, isTold)
            case 2:
                guard let hello = Hello(isTold), let secret = options.secret else { break }
                let proof = patched(hello.proof(to: own, secret), &script)
                if proof == hello.proof(to: own, secret) { hasProved = true }
                said += frame(.proof, proof)
            case 3: said += frame(.refusal, [script.byte()])
            case 4: said += script.bytes(script.choice(64))
            case 5:
                let kind = ConnectionFrame.Kind(rawValue: script.byte() % 9) ?? .message
                let request = UInt64(script.byte())
                said += frame(
                    kind,
                    script.bytes(script.choice(64)),
                    request: request,
                    isFirstPart: script.byte() >= 200
                )
            case 6:
                let kind = [ConnectionFrame.Kind.message, .request, .reply][script.choice(3)]
                let request = UInt64(script.choice(4))
                let text = String(repeating: "x", count: script.number() % 500)
                said += frame(kind, (try? IPCEncoder().encode(text)) ?? [], request: request)
            default:
                groups += 1
                if groups < 16 { flush(descriptors: script.choice(4)) }
            }
        }
        flush(descriptors: 0)
        _ = cip_shutdown(stream.descriptorCore.descriptor, Int64(CIP_SHUT_SEND))
    }

    /// The bytes, or nearly those.
    private func patched(_ bytes: [UInt8], _ script: inout Script) -> [UInt8] {
        var bytes = bytes
        let place = Int(script.byte())
        if place < bytes.count { bytes[place] ^= script.byte() }
        return place == 255 ? Array(bytes.dropLast()) : bytes
    }

    /// Writes what was said, and descriptors with its first byte.
    private mutating func flush(descriptors: Int) {
        if said.isEmpty { return }
        var numbers = (0..<descriptors).map { Samples.shared.duplicate($0) }
        said.withUnsafeMutableBytes { bytes in
            numbers.withUnsafeMutableBufferPointer { numbers in
                var buffer = cip_buffer(base: bytes.baseAddress, count: bytes.count)
                withUnsafeMutablePointer(to: &buffer) { buffer in
                    var message = cip_message()
                    message.buffers = buffer
                    message.buffer_count = 1
                    message.descriptors = numbers.baseAddress
                    message.descriptor_count = numbers.count
                    let sent = cip_send_message(stream.descriptorCore.descriptor, &message, false)
                    if sent != bytes.count { die("the peer could not say everything") }
                }
            }
        }
        for number in numbers { _ = cip_close(number) }
        said = []
    }

    /// Reads what has come, and forgets it.
    func listen() {
        var room = [UInt8](repeating: 0, count: 1 << 16)
        while cip_receive(stream.descriptorCore.descriptor, &room, room.count, false) > 0 {}
    }
}

/// A peer that has said everything before the other side begins; nothing is waited for.
private func conversation(_ bytes: UnsafeRawBufferPointer) {
    var script = Script(bytes)
    let flags = script.byte()
    let options = options(secret: flags & 1 == 0 ? nil : [1, 2, 3])
    do {
        let (near, far) = try LocalSocketStream.pair()
        let type = Hello.fingerprint(String.self, options)
        let own = Hello(.peer, options, receives: type, sends: type)
        var peer = Peer(far)
        peer.say(&script, own, options)
        let (frames, reader) = try Texts.begin(near, options)
        do {
            var handshake = try Handshake(own, options.secret, frames, reader)
            try handshake.perform(until: Deadline(after: .seconds(5)))
        } catch {
            let expected: [IPCError.Code] = [.protocolViolation, .permissionDenied, .disconnected]
            if !expected.contains(error.code) { die("the handshake ended with \(error)") }
            return
        }
        if options.secret != nil && !peer.hasProved { die("a connection without the secret") }
        let connection = Texts(near, frames, reader, options)
        if flags & 2 != 0 { _ = try? connection.request("question", timeout: .seconds(5)) }
        receiveAll(connection, peer, replies: flags & 4 != 0)
        connection.close()
    } catch { die("no connection could be made: \(error)") }
}

private func receiveAll(_ connection: Texts, _ peer: Peer, replies: Bool) {
    while true {
        peer.listen()
        do throws(IPCError) {
            guard let message = try connection.tryReceiveMessage() else { die("it waits for a peer that has ended") }
            if replies && message.expectsReply { try message.reply("answer") }
        } catch {
            switch error.code {
            case .decodingFailed, .resourcesExhausted: continue
            case .disconnected, .protocolViolation: return
            default: die("receiving ended with \(error)")
            }
        }
    }
}

func connectionSeeds() throws -> [[UInt8]] {
    let introduced = [0, 255 - 1] as [UInt8]
    let talk = [6, 0, 0] + scripted(3) + [6, 1, 1] + scripted(9)
    let other = introduction(.server, options(secret: nil))
    return [
        [0] + introduction(.peer, options(secret: nil)), [0] + other,
        [1, 3, 1, 2, 3, 4, 5], [1, 100] + [UInt8](repeating: 9, count: 170),
        [2, 0] + introduced + talk, [2, 1] + introduced + [2, 254] + talk, [2, 0, 3, 2],
        [2, 0] + introduced + [5, 8, 1],
        [2, 6] + introduced + [6, 2, 1] + scripted(8) + talk, [2, 4] + introduced + [7, 2] + talk + [7, 1],
        [2, 0] + introduced + [5, 0, 0, 9, 4, 0, 0, 0, 0, 0, 0, 0, 1, 250], [2, 1] + introduced + [2, 3, 1],
    ]
}
#endif
