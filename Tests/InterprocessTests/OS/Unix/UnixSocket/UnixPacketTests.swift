// SPDX-License-Identifier: MIT OR Apache-2.0

#if !canImport(Darwin)
import Foundation
import XCTest

@testable import Interprocess

/// Packets: messages over a connection.
final class UnixPacketTests: InterprocessTestCase {
    private func packetSockets(_ address: UnixSocketAddress) throws -> (
        server: UnixPacketSocket, client: UnixPacketSocket
    ) {
        let listener = try UnixPacketListener(address: address)
        let client = try UnixPacketSocket.connect(to: address)
        defer { listener.close() }
        return (try listener.accept(), client)
    }

    func testBoundaries() throws {
        let (server, client) = try packetSockets(.path(path()))
        let packets: [[UInt8]] = [[1, 2, 3], [], [4], [UInt8](repeating: 5, count: 60_000)]
        for bytes in packets { try client.send(bytes) }
        XCTAssertEqual(try server.receive(upTo: 100).bytes, [1, 2, 3])
        let empty = try server.receive(upTo: 100)
        XCTAssertEqual(empty.bytes, [])
        #if os(Linux)
        XCTAssertFalse(empty.message.isEnd, "an empty packet is none")
        #endif
        XCTAssertEqual(try server.receive(upTo: 100).bytes, [4])
        let (bytes, message) = try server.receive(upTo: 100)
        XCTAssertEqual(bytes, [UInt8](repeating: 5, count: 100))
        XCTAssertTrue(message.isTruncated)
        #if os(Linux)
        XCTAssertEqual(message.size, 60_000)
        #endif
        assertThrows(.timedOut) { try server.receive(upTo: 100, timeout: .zero) }
        XCTAssertNil(FileImage(path()), "the listener's file is still there")
    }

    /// The end is told from empty packets, as far as that can be: also when it has come while packets wait.
    func testEndAndEmptyPackets() throws {
        let (one, other) = try UnixPacketSocket.pair()
        let sent: [[UInt8]] = [[], [1], [], [], [2]]
        for bytes in sent { try one.send(bytes) }
        one.close()
        var received: [[UInt8]] = []
        while true {
            let (bytes, message) = try other.receive(upTo: 10)
            if message.isEnd { break }
            received.append(bytes)
        }
        #if os(Linux)
        XCTAssertEqual(received, sent)
        #endif
        XCTAssertTrue(try other.receive(upTo: 10).message.isEnd)
    }

    func testHalfClose() throws {
        let (one, other) = try UnixPacketSocket.pair()
        try one.send([1])
        try one.shutdown(.send)
        XCTAssertEqual(try other.receive(upTo: 10).bytes, [1])
        XCTAssertTrue(try other.receive(upTo: 10).message.isEnd)
        try other.send([2])
        XCTAssertEqual(try one.receive(upTo: 10).bytes, [2])
        assertThrows(.brokenPipe, .write) { try one.send([3]) }
        one.close()
        assertThrows(.brokenPipe, .write) { try other.send([3]) }
    }

    #if os(Linux)
    func testNextMessageSize() throws {
        let (one, other) = try UnixPacketSocket.pair()
        try one.send([UInt8](repeating: 1, count: 777))
        try one.send([])
        for _ in 0..<2 { XCTAssertEqual(try other.nextMessageSize(), 777) }
        XCTAssertEqual(try other.peek(upTo: 3), [1, 1, 1])
        XCTAssertEqual(try other.receive(upTo: 1000).bytes.count, 777)
        XCTAssertEqual(try other.nextMessageSize(), 0)
        XCTAssertFalse(try other.receive(upTo: 0).message.isEnd)
        assertThrows(.timedOut, .read) { try other.nextMessageSize(timeout: .zero) }
        let waiting = Running { try other.nextMessageSize() }
        waiting.waitUntilBlocked()
        try one.send([1, 2])
        XCTAssertEqual(try waiting.value(), 2)
    }

    /// A packet may have no bytes and still carry descriptors.
    func testDescriptorsAlone() throws {
        let (one, other) = try UnixPacketSocket.pair()
        try one.send([], with: .descriptors(one))
        let message = try other.receive(upTo: 0, maximumDescriptors: 1).message
        XCTAssertEqual(message.descriptors.count, 1)
        XCTAssertFalse(message.isEnd)
    }
    #endif

    func testTooLarge() throws {
        let (one, other) = try UnixPacketSocket.pair()
        try one.setSendBufferSize(10_000)
        assertThrows(.messageTooLarge, .write) { try one.send([UInt8](repeating: 1, count: 100_000)) }
        let byte: [UInt8] = [1]
        _ = byte.withUnsafeBytes { memory in
            assertThrows(.invalidArgument, .write) {
                try one.send(gathering: Array(repeating: UnsafeRawBufferPointer(memory), count: 1025))
            }
        }
        assertThrows(.timedOut) { try other.receive(upTo: 1, timeout: .zero) }
    }

