// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// Closing ends every blocked call, on every kind of stream, and disturbs no other holder of the socket.
final class CloseWakesTests: InterprocessTestCase {
    func testReadersAndWriters() throws {
        for (kind, make) in eachKindOfStream() {
            let (stream, peer) = try make()
            _ = try fill(stream)
            let readers: [Running<Void>] = [
                Running { _ = try stream.read(upTo: 1) },
                Running { _ = try stream.read(upTo: 1) },
                Running { _ = try stream.readExactly(9) },
                Running { _ = try stream.readLine() },
                Running { _ = try stream.readToEnd(timeout: .seconds(25)) },
            ]
            let writers: [Running<Void>] = [
                Running { _ = try stream.write([1]) },
                Running { try stream.writeAll("text") },
                Running { try stream.writeAll([1, 2, 3], timeout: .seconds(25)) },
            ]
            for call in readers + writers { call.waitUntilBlocked() }
            stream.close()
            for reader in readers { assertThrows(.closed, .read) { try reader.value() } }
            for writer in writers { assertThrows(.closed, .write) { try writer.value() } }
            assertThrows(.closed, .read) { try stream.read(upTo: 1) }
            assertThrows(.closed, .write) { try stream.write([1]) }
            assertThrows(.closed, .read) { try stream.readLine() }
            assertThrows(.closed) { try stream.duplicate() }
            assertThrows(.closed) { try stream.split() }
            assertThrows(.closed) { try stream.detach() }
            assertThrows(.closed) { try stream.peerCredentials() }
            XCTAssertTrue(stream.isClosed, kind)
            stream.close()
            peer.close()
        }
    }

    func testHalves() throws {
        for closesStream in [false, true] {
            let (one, other) = try LocalSocketStream.pair()
            let (receiver, sender) = try one.split()
            _ = try fill(one)
            let reader = Running { try receiver.read(upTo: 1) }
            let limited = Running { try receiver.readExactly(5, timeout: .seconds(25)) }
            let writer = Running { try sender.writeAll("x") }
            reader.waitUntilBlocked()
            limited.waitUntilBlocked()
            writer.waitUntilBlocked()
            if closesStream {
                one.close()
            } else {
                receiver.close()
                assertThrows(.closed, .read) { try reader.value() }
                XCTAssertFalse(writer.hasEnded, "the other direction was disturbed")
                sender.close()
            }
            assertThrows(.closed, .read) { try reader.value() }
            assertThrows(.closed, .read) { try limited.value() }
            assertThrows(.closed, .write) { try writer.value() }
            XCTAssertTrue(one.isClosed)
            other.close()
        }
    }

    /// What was sent before closing reaches the peer, also when readers had to be woken for it.
    func testSentDataSurvivesClosing() throws {
        for (_, make) in eachKindOfStream() {
            let (stream, peer) = try make()
            try stream.writeAll("last words")
            let reader = Running { try stream.read(upTo: 1) }
            reader.waitUntilBlocked()
            stream.close()
            assertThrows(.closed) { try reader.value() }
            XCTAssertEqual(try peer.readToEnd(), Array("last words".utf8))
        }
    }

    /// Bytes that come while the stream is being closed are not passed off as the end of the stream.
    func testClosingAgainstTraffic() throws {
        for round in 0..<200 {
            let (one, other) = try LocalSocketStream.pair()
            let reader = Running { () -> IPCError.Code? in
                do {
                    while true {
                        if try round % 2 == 0 ? one.read(upTo: 100).isEmpty : one.readExactly(3).isEmpty { return nil }
                    }
                } catch let error as IPCError { return error.code }
            }
            let writer = Running { () -> IPCError.Code? in
                do { while true { try other.writeAll("some bytes") } } catch let error as IPCError { return error.code }
            }
            one.close()
            XCTAssertEqual(try reader.value(), .closed)
            // A reset comes first where bytes were left unread.
            let code = try writer.value()
            XCTAssertTrue(code == .brokenPipe || code == .connectionReset, "\(String(describing: code))")
        }
    }

    func testDroppingTheLastReferenceCloses() throws {
        let (one, other) = try LocalSocketStream.pair()
        var stream: LocalSocketStream? = one
        var halves = try stream?.split()
        stream = nil
        withExtendedLifetime(halves) {}
        halves?.sender.close()
        halves = nil
        try other.writeAll("still open, for the test holds the stream")
        withExtendedLifetime(one) {}

        let (server, client) = try connected(try pathName())
        var last: LocalSocketStream? = server
        withExtendedLifetime(last) {}
        last = nil
        withExtendedLifetime(client) {}
    }
}
