// SPDX-License-Identifier: MIT OR Apache-2.0

#if os(Linux)
internal import CInterprocess

// There is one thread.
private nonisolated(unsafe) let encoder = IPCEncoder()
private nonisolated(unsafe) let decoder: IPCDecoder = {
    var limits = IPCCodingLimits()
    limits.bytes = 1 << 20
    return IPCDecoder(limits: limits)
}()

/// Decodes messages as one type or another: the first byte says which.
///
/// A value must then be encoded to a message that gives the same value: to the same bytes, where the format has but one
/// form for it.
func driveCoding(_ input: UnsafeRawBufferPointer) {
    guard let first = input.first else { return }
    targets[Int(first) % targets.count](UnsafeRawBufferPointer(rebasing: input.dropFirst()))
}

private nonisolated(unsafe) let targets: [Driver] = [
    codec(Everything.self), codec([UInt8].self), codec(String.self, isStrict: true), codec([String: [Int?]].self),
    codec([String: String].self, isStrict: true), codec(Point.self, isStrict: true), codec([Point].self),
    codec(Tree.self), codec(Int???.self, isStrict: true), codec(Set<String>.self, isStrict: true),
    codec([[Float]].self), codec(Bool.self, isStrict: true), codec(TreeHolder.self), plain, endpoints,
]

/// Decodes an input, and encodes what it is: which has to be the input, if the test is strict.
private func codec<Value: Codable>(_ type: Value.Type, isStrict: Bool = false) -> Driver {
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

/// In the order of the targets.
func codingSeeds() throws -> [[UInt8]] {
    let encoder = IPCEncoder()
    let everything = Everything()
    let messages = [
        try encoder.encode(everything), try encoder.encode(everything.bytes), try encoder.encode(everything.text),
        try encoder.encode(["a": [1, nil], "b": []]), try encoder.encode(["k": "v", "": "w"]),
        try encoder.encode(Point(x: 1)), try encoder.encode(everything.points), try encoder.encode(everything.tree),
        try encoder.encode(Int???.some(nil)), try encoder.encode(Set(["x", "yy"])),
        try encoder.encode([[1, 2.5], []] as [[Float]]),
        try encoder.encode(true), try encoder.encode(TreeHolder()), try encoder.encode(Point(x: 2)),
    ]
    return messages.enumerated().map { [UInt8($0)] + $1 } + [[14, 5] + (try Samples.shared.message())]
}

extension Samples {
    /// A value with endpoints in it, in the order of the descriptors.
    func message() throws -> [UInt8] {
        let (sender, receiver) = try IPCChannel.make(of: Int.self)
        let (texts, inbox) = try IPCChannel.make(of: String.self)
        let (near, far) = try LocalSocketStream.pair()
        let region = try SharedRegion(copying: [1, 2, 3].span.bytes)
        let (pool, reader) = try SharedRegionPool.make(slotCount: 1, slotSize: 10)
        let memory = try UnsafeSharedMemory(byteCount: 10)
        defer { withExtendedLifetime((receiver, texts, near, pool)) {} }
        let other = try IPCDescriptor(adopting: RawDescriptor(duplicate(0)))
        let ends = [
            Ends.sender(sender), .stream(far), .region(region), .receiver(inbox, [other]), .memory(memory),
            .pool(reader),
        ]
        return try IPCEncoder().withMessage(of: ends) { bytes, _ in bytes.withUnsafeBytes { Array($0) } }
    }
}
#endif
