// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What libFuzzer calls: see .ci/fuzz, which compiles this with the library's own sources, as one module.
//
// The first byte of an input says what it is for, and the rest is a message, or packets. Whatever comes, it must end soon,
// with a value or one of the library's errors, and leave no descriptor open. A value must then be encoded to a message that
// gives the same value: to the same bytes, where the format has but one form for it.

#if os(Linux)
internal import CInterprocess
private import Glibc

/// Is given an input.
private typealias Target = (UnsafeRawBufferPointer) -> Void

// There is one thread.
private nonisolated(unsafe) let encoder = IPCEncoder()
private nonisolated(unsafe) let decoder: IPCDecoder = {
    var limits = IPCCodingLimits()
    limits.bytes = 1 << 20
    return IPCDecoder(limits: limits)
}()

private func die(_ message: String) -> Never { fatalError("found: \(message)") }

/// Decodes an input, and encodes what it is: which has to be the input, if the test is strict.
private func codec<Value: Codable>(_ type: Value.Type, isStrict: Bool = false) -> Target {
    { bytes in
        guard let value = try? decoder.decode(type, from: bytes.bytes) else { return }
        guard let message = try? encoder.encode(value) else { die("\(type): what was decoded cannot be encoded") }
        if isStrict && !bytes.elementsEqual(message) { die("\(type): two messages for one value") }
        guard let again = try? decoder.decode(type, from: message) else { die("\(type): its message is refused") }
        if (try? encoder.encode(again)) != message { die("\(type): the value has changed") }
    }
}

/// Plain structs where they are known to be such: other functions.
private func plain(_ bytes: UnsafeRawBufferPointer) {
    guard let value = try? decoder.decode(Point.self, from: bytes.bytes) else { return }
    guard let message = try? encoder.encode(value), bytes.elementsEqual(message) else { die("a plain struct") }
}

/// A value with endpoints, and descriptors that came with it.
private func endpoints(_ bytes: UnsafeRawBufferPointer) {
    guard let order = bytes.first else { return }
    let count = Int(order % 6)
    let attachments = ReceivedDescriptors((0..<count).map { Samples.shared.duplicate(Int(order / 6) + $0) })
    let message = UnsafeRawBufferPointer(rebasing: bytes.dropFirst())
    _ = try? decoder.decode([Ends].self, from: message.bytes, attachments)
}

/// Packets as they come: each with two bytes for its size, and one for the number of its descriptors.
private func packets(_ bytes: UnsafeRawBufferPointer) {
    var inbox = PacketInbox(limit: 1 << 16)
    var rest = bytes[...]
    while rest.count >= 3 {
        let size = Int(rest[rest.startIndex]) | Int(rest[rest.startIndex + 1]) << 8
        let passed = rest[rest.startIndex + 2]
        let packet = UnsafeRawBufferPointer(rebasing: rest.dropFirst(3).prefix(size))
        rest = rest.dropFirst(3 + size)
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

private nonisolated(unsafe) let targets: [Target] = [
    codec(Everything.self), codec([UInt8].self), codec(String.self, isStrict: true), codec([String: [Int?]].self),
    codec([String: String].self, isStrict: true), codec(Point.self, isStrict: true), codec([Point].self),
    codec(Tree.self), codec(Int???.self, isStrict: true), codec(Set<String>.self, isStrict: true),
    codec([[Float]].self), codec(Bool.self, isStrict: true), codec(TreeHolder.self), plain, endpoints, packets,
]

/// Comes first.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(_ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutableRawPointer) -> CInt {
    _ = Samples.shared
    if let folder = getenv("INTERPROCESS_FUZZ_CORPUS") { writeSeeds(to: String(cString: folder)) }
    return 0
}

/// Comes for each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func test(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = UnsafeRawBufferPointer(start: bytes, count: count)
    guard let first = input.first else { return -1 }
    Samples.shared.withoutLeaks {
        targets[Int(first) % targets.count](UnsafeRawBufferPointer(rebasing: input.dropFirst()))
    }
    return 0
}
#endif
