// SPDX-License-Identifier: MIT OR Apache-2.0

#if !os(Windows)
internal import CInterprocess

/// What a Unix domain socket carries.
public enum UnixSocketKind: Sendable, Hashable {
    /// Bytes, over a connection (`SOCK_STREAM`): ``UnixStream``.
    case stream
    /// Messages, over a connection (`SOCK_SEQPACKET`): `UnixPacketSocket`.
    case packets
    /// Messages, each to where it says (`SOCK_DGRAM`): ``UnixDatagramSocket``.
    case datagrams

    /// As the shim has it.
    var native: Int64 {
        switch self {
        case .stream: Int64(CIP_STREAM)
        case .packets: Int64(CIP_SEQUENCED_PACKETS)
        case .datagrams: Int64(CIP_DATAGRAM)
        }
    }

    /// Whether what is sent comes out in the same pieces.
    var keepsBoundaries: Bool { self != .stream }

    /// Whether it has listeners and connections.
    var listens: Bool { self != .datagrams }

    /// What a descriptor is not that cannot be adopted as one.
    func description(listening: Bool) -> StaticString {
        switch (self, listening) {
        case (.stream, true): "it is not a listening Unix stream socket"
        case (.stream, false): "it is not a Unix stream socket that can be connected"
        case (.packets, true): "it is not a listening Unix socket for packets"
        case (.packets, false): "it is not a Unix socket for packets that can be connected"
        case (.datagrams, _): "it is not a Unix socket for datagrams"
        }
    }
}
#endif
