// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

/// What addresses can be, and that they come back from the system as they were.
final class UnixAddressTests: InterprocessTestCase {
    func testPaths() throws {
        let address = try UnixSocketAddress.path(path())
        XCTAssertEqual(address.path, path())
        XCTAssertEqual(address.pathBytes, Array(path().utf8))
        XCTAssertEqual(address.description, path())
        XCTAssertNil(address.abstractBytes)
        XCTAssertFalse(address.isUnnamed)
        XCTAssertEqual(address, try .path(bytes: Array(path().utf8)))
        XCTAssertEqual(try UnixSocketAddress.path(bytes: [0xff, 0x2f]).pathBytes, [0xff, 0x2f])
        assertThrows(.invalidName, .name) { try UnixSocketAddress.path("") }
        assertThrows(.invalidName, .name) { try UnixSocketAddress.path("a\0b") }
        let limit = UnixSocketAddress.capacity
        XCTAssertEqual(try UnixSocketAddress.path(bytes: Array(repeating: 7, count: limit)).pathBytes?.count, limit)
        assertThrows(.nameTooLong, .name) { try UnixSocketAddress.path(bytes: Array(repeating: 7, count: limit + 1)) }
    }

    func testUnnamed() throws {
        XCTAssertTrue(UnixSocketAddress.unnamed.isUnnamed)
        XCTAssertNil(UnixSocketAddress.unnamed.path)
        XCTAssertNil(UnixSocketAddress.unnamed.abstractBytes)
        assertThrows(.invalidArgument, .connect) { try UnixStream.connect(toAddress: .unnamed) }
        let (one, other) = try UnixStream.pair()
        XCTAssertEqual(try one.localAddress(), .unnamed)
        XCTAssertEqual(try other.peerAddress(), .unnamed)
        one.close()
        assertThrows(.closed) { try one.localAddress() }
        assertThrows(.closed) { try one.peerAddress() }
    }

    /// Both ends of a connection tell the server's address, also a path as long as can be.
    func testPathRoundTrip() throws {
        let longest = path(String(repeating: "x", count: UnixSocketAddress.capacity - path("").utf8.count))
        XCTAssertEqual(longest.utf8.count, UnixSocketAddress.capacity)
        for path in [path(), longest] { try checkRoundTrip(try .path(path)) }
    }

    private func checkRoundTrip(_ address: UnixSocketAddress) throws {
        let listener = try UnixListener(address: address)
        XCTAssertEqual(try listener.localAddress(), address)
        let client = try UnixStream.connect(toAddress: address)
        let server = try listener.accept()
        XCTAssertEqual(try client.peerAddress(), address)
        XCTAssertEqual(try client.localAddress(), .unnamed)
        XCTAssertEqual(try server.localAddress(), address)
        XCTAssertEqual(try server.peerAddress(), .unnamed)
        try client.writeAll("line\n")
        XCTAssertEqual(try server.readLine(), "line")
        listener.close()
        if let path = address.path { XCTAssertNil(FileImage(path)) }
    }

    #if os(Linux)
    private func uniqueBytes() -> [UInt8] { (0..<16).map { _ in UInt8.random(in: 0...255) } }

    /// All bytes count, NULs too, and none more than there are.
    func testAbstractNames() throws {
        let unique = uniqueBytes()
        for name in [unique, unique + [0], [0] + unique, unique + [0, 0, 7], Array((unique + unique).prefix(31))] {
            try checkRoundTrip(try .abstract(bytes: name))
        }
        let longest = unique + [UInt8](repeating: 0, count: 107 - 16)
        try checkRoundTrip(try .abstract(bytes: longest))
        assertThrows(.nameTooLong, .name) { try UnixSocketAddress.abstract(bytes: longest + [1]) }
        XCTAssertEqual(try UnixSocketAddress.abstract("name").description, "@name")
        XCTAssertEqual(try UnixSocketAddress.abstract("name").abstractBytes, Array("name".utf8))
        XCTAssertNil(try UnixSocketAddress.abstract("name").path)
    }

    /// Names that differ by a NUL at the end are different ones.
    func testAbstractNamesAreExact() throws {
        let name = uniqueBytes()
        let listener = try UnixListener(address: .abstract(bytes: name))
        assertThrows(.connectionRefused) { try UnixStream.connect(toAddress: .abstract(bytes: name + [0])) }
        let other = try UnixListener(address: .abstract(bytes: name + [0]))
        _ = try UnixStream.connect(toAddress: .abstract(bytes: name))
        XCTAssertNoThrow(try listener.accept(timeout: .zero))
        assertThrows(.timedOut) { try other.accept(timeout: .zero) }
        assertThrows(.addressInUse, .listen) { try UnixListener(address: .abstract(bytes: name)) }
    }

    func testAutomaticAddress() throws {
        let listener = try UnixListener(address: .automatic)
        let other = try UnixListener(address: .automatic)
        let address = try listener.localAddress()
        XCTAssertEqual(address.abstractBytes?.count, 5)
        XCTAssertNotEqual(address, try other.localAddress())
        XCTAssertEqual(listener.name?.description, address.description)
        let client = try UnixStream.connect(toAddress: address)
        XCTAssertEqual(try listener.accept().peerCredentials().processID, getpid())
        client.close()
    }
    #endif

    /// A name of local sockets and an address mean the same socket.
    func testNamesAndAddresses() throws {
        let listener = try UnixListener(try pathName())
        XCTAssertEqual(try UnixStream.connect(toAddress: .path(path())).peerAddress(), try listener.localAddress())
        XCTAssertEqual(try listener.accept().localAddress().path, path())
        listener.close()
        let other = try UnixListener(address: .path(path()))
        XCTAssertEqual(other.name, try pathName())
        try assertReached(other)
    }
}
