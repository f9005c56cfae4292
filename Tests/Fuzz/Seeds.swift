// SPDX-License-Identifier: MIT OR Apache-2.0

#if os(Linux)
internal import CInterprocess
private import Glibc

/// Valid inputs of every kind, to begin with.
func writeSeeds(to folder: String) {
    do {
        for (number, seed) in try seeds().enumerated() {
            guard let file = fopen("\(folder)/\(number)", "w") else { fatalError("cannot write to \(folder)") }
            fwrite(seed, 1, seed.count, file)
            fclose(file)
        }
    } catch { fatalError("no seeds: \(error)") }
    exit(0)
}

/// In the order of the targets.
private func seeds() throws -> [[UInt8]] {
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
    let ends = try Samples.shared.message()
    let packets = [
        packet(.message, messages[2], descriptors: 0) + packet(.message, ends, descriptors: 3),
        packet(.firstPart, number(7) + number(6) + [1, 2, 3], descriptors: 1)
            + packet(.part, number(7) + [4, 5, 6], descriptors: 0),
        packet(.firstPart, number(8) + number(9) + [1], descriptors: 0)
            + packet(.abandonment, number(8), descriptors: 0),
    ]
    var seeds = messages.enumerated().map { [UInt8($0)] + $1 }
    seeds.append([14, 5] + ends)
    seeds += packets.map { [15] + $0 }
    return seeds
}

private func number(_ value: UInt64) -> [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }

/// A packet of one frame.
private func packet(_ kind: FrameHead.Kind, _ bytes: [UInt8], descriptors: Int) -> [UInt8] {
    var head = [UInt8](repeating: 0, count: FrameHead.size)
    head.withUnsafeMutableBytes { head in
        guard let base = head.baseAddress else { return }
        FrameHead(kind, byteCount: bytes.count, attachmentCount: descriptors).store(to: base)
    }
    let size = head.count + bytes.count
    return [UInt8(truncatingIfNeeded: size), UInt8(size >> 8), UInt8(descriptors)] + head + bytes
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