    func testKindsDoNotMix() throws {
        let listener = try UnixPacketListener(address: .path(path()))
        assertThrows(.invalidArgument, .connect) { try UnixStream.connect(toAddress: .path(path())) }
        assertThrows(.invalidArgument, .connect) { try UnixDatagramSocket().connect(to: .path(path())) }
        assertThrows(.addressInUse, .listen) { try UnixListener(address: .path(path())) }
        let (stream, _) = try UnixStream.pair()
        try stream.withUnsafeDescriptor { descriptor in
            assertThrows(.invalidArgument, .adopt) { try UnixPacketSocket(adopting: descriptor) }
            assertThrows(.invalidArgument, .adopt) { try UnixPacketListener(adopting: descriptor) }
            assertThrows(.invalidArgument, .adopt) { try UnixDatagramSocket(adopting: descriptor) }
        }
        try listener.withUnsafeDescriptor { descriptor in
            assertThrows(.invalidArgument, .adopt) { try UnixPacketSocket(adopting: descriptor) }
            assertThrows(.invalidArgument, .adopt) { try UnixListener(adopting: descriptor) }
        }
    }

    /// The file of a dead listener is replaced, and that of a living one stays.
    func testStaleFile() throws {
        let dead = try UnixPacketListener(address: .path(path()))
        assertThrows(.addressInUse, .listen) { try UnixPacketListener(address: .path(path())) }
        dead.keepNameOnClose()
        dead.close()
        XCTAssertNotNil(FileImage(path()))
        let listener = try UnixPacketListener(address: .path(path()))
        XCTAssertEqual(FileImage(path())?.permissions, 0o600)
        let client = try UnixPacketSocket.connect(to: .path(path()))
        XCTAssertEqual(try listener.accept().peerCredentials().processID, getpid())
        XCTAssertEqual(try client.peerCredentials().processID, getpid())
        XCTAssertEqual(try listener.localAddress().path, path())
    }

    func testAdoptingAndDuplicating() throws {
        let address = try UnixSocketAddress.path(path())
        let made = try UnixPacketListener(address: address)
        let listener = try UnixPacketListener(adopting: made.withUnsafeDescriptor { dup($0) })
        made.keepNameOnClose()
        made.close()
        let client = try UnixPacketSocket.connect(to: address)
        let server = try listener.accept()
        let copy = try server.duplicate()
        server.close()
        try client.send([1])
        XCTAssertEqual(try copy.receive(upTo: 9).bytes, [1])
        let adopted = try UnixPacketSocket(adopting: copy.detach())
        try adopted.send([2])
        XCTAssertEqual(try client.receive(upTo: 9).bytes, [2])
        XCTAssertNil(try client.takeError())
    }

    func testAdoptingAListenersDescriptor() throws {
        let address = try UnixSocketAddress.path(path())
        let made = try UnixPacketListener(address: address)
        let copy = try IPCDescriptor(adopting: made.withUnsafeDescriptor { dup($0) })
        let listener = try UnixPacketListener(adopting: copy)
        assertThrows(.closed) { try copy.detach() }
        let client = try UnixPacketSocket.connect(to: address)
        try client.send([1])
        XCTAssertEqual(try listener.accept(timeout: .seconds(20)).receive(upTo: 9).bytes, [1])
        // What is no listener is closed.
        let before = OpenDescriptors.count
        let other = try IPCDescriptor(adopting: client.withUnsafeDescriptor { dup($0) })
        assertThrows(.invalidArgument, .adopt) { try UnixPacketListener(adopting: other) }
        XCTAssertEqual(OpenDescriptors.count, before)
    }

    func testDeferredConnection() throws {
        let address = try UnixSocketAddress.path(path())
        var options = LocalSocketListener.Options()
        options.backlog = 0
        let listener = try UnixPacketListener(address: address, options: options)
        let first = try UnixPacketSocket.connect(to: address)
        assertThrows(.timedOut, .connect) {
            try UnixPacketSocket.connect(to: address, options: waiting(.timeout(.milliseconds(1))))
        }
        let second = try UnixPacketSocket.connect(to: address, options: waiting(.deferred))
        let sender = Running { try second.send([1]) }
        XCTAssertFalse(try listener.accept().isClosed)
        let server = try listener.accept()
        try sender.value()
        XCTAssertEqual(try server.receive(upTo: 9).bytes, [1])
        first.close()
    }
}
#endif
