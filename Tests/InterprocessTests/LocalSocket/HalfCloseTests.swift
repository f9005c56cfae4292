// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// Ending one direction of a connection.
final class HalfCloseTests: InterprocessTestCase {
    func testEndOfSending() throws {
        for name in try bothNames() {
            let (server, client) = try connected(name)
            try client.writeAll("question")
            try client.shutdown(.send)
            XCTAssertEqual(try server.readToEnd(), Array("question".utf8))
            // The other direction goes on.
            try server.writeAll("answer")
            XCTAssertEqual(try client.readExactly(6), Array("answer".utf8))
            assertThrows(.brokenPipe, .write) { try client.writeAll("more") }
            try server.shutdown(.send)
            XCTAssertEqual(try client.read(upTo: 1), [])
        }
    }

    func testEndOfSendingWakesTheReader() throws {
        let (server, client) = try connected(try pathName())
        let reader = Running { try server.read(upTo: 1) }
        reader.waitUntilBlocked()
        try client.shutdown(.send)
        XCTAssertEqual(try reader.value(), [])
    }

    func testEndOfReceiving() throws {
        for name in try bothNames() {
            let (server, client) = try connected(name)
            try server.writeAll("before")
            try client.shutdown(.receive)
            // What had come is there, then it ends; the peer cannot send any more, and can receive.
            XCTAssertEqual(try client.readToEnd(), Array("before".utf8))
            assertThrows(.brokenPipe, .write) { try server.writeAll("after") }
            try client.writeAll("onward")
            XCTAssertEqual(try server.readExactly(6), Array("onward".utf8))
        }
    }

    func testEndOfReceivingWakesTheReaderAndThePeersWriter() throws {
        let (server, client) = try connected(try pathName())
        let reader = Running { try client.read(upTo: 1) }
        reader.waitUntilBlocked()
        try client.shutdown(.receive)
        // It was not closed: to the reader it is the end of the stream.
        XCTAssertEqual(try reader.value(), [])

        let (second, other) = try connected(try pathName("t"))
        let writer = Running { try second.writeAll([UInt8](repeating: 1, count: 4 << 20)) }
        writer.waitUntilBlocked()
        try other.shutdown(.receive)
        assertThrows(.brokenPipe, .write) { try writer.value() }
        server.close()
    }

    func testBoth() throws {
        let (server, client) = try connected(try namespacedName())
        try client.shutdown(.both)
        XCTAssertEqual(try server.read(upTo: 1), [])
        XCTAssertEqual(try client.read(upTo: 1), [])
        assertThrows(.brokenPipe, .write) { try server.writeAll("x") }
        assertThrows(.brokenPipe, .write) { try client.writeAll("x") }
        XCTAssertFalse(client.isClosed)
        // Again is harmless.
        try client.shutdown(.both)
        client.close()
        assertThrows(.closed, .shutdown) { try client.shutdown(.send) }
    }

    func testHalfAndDuplicateEndItForAll() throws {
        let (server, client) = try connected(try pathName())
        let other = try client.duplicate()
        let (_, sender) = try client.split()
        try sender.writeAll("x")
        try sender.shutdown()
        XCTAssertEqual(try server.readToEnd(), [UInt8(ascii: "x")])
        assertThrows(.brokenPipe, .write) { try other.writeAll("y") }
        assertThrows(.brokenPipe, .write) { try client.writeAll("y") }
        try server.writeAll("z")
        XCTAssertEqual(try other.readExactly(1), [UInt8(ascii: "z")])
    }

    func testPair() throws {
        let (one, other) = try LocalSocketStream.pair()
        try one.writeAll("there")
        try other.writeAll("back")
        XCTAssertEqual(try other.readExactly(5), Array("there".utf8))
        XCTAssertEqual(try one.readExactly(4), Array("back".utf8))
        XCTAssertEqual(try one.peerCredentials().processID, getpid())
        try one.shutdown(.send)
        XCTAssertEqual(try other.read(upTo: 1), [])
        other.close()
        assertThrows(.brokenPipe) { try one.writeAll("x") }
    }
}
