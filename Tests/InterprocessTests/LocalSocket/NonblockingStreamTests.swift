// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

final class NonblockingStreamTests: InterprocessTestCase {
    func testReadAndWrite() throws {
        for name in try bothNames() {
            let listener = try LocalSocketListener(name)
            var options = LocalSocketStream.ConnectOptions()
            options.nonblocking = true
            let client = try LocalSocketStream.connect(to: name, options: options)
            let server = try listener.accept()
            assertThrows(.wouldBlock, .read) { try client.read(upTo: 1) }
            // No time limit changes that.
            assertThrows(.wouldBlock, .read) { try client.read(upTo: 1, timeout: .seconds(20)) }
            assertThrows(.wouldBlock, .read) { try client.readLine() }
            try server.writeAll("x")
            XCTAssertEqual(try client.read(upTo: 10), [UInt8(ascii: "x")])
            let error = assertThrows(.wouldBlock, .read) { try client.readExactly(1) }
            XCTAssertEqual(error?.systemCode, nil)
            server.close()
            XCTAssertEqual(try client.read(upTo: 1), [])
            listener.close()
        }
    }

    func testPartialReadExactlyKeepsTheBytes() throws {
        let (server, client) = try connected(try pathName())
        server.setNonblocking(true)
        try client.writeAll("abc")
        let error = assertThrows(.wouldBlock, .read) { try server.readExactly(5) }
        XCTAssertEqual(error?.bytesTransferred, 3)
        try client.writeAll("de")
        XCTAssertEqual(try server.readExactly(5), Array("abcde".utf8))
    }

    func testPartialWriteAllTellsHowFarItCame() throws {
        let (server, client) = try connected(try pathName())
        client.setNonblocking(true)
        let bytes = (0..<(8 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        let error = assertThrows(.wouldBlock, .write) { try client.writeAll(bytes) }
        let sent = try XCTUnwrap(error).bytesTransferred
        XCTAssertGreaterThan(sent, 0)
        XCTAssertLessThan(sent, bytes.count)
        let again = assertThrows(.wouldBlock, .write) { try client.writeAll(bytes[sent...] + []) }
        XCTAssertEqual(again?.bytesTransferred, 0)

        // Going on from there, in blocking mode, completes the message.
        let reader = Running { try server.readToEnd() }
        client.setNonblocking(false)
        try client.writeAll(Array(bytes[sent...]))
        client.close()
        XCTAssertEqual(try reader.value(), bytes)
    }

    /// It is a setting of the object: the descriptor's mode, which others may share, stays as it is.
    func testDescriptorIsLeftAlone() throws {
        let (one, other) = try LocalSocketStream.pair()
        let copy = try one.duplicate()
        one.setNonblocking(true)
        let flags = try one.withUnsafeDescriptor { fcntl($0, F_GETFL) }
        XCTAssertEqual(flags & O_NONBLOCK, 0)
        let reader = Running { try copy.read(upTo: 1) }
        reader.waitUntilBlocked()
        assertThrows(.wouldBlock) { try one.read(upTo: 1) }
        try other.writeAll("x")
        XCTAssertEqual(try reader.value(), [UInt8(ascii: "x")])
    }

    /// And a descriptor that somebody else has put into nonblocking mode waits all the same.
    func testForeignNonblockingMode() throws {
        let (one, other) = try LocalSocketStream.pair()
        _ = try one.withUnsafeDescriptor { fcntl($0, F_SETFL, O_NONBLOCK) }
        let reader = Running { try one.read(upTo: 1) }
        reader.waitUntilBlocked()
        try other.writeAll("x")
        XCTAssertEqual(try reader.value(), [UInt8(ascii: "x")])
        let filled = try fill(one)
        let writer = Running { try one.writeAll("y") }
        writer.waitUntilBlocked()
        XCTAssertEqual(try other.readExactly(filled).count, filled)
        try writer.value()
        XCTAssertEqual(try other.readExactly(1), [UInt8(ascii: "y")])
    }

    func testHalves() throws {
        let (one, other) = try LocalSocketStream.pair()
        let (receiver, sender) = try one.split()
        receiver.setNonblocking(true)
        assertThrows(.wouldBlock, .read) { try receiver.read(upTo: 1) }
        let writer = Running { try sender.writeAll([UInt8](repeating: 1, count: 4 << 20)) }
        writer.waitUntilBlocked()
        XCTAssertEqual(try other.readExactly(4 << 20).count, 4 << 20)
        try writer.value()
        sender.setNonblocking(true)
        assertThrows(.wouldBlock, .write) { try sender.writeAll([UInt8](repeating: 1, count: 4 << 20)) }
    }
}
