// SPDX-License-Identifier: MIT OR Apache-2.0

import Interprocess
import XCTest

/// Several threads read from one stream, and one of them receives what others wait for, while the stream goes on.
final class ReadingTurnTests: InterprocessTestCase {
    func testLinesOfOnePacketReachAllWhoWait() throws {
        for _ in 0..<200 {
            let (one, other) = try LocalSocketStream.pair()
            let readers = (0..<4).map { _ in Running { try other.readLine() ?? "end" } }
            for reader in readers { reader.waitUntilBlocked() }
            try one.writeAll("a\nb\nc\nd\n")
            XCTAssertEqual(try Set(readers.map { try $0.value() }), ["a", "b", "c", "d"])
        }
    }

    func testBytesBehindALineReachAnotherReader() throws {
        let (one, other) = try LocalSocketStream.pair()
        try one.writeAll("first\n")
        XCTAssertEqual(try other.readLine(), "first")
        for _ in 0..<200 {
            let line = Running { try other.readLine() ?? "end" }
            line.waitUntilBlocked()
            let bytes = Running { try other.readExactly(3) }
            bytes.waitUntilBlocked()
            try one.writeAll("line\nxyz")
            XCTAssertEqual(try line.value(), "line")
            XCTAssertEqual(try bytes.value(), Array("xyz".utf8))
        }
    }

    func testWaitingForTheTurnIsLimited() throws {
        let (one, other) = try LocalSocketStream.pair()
        let first = Running { try other.readLine() ?? "end" }
        first.waitUntilBlocked()
        assertThrows(.timedOut, .read) { try other.readLine(timeout: .milliseconds(20)) }
        other.setNonblocking(true)
        assertThrows(.wouldBlock, .read) { try other.readLine() }
        other.setNonblocking(false)
        // The one whose turn it is has lost nothing by that.
        try one.writeAll("still here\n")
        XCTAssertEqual(try first.value(), "still here")
    }

    func testTheTurnPassesWhenItsHolderGivesUp() throws {
        let (one, other) = try LocalSocketStream.pair()
        let first = Running { try other.readLine(timeout: .seconds(1)) }
        first.waitUntilBlocked()
        let second = Running { try other.readLine() ?? "end" }
        second.waitUntilBlocked()
        assertThrows(.timedOut, .read) { try first.value() }
        try one.writeAll("for the second\n")
        XCTAssertEqual(try second.value(), "for the second")
    }

    func testCloseWakesAllWhoWait() throws {
        let (one, other) = try LocalSocketStream.pair()
        let readers = (0..<4).map { _ in Running { try other.readLine() } }
        for reader in readers { reader.waitUntilBlocked() }
        other.close()
        for reader in readers { assertThrows(.closed, .read) { try reader.value() } }
        one.close()
    }

    func testTheEndReachesAllWhoWait() throws {
        let (one, other) = try LocalSocketStream.pair()
        let readers = (0..<4).map { _ in Running { try other.readLine() } }
        for reader in readers { reader.waitUntilBlocked() }
        one.close()
        for reader in readers { XCTAssertNil(try reader.value()) }
    }
}
