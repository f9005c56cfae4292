// SPDX-License-Identifier: MIT OR Apache-2.0

#if !canImport(Darwin) && !os(Windows) && !INTERPROCESS_STREAM_CHANNELS
internal import CInterprocess

extension PacketTransport {
    /// Whether all senders are gone, now that no bytes were received: one of them may have sent a packet of nothing.
    static func hasEnded(_ core: DescriptorCore) -> Bool {
        System.call(.option) { cip_packets_ended(core.descriptor) } != 0
    }
}
#else
extension PacketTransport {
    /// Whether all senders are gone, now that no bytes were received: here there are no packets of nothing.
    static func hasEnded(_ core: DescriptorCore) -> Bool { true }
}
#endif
