// SPDX-License-Identifier: MIT OR Apache-2.0

import XCTest

@testable import Interprocess

/// A socket with another one at the other end.
struct UnixSocketPair {
    let name: String
    let one: any UnixSocket
    let other: any UnixSocket

    func close() {
        for socket in [one, other] { socket.descriptorCore.close() }
    }
}

extension InterprocessTestCase {
    /// Every kind of socket, made here and shared with others: they wait in different ways.
    func eachKindOfUnixSocket() throws -> [UnixSocketPair] {
        let (stream, otherStream) = try UnixStream.pair()
        let (shared, otherShared) = try UnixStream.pair()
        try shared.withUnsafeDescriptor { _ in }
        let (datagrams, otherDatagrams) = try UnixDatagramSocket.pair()
        var pairs = [
            UnixSocketPair(name: "stream", one: stream, other: otherStream),
            UnixSocketPair(name: "shared stream", one: shared, other: otherShared),
            UnixSocketPair(name: "datagrams", one: datagrams, other: otherDatagrams),
        ]
        #if !canImport(Darwin)
        let (packets, otherPackets) = try UnixPacketSocket.pair()
        let (sharedPackets, otherSharedPackets) = try UnixPacketSocket.pair()
        try sharedPackets.withUnsafeDescriptor { _ in }
        pairs.append(UnixSocketPair(name: "packets", one: packets, other: otherPackets))
        pairs.append(UnixSocketPair(name: "shared packets", one: sharedPackets, other: otherSharedPackets))
        #endif
        return pairs
    }

    /// Sends until nothing more fits; returns how many messages or bytes that were.
    func fill(_ socket: any UnixSocket) throws -> Int {
        var count = 0
        while true {
            do throws(IPCError) {
                // Small ones, so that not even one byte of a stream has room in the end.
                _ = try socket.send([7], timeout: .zero)
                count += 1
            } catch {
                XCTAssertEqual(error.code, .timedOut)
                return count
            }
        }
    }
}

extension UnixSocket {
    /// Sets how calls wait, as each kind has it for itself.
    func setNonblockingForTest(_ nonblocking: Bool) {
        receivingSide.settings.isNonblocking = nonblocking
        sendingSide.settings.isNonblocking = nonblocking
    }
}
