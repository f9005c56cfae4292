// SPDX-License-Identifier: MIT OR Apache-2.0

#if !canImport(Darwin) && !os(Windows)
internal import CInterprocess

extension AttachmentKind {
    static let poolRegion = AttachmentKind(rawValue: 16)
    static let poolCredits = AttachmentKind(rawValue: 17)
    static let unsafeMemory = AttachmentKind(rawValue: 18)
}

extension SharedRegionPool.Reader: Codable {
    private enum CodingKeys: CodingKey { case slotCount, slotSize, credits, region }

    /// Takes a pool's reader out of a message, and maps the pool.
    ///
    /// - Parameter decoder: The decoder of a channel.
    /// - Throws: What the decoder throws when there is none; ``IPCError`` when what came is something else.
    public convenience init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let (slotCount, slotSize) = (
            try container.decode(Int.self, forKey: .slotCount), try container.decode(Int.self, forKey: .slotSize)
        )
        let credits = try PacketTransport.adopt(
            container.superDecoder(forKey: .credits).claim(.poolCredits),
            toReceive: false,
            isShared: true
        )
        let region = try container.superDecoder(forKey: .region).claim(.poolRegion)
        guard let layout = PoolLayout(slotCount: slotCount, slotSize: slotSize) else {
            throw IPCError(.decodingFailed, .decode, name: PoolLayout.name, detail: "no pool has such slots")
        }
        _ = try RegionMapping.size(ofReceived: region.raw, layout.byteCount, .lent, name: PoolLayout.name)
        // Else it would be this process's memory that is taken by looking at it, and as much as the other one likes.
        let raw = region.raw
        let isReserved = System.call(.memory) { cip_region_is_reserved(raw, layout.byteCount) }
        if isReserved < 0 { throw IPCError(result: isReserved, .adopt, name: PoolLayout.name) }
        if isReserved == 0 {
            throw IPCError(.invalidArgument, .adopt, name: PoolLayout.name, detail: "its memory is not there")
        }
        let core = DescriptorCore(region, name: PoolLayout.name, waker: .poll, isShared: true)
        self.init(layout, core, IPCBytesSender(credits, limit: PoolCredit.channel.maximumMessageSize))
        try memory()
    }

    /// Puts a pool's reader into a message: it moves to who gets it, once the message is sent.
    ///
    /// - Parameter encoder: The encoder of a channel.
    /// - Throws: ``IPCError/Code/encodingFailed`` for any other encoder; what the encoder throws.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(layout.slotCount, forKey: .slotCount)
        try container.encode(layout.slotSize, forKey: .slotSize)
        let credits = AttachedObject(kind: .poolCredits, core: descriptorCore, move: try beginMove())
        try container.superEncoder(forKey: .credits).encode(attachment: credits)
        let region = AttachedObject(kind: .poolRegion, core: region)
        try container.superEncoder(forKey: .region).encode(attachment: region)
    }
}

extension UnsafeSharedMemory: Codable {
    /// Takes shared memory out of a message, and maps it.
    ///
    /// - Parameter decoder: The decoder of a channel.
    /// - Throws: What the decoder throws when there is none; ``IPCError`` when what came is something else.
    public convenience init(from decoder: any Decoder) throws {
        let owned = try decoder.claim(.unsafeMemory)
        try self.init(adopting: RawDescriptor(owned.raw))
        _ = owned.release()
    }

    /// Puts shared memory into a message: who gets it can read and write it.
    ///
    /// - Parameter encoder: The encoder of a channel.
    /// - Throws: ``IPCError/Code/encodingFailed`` for any other encoder; what the encoder throws.
    public func encode(to encoder: any Encoder) throws {
        try encoder.encode(attachment: AttachedObject(kind: .unsafeMemory, core: descriptorCore))
    }
}
#endif
