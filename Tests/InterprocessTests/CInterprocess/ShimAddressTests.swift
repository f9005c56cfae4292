// SPDX-License-Identifier: MIT OR Apache-2.0

import CInterprocess
import Foundation
import XCTest

/// The length of an address counts its bytes, no more and no fewer.
final class ShimAddressTests: InterprocessTestCase {
    private var capacity: Int { Int(cip_address_capacity()) }

    private func localAddress(_ descriptor: Int64) -> [UInt8] {
        var bytes = [UInt8](repeating: 0xFF, count: capacity)
        let length = cip_local_address(descriptor, &bytes)
        XCTAssertGreaterThanOrEqual(length, 0)
        return Array(bytes.prefix(Int(max(0, length))))
    }

    /// Binds, connects to it, and expects each side to see the address exactly.
    private func roundTrip(_ address: [UInt8], line: UInt = #line) {
        let listener = cip_socket(Int64(CIP_STREAM), false)
        let client = cip_socket(Int64(CIP_STREAM), false)
        XCTAssertEqual(cip_bind(listener, address, address.count), 0, line: line)
        XCTAssertEqual(cip_listen(listener, 5), 0, line: line)
        XCTAssertEqual(cip_socket_listens(listener), 1, line: line)
        XCTAssertEqual(localAddress(listener), address, line: line)
        XCTAssertEqual(cip_connect(client, address, address.count), 0, line: line)
        let accepted = cip_accept(listener)
        XCTAssertEqual(localAddress(accepted), address, line: line)
        XCTAssertEqual(localAddress(client), [], "a client has no name", line: line)
        for descriptor in [listener, client, accepted] { XCTAssertEqual(cip_close(descriptor), 0, line: line) }
    }

    /// A path of that many bytes in the test's own directory.
    private func longPath(_ count: Int) -> [UInt8] {
        let start = Array((directory + "/").utf8)
        return start + [UInt8](repeating: UInt8(ascii: "p"), count: count - start.count)
    }

    func testPaths() {
        roundTrip(Array(path("s").utf8))
        roundTrip(Array(path("ä €").utf8))
        roundTrip(Array((directory + "/").utf8) + [0xFF, 0x01])
    }

    func testLongestPath() {
        for count in [capacity - 1, capacity] {
            let path = longPath(count)
            roundTrip(path)
            // The file has that very name: neither cut nor padded.
            let text = String(decoding: path, as: UTF8.self)
            XCTAssertTrue(FileManager.default.fileExists(atPath: text))
        }
    }

    func testAddressesThatCannotBe() {
        let socket = cip_socket(Int64(CIP_STREAM), false)
        let long = longPath(capacity + 1)
        XCTAssertEqual(cip_bind(socket, long, long.count), -Int64(ENAMETOOLONG))
        XCTAssertEqual(cip_connect(socket, long, long.count), -Int64(ENAMETOOLONG))
        // The kernel would choose a name of its own.
        XCTAssertEqual(cip_bind(socket, long, 0), -Int64(EINVAL))
        XCTAssertEqual(cip_connect(socket, long, 0), -Int64(EINVAL))
        XCTAssertEqual(localAddress(socket), [])
        _ = cip_close(socket)
    }

    #if os(Linux)
    func testAbstractNamesAreNotPadded() throws {
        XCTAssertEqual(cip_has_abstract_names(), 1)
        let unique = Array("interprocess-shim-\(getpid())-\(UInt64.random(in: 0 ... .max))".utf8)
        for name in [unique, unique + [0], unique + [0, 1, 0], unique + [UInt8](repeating: 0, count: 3)] {
            roundTrip([0] + name)
        }
        let filled = [0] + unique + [UInt8](repeating: UInt8(ascii: "f"), count: capacity - 1 - unique.count)
        XCTAssertEqual(filled.count, capacity)
        roundTrip(filled)
    }

    /// Names that differ in their NULs alone are different names.
    func testAbstractNamesOfDifferentLength() {
        let name = [0] + Array("interprocess-shim-\(getpid())-\(UInt64.random(in: 0 ... .max))".utf8)
        let (short, long) = (cip_socket(Int64(CIP_STREAM), false), cip_socket(Int64(CIP_STREAM), false))
        XCTAssertEqual(cip_bind(short, name, name.count), 0)
        XCTAssertEqual(cip_bind(long, name + [0], name.count + 1), 0)
        for descriptor in [short, long] { _ = cip_close(descriptor) }
    }
    #endif

    func testDatagramsByAddress() {
        let (sender, receiver) = (cip_socket(Int64(CIP_DATAGRAM), false), cip_socket(Int64(CIP_DATAGRAM), false))
        let address = Array(path("d").utf8)
        XCTAssertEqual(cip_bind(receiver, address, address.count), 0)
        XCTAssertEqual(cip_connect(sender, address, address.count), 0)
        for text in ["one", "two"] { XCTAssertEqual(cip_send(sender, Array(text.utf8), text.utf8.count, true), 3) }
        var bytes = [UInt8](repeating: 0, count: 10)
        XCTAssertEqual(cip_receive(receiver, &bytes, 10, true), 3)
        XCTAssertEqual(bytes.prefix(3), Array("one".utf8)[...])
        XCTAssertEqual(cip_receive(receiver, &bytes, 10, true), 3)
        XCTAssertEqual(bytes.prefix(3), Array("two".utf8)[...])
        for descriptor in [sender, receiver] { _ = cip_close(descriptor) }
    }
}
