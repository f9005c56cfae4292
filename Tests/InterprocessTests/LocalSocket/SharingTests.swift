// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// Several objects for one connection: duplicates and halves.
final class SharingTests: InterprocessTestCase {
    func testDuplicateSurvivesTheOriginal() throws {
        for name in try bothNames() {
            let (server, client) = try connected(name)
            let copy = try client.duplicate()
            let reader = Running { try copy.readExactly(5) }
            reader.waitUntilBlocked()
            client.close()
            XCTAssertFalse(reader.hasEnded, "closing one disturbed the other")
            try server.writeAll("still")
            XCTAssertEqual(try reader.value(), Array("still".utf8))
            try copy.writeAll("here")
            XCTAssertEqual(try server.readExactly(4), Array("here".utf8))
            copy.close()
            XCTAssertEqual(try server.read(upTo: 1), [])
        }
    }

    func testOriginalSurvivesTheDuplicate() throws {
        let (one, other) = try LocalSocketStream.pair()
        let copy = try one.duplicate()
        let reader = Running { try one.readExactly(1) }
        let copyReader = Running { try copy.readExactly(1) }
        reader.waitUntilBlocked()
        copyReader.waitUntilBlocked()
        copy.close()
        assertThrows(.closed) { try copyReader.value() }
        XCTAssertFalse(reader.hasEnded)
        try other.writeAll("x")
        XCTAssertEqual(try reader.value(), [UInt8(ascii: "x")])
    }

    func testDuplicatesDoNotShareReadAhead() throws {
        let (one, other) = try LocalSocketStream.pair()
        try other.writeAll("line\nrest")
        XCTAssertEqual(try one.readLine(), "line")
        XCTAssertEqual(one.bufferedByteCount, 4)
        let copy = try one.duplicate()
        XCTAssertEqual(copy.bufferedByteCount, 0)
        assertThrows(.timedOut) { try copy.read(upTo: 1, timeout: .zero) }
        XCTAssertEqual(try one.read(upTo: 10), Array("rest".utf8))
    }

    /// A call that waits inside the kernel could not be ended any more if others held the socket too.
    func testSharingWhileACallIsBlocked() throws {
        for (isWriter, timeout) in [(false, nil), (true, nil), (false, Duration.seconds(25)), (true, .seconds(25))] {
            let (one, other) = try LocalSocketStream.pair()
            if isWriter { _ = try fill(one) }
            let call = Running {
                if isWriter { return try one.writeAll("x", timeout: timeout) }
                _ = try one.read(upTo: 1, timeout: timeout)
            }
            call.waitUntilBlocked()
            assertThrows(.busy, .split) { try one.split() }
            assertThrows(.busy, .duplicate) { try one.duplicate() }
            assertThrows(.busy) { try one.withUnsafeDescriptor { $0 } }
            assertThrows(.busy) { try one.setInheritable(true) }
            assertThrows(.busy, .detach) { try one.detach() }
            XCTAssertFalse(call.hasEnded)
            one.close()
            assertThrows(.closed) { try call.value() }
            other.close()
        }
        // Where it is shared already, calls wait so that they are no obstacle, save to giving the socket away.
        let (one, other) = try LocalSocketStream.pair()
        let (receiver, sender) = try one.split()
        let reader = Running { try receiver.read(upTo: 1) }
        reader.waitUntilBlocked()
        let copy = try one.duplicate()
        _ = try one.split()
        assertThrows(.busy, .detach) { try one.detach() }
        try other.writeAll("x")
        XCTAssertEqual(try reader.value(), [UInt8(ascii: "x")])
        withExtendedLifetime((sender, copy)) {}
    }

    func testHalvesAreClosedSeparately() throws {
        for receiverFirst in [true, false] {
            let (one, other) = try LocalSocketStream.pair()
            let (receiver, sender) = try one.split()
            if receiverFirst {
                receiver.close()
                assertThrows(.closed, .read) { try receiver.read(upTo: 1) }
                assertThrows(.closed, .read) { try one.read(upTo: 1) }
                try sender.writeAll("x")
                try one.writeAll("y")
                XCTAssertEqual(try other.readExactly(2), Array("xy".utf8))
            } else {
                sender.close()
                assertThrows(.closed, .write) { try sender.writeAll("x") }
                assertThrows(.closed, .write) { try one.writeAll("x") }
                // The peer is not told: the connection lives on.
                assertThrows(.timedOut) { try other.read(upTo: 1, timeout: .zero) }
                try other.writeAll("xy")
                XCTAssertEqual(try receiver.readExactly(1), [UInt8(ascii: "x")])
                XCTAssertEqual(try one.readExactly(1), [UInt8(ascii: "y")])
            }
            XCTAssertFalse(one.isClosed)
            assertThrows(.closed, .detach) { try one.detach() }
            if receiverFirst { sender.close() } else { receiver.close() }
            XCTAssertTrue(one.isClosed)
            XCTAssertEqual(try other.read(upTo: 1), [])
            assertThrows(.brokenPipe) { try other.writeAll("x") }
        }
    }

    func testHalvesShareReadAhead() throws {
        let (one, other) = try LocalSocketStream.pair()
        try other.writeAll("a\nb\nc\n")
        XCTAssertEqual(try one.readLine(), "a")
        let (receiver, sender) = try one.split()
        XCTAssertEqual(try receiver.readLine(), "b")
        XCTAssertEqual(try LocalSocketStream.reunite(receiver, sender).readLine(), "c")
    }

    func testReunite() throws {
        let (one, other) = try LocalSocketStream.pair()
        let (receiver, sender) = try one.split()
        let (otherReceiver, otherSender) = try other.split()
        assertThrows(.invalidArgument, .split) { try LocalSocketStream.reunite(receiver, otherSender) }
        assertThrows(.invalidArgument, .split) { try LocalSocketStream.reunite(otherReceiver, sender) }
        // A duplicate is another connection's end, as far as objects go.
        let (_, copySender) = try one.duplicate().split()
        assertThrows(.invalidArgument, .split) { try LocalSocketStream.reunite(receiver, copySender) }
        // Those that did not fit are as they were.
        try otherSender.writeAll("x")
        let whole = try LocalSocketStream.reunite(receiver, sender)
        XCTAssertEqual(try whole.readExactly(1), [UInt8(ascii: "x")])
        try whole.writeAll("y")
        XCTAssertEqual(try otherReceiver.readExactly(1), [UInt8(ascii: "y")])
        whole.close()
        assertThrows(.closed) { try receiver.read(upTo: 1) }
    }

    func testDroppedHalfEndsNothing() throws {
        let (one, other) = try LocalSocketStream.pair()
        var halves: (receiver: LocalSocketReceiver, sender: LocalSocketSender)? = try one.split()
        let receiver = try XCTUnwrap(halves).receiver
        halves = nil
        try other.writeAll("x")
        XCTAssertEqual(try receiver.readExactly(1), [UInt8(ascii: "x")])
        try one.writeAll("y")
        XCTAssertEqual(try other.readExactly(1), [UInt8(ascii: "y")])
    }

    /// The halves alone keep the connection, and end it with the last of them.
    func testHalvesOutliveTheStream() throws {
        let (server, other) = try connected(try pathName())
        var stream: LocalSocketStream? = server.isClosed ? nil : try server.duplicate()
        server.close()
        var halves = try stream?.split()
        stream = nil
        try halves?.sender.writeAll("x")
        XCTAssertEqual(try other.readExactly(1), [UInt8(ascii: "x")])
        halves = nil
        XCTAssertEqual(try other.read(upTo: 1), [])
    }
}
