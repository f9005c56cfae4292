// SPDX-License-Identifier: MIT OR Apache-2.0

#if os(Linux)
internal import CFuzz
internal import CInterprocess
private import Glibc

/// What comes beside the bytes of a message: the first byte says whether from a kernel that is made up, or by sockets.
func driveAncillary(_ input: UnsafeRawBufferPointer) {
    guard let first = input.first else { return }
    let rest = UnsafeRawBufferPointer(rebasing: input.dropFirst())
    switch first % 4 {
    case 0, 1:
        fuzz_receive(Array(rest), rest.count)
    case 2: converse(rest) { try UnixPacketSocket.pair() }
    default: converse(rest) { try UnixDatagramSocket.pair() }
    }
}

/// What was sent, and has not come yet.
private struct Sent {
    let bytes: [UInt8]
    let files: [UInt64]
}

/// Which file a descriptor is of.
private func file(_ descriptor: Int64) -> UInt64 {
    var found = stat()
    return fstat(CInt(descriptor), &found) < 0 ? 0 : UInt64(found.st_ino)
}

/// Sends and receives as the input says: what comes has to be what was sent, as far as there is room for it.
private func converse<Socket: UnixSocket>(_ input: UnsafeRawBufferPointer, _ pair: () throws -> (Socket, Socket)) {
    var script = Script(input)
    do {
        let (one, other) = try pair()
        var (underway, hasStamps) = ([Sent](), false)
        while !script.isAtEnd {
            switch script.choice(4) {
            case 0, 1:
                let bytes = [UInt8](repeating: script.byte(), count: script.number() % 3000)
                let count = Int(script.byte())
                let sent = try send(bytes, descriptors: count < 250 ? count % 5 : 253, one)
                if let sent, underway.count < 8 { underway.append(sent) }
                if underway.count == 8 { receive(&underway, other, &script, hasStamps) }
            case 2: receive(&underway, other, &script, hasStamps)
            default: hasStamps = try set(other, &script) || hasStamps
            }
        }
        while !underway.isEmpty { receive(&underway, other, &script, hasStamps) }
    } catch { die("the sockets failed: \(error)") }
}

/// Sets the options by which the kernel puts more beside a message; returns whether that is what nobody here knows of.
private func set(_ socket: some UnixSocket, _ script: inout Script) throws -> Bool {
    let value = script.byte()
    switch value % 3 {
    case 0: try socket.setReceivesCredentials(value & 8 != 0)
    case 1: try? socket.setReceivesProcesses(value & 8 != 0)
    default:
        var isOn: CInt = 1
        setsockopt(CInt(socket.descriptorCore.descriptor), SOL_SOCKET, SO_TIMESTAMP, &isOn, socklen_t(4))
        return true
    }
    return false
}

private func send(_ bytes: [UInt8], descriptors: Int, _ socket: some UnixSocket) throws -> Sent? {
    var attachments = UnixAttachments()
    let numbers = (0..<descriptors).map { Samples.shared.original($0) }
    for number in numbers { attachments.add(rawDescriptor: RawDescriptor(number)) }
    do throws(IPCError) {
        _ = try socket.send(bytes, with: attachments, timeout: .zero)
    } catch {
        // So many can be under way.
        if error.code == .timedOut || error.code == .wouldBlock || error.code == .resourcesExhausted { return nil }
        throw error
    }
    return Sent(bytes: bytes, files: numbers.map(file))
}

private func receive(_ underway: inout [Sent], _ socket: some UnixSocket, _ script: inout Script, _ hasStamps: Bool) {
    let (room, most) = (script.number() % 4000, Int(script.byte()))
    guard let next = underway.first else { return }
    underway.removeFirst()
    do throws(IPCError) {
        let (bytes, message) = try socket.receive(upTo: room, maximumDescriptors: most, timeout: .zero)
        if bytes != Array(next.bytes.prefix(room)) { die("other bytes") }
        if message.isTruncated != (next.bytes.count > room) { die("it is not told whether the end is lost") }
        if message.size != next.bytes.count { die("another size") }
        if message.descriptors.map({ file($0.descriptorCore.descriptor) }) != Array(next.files.prefix(most)) {
            die("other descriptors")
        }
        if message.descriptorsAreTruncated != (next.files.count > most) && !hasStamps {
            die("it is not told whether descriptors are lost")
        }
        // What was sent before credentials were wanted is from nobody.
        if let process = message.credentials?.processID, process != getpid() { die("it is from somebody else") }
    } catch {
        // All together are more than the kernel has room for, where it stamps messages.
        if error.code != .resourcesExhausted || !hasStamps { die("receiving failed: \(error)") }
    }
}

func ancillarySeeds() throws -> [[UInt8]] {
    let items = [0, 8, 1, 12, 2, 4, 5, 20, 4, 3] as [UInt8]
    return [
        [0, 0, 8, 0, 30] + scripted(20) + items, [0, 31, 253, 8, 40] + scripted(90) + items,
        [0, 2, 0, 0, 0] + scripted(1) + [6, 12], [0, 4, 2, 0, 0] + scripted(1) + [132, 4, 23],
        [0, 0, 3, 16, 0] + scripted(1) + [20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0],
        [2, 0, 1] + scripted(100) + [3, 2] + scripted(200) + [3],
        [2, 3, 9, 3, 10, 0, 1] + scripted(10) + [2, 2] + scripted(5) + [1],
        [3, 0, 1] + scripted(0) + [255, 2] + scripted(0) + [253],
        [3, 3, 2, 3, 9, 1, 8] + scripted(9) + [4, 2] + scripted(9) + [9],
    ]
}
#endif
