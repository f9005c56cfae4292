// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// Peers that go away: in good order, in the middle, and by being killed.
final class DisconnectTests: InterprocessTestCase {
    func testEndIsReadAgainAndAgain() throws {
        for name in try bothNames() {
            let (server, client) = try connected(name)
            try client.writeAll("last words")
            client.close()
            XCTAssertEqual(try server.readToEnd(), Array("last words".utf8))
            for _ in 0..<3 {
                XCTAssertEqual(try server.read(upTo: 10), [])
                XCTAssertNil(try server.readLine())
                assertThrows(.endOfStream, .read) { try server.readExactly(1) }
            }
        }
    }

    /// Each way of reading that waits ends when the peer does.
    func testPeerLeavesWhileReading() throws {
        let reads: [@Sendable (LocalSocketStream) throws -> String] = [
            { "\(try $0.read(upTo: 10).count)" },
            { "\(try $0.read(upTo: 10, timeout: .seconds(20)).count)" },
            { "\(try $0.readToEnd().count)" },
            { try $0.readLine() ?? "0" },
        ]
        for read in reads {
            let (server, client) = try connected(try pathName())
            let reader = Running { try read(server) }
            reader.waitUntilBlocked()
            client.close()
            XCTAssertEqual(try reader.value(), "0")
        }
        let (server, client) = try connected(try pathName())
        let reader = Running { try server.readExactly(10) }
        reader.waitUntilBlocked()
        try client.writeAll("four")
        reader.waitUntilBlocked()
        client.close()
        let error = assertThrows(.endOfStream, .read) { try reader.value() }
        XCTAssertEqual(error?.bytesTransferred, 4)
        // What had come is not lost.
        XCTAssertEqual(try server.read(upTo: 10), Array("four".utf8))
    }

    func testPeerLeavesWhileWriting() throws {
        for timeout in [nil, Duration.seconds(20)] {
            let (server, client) = try connected(try pathName())
            let sent = try fill(server)
            let writer = Running { try server.writeAll([UInt8](repeating: 1, count: 1 << 20), timeout: timeout) }
            writer.waitUntilBlocked()
            XCTAssertEqual(try client.readExactly(sent).count, sent)
            client.close()
            let error = assertThrows(.brokenPipe, .write) { try writer.value() }
            XCTAssertLessThan(try XCTUnwrap(error).bytesTransferred, 1 << 20)
            assertThrows(.brokenPipe, .write) { try server.write([1]) }
        }
    }

    func testKilledPeer() throws {
        for name in try bothNames() {
            let listener = try LocalSocketListener(name)
            for waitsWith in [nil, Duration.seconds(20)] {
                let peer = try ChildProcess.helper("hold", name.description)
                peer.expect("connected")
                let server = try listener.accept()
                let reader = Running { try server.read(upTo: 1, timeout: waitsWith) }
                reader.waitUntilBlocked()
                peer.crash()
                XCTAssertEqual(try reader.value(), [])
                assertThrows(.brokenPipe, .write) { try server.writeAll("x") }
            }
            // One that had not read what was sent to it resets the connection instead.
            let peer = try ChildProcess.helper("hold", name.description)
            peer.expect("connected")
            let server = try listener.accept()
            try server.writeAll("unread")
            peer.crash()
            assertThrows(.connectionReset, .read) { try server.read(upTo: 1) }
            XCTAssertEqual(try server.read(upTo: 1), [])
            listener.close()
        }
    }

    func testPeerIsKilledWhileWriting() throws {
        let listener = try LocalSocketListener(try pathName())
        let peer = try ChildProcess.helper("hold", path())
        peer.expect("connected")
        let server = try listener.accept()
        let writer = Running { try server.writeAll([UInt8](repeating: 1, count: 4 << 20)) }
        writer.waitUntilBlocked()
        peer.crash()
        // The kernel uses the reset up to end the call that had sent a part; the next one finds the pipe broken.
        let error = assertThrows(.brokenPipe, .write) { try writer.value() }
        XCTAssertGreaterThan(try XCTUnwrap(error).bytesTransferred, 0)
        XCTAssertEqual(try server.read(upTo: 1), [])
    }

    func testKilledServer() throws {
        for name in try bothNames() {
            let server = try ChildProcess.helper("serve", name.description, "2")
            server.expect("ready")
            let client = try LocalSocketStream.connect(to: name)
            try client.writeAll("x\n")
            XCTAssertEqual(try client.readLine(), "x")
            let reader = Running { try client.readLine() }
            reader.waitUntilBlocked()
            server.crash()
            XCTAssertNil(try reader.value())
            assertThrows(.connectionRefused) { try LocalSocketStream.connect(to: name) }
        }
    }

    /// A peer that closes with data unread: what it had sent comes first, then the error, once, and then the end.
    func testUnreadDataAtClose() throws {
        for name in try bothNames() {
            let (server, client) = try connected(name)
            try server.writeAll("you will not read this")
            try client.writeAll("but you this")
            client.close()
            XCTAssertEqual(try server.readExactly(12), Array("but you this".utf8))
            assertThrows(.connectionReset, .read) { try server.read(upTo: 1) }
            XCTAssertEqual(try server.read(upTo: 1), [])
        }
    }

    func testUnreadDataAtCloseWakesReaders() throws {
        let (server, client) = try connected(try pathName())
        try server.writeAll("unread")
        let reader = Running { try server.readExactly(5) }
        reader.waitUntilBlocked()
        client.close()
        assertThrows(.connectionReset, .read) { try reader.value() }
    }

    func testTakeError() throws {
        for name in try bothNames() {
            let (server, client) = try connected(name)
            XCTAssertNil(try server.takeError())
            try server.writeAll("unread")
            client.close()
            let error = try XCTUnwrap(try server.takeError())
            XCTAssertEqual(error.code, .connectionReset)
            XCTAssertEqual(error.systemCode, Int64(ECONNRESET))
            // It is taken: neither asked for nor read again.
            XCTAssertNil(try server.takeError())
            XCTAssertEqual(try server.read(upTo: 1), [])
            server.close()
            assertThrows(.closed) { try server.takeError() }
        }
    }

    /// Connecting and leaving at every stage, many times, disturbs nobody.
    func testManyWhoLeaveAtEveryStage() throws {
        let name = try pathName()
        let listener = try LocalSocketListener(name)
        let server = Running {
            var complete = 0
            for result in listener.incoming {
                let stream = try result.get()
                do {
                    let message = try stream.readExactly(4)
                    try stream.writeAll(message)
                    try stream.writeAll([UInt8](repeating: 3, count: 100_000))
                    complete += 1
                } catch let error as IPCError {
                    XCTAssertTrue([.endOfStream, .brokenPipe, .connectionReset].contains(error.code), "\(error)")
                }
            }
            return complete
        }
        for round in 0..<120 {
            let client = try LocalSocketStream.connect(to: name)
            if round % 6 >= 1 { try client.writeAll([1, 2]) }
            if round % 6 >= 2 { try client.writeAll([3, 4]) }
            if round % 6 >= 3 { XCTAssertEqual(try client.readExactly(4), [1, 2, 3, 4]) }
            if round % 6 >= 4 { XCTAssertEqual(try client.readExactly(10).count, 10) }
            if round % 6 == 5 { XCTAssertEqual(try client.readToEnd().count, 99_990) }
            client.close()
        }
        let last = try LocalSocketStream.connect(to: name)
        try last.writeAll([9, 9, 9, 9])
        XCTAssertEqual(try last.readToEnd().count, 100_004)
        listener.close()
        XCTAssertGreaterThanOrEqual(try server.value(), 21)
    }
}
