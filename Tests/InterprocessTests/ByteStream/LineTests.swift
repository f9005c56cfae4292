// SPDX-License-Identifier: MIT OR Apache-2.0

import Interprocess
import XCTest

/// Lines of every shape.
final class LineTests: InterprocessTestCase {
    func testEndings() throws {
        for (text, expected) in Lines.endings {
            let receiver = try bufferedReceiver(Array(text.utf8))
            var found: [String] = []
            while let line = try receiver.readLine() { found.append(line) }
            XCTAssertEqual(found, expected)
            XCTAssertNil(try receiver.readLine(), "the end stays the end")
        }
    }

    func testInvalidUTF8IsReplaced() throws {
        let receiver = try bufferedReceiver(Lines.invalidUTF8.bytes)
        for line in Lines.invalidUTF8.lines { XCTAssertEqual(try receiver.readLine(), line) }
        XCTAssertNil(try receiver.readLine())
    }

    func testExactlyAtTheLimit() throws {
        let receiver = try bufferedReceiver(Array("12345\n123456\nx\n".utf8))
        XCTAssertEqual(try receiver.readLine(limit: 5), "12345")
        let error = assertThrows(.messageTooLarge, .read) { try receiver.readLine(limit: 5) }
        XCTAssertEqual(error?.description.contains("raise the limit"), true, error?.description ?? "")
        // Nothing was taken out: it can be read with a higher limit.
        assertThrows(.messageTooLarge, .read) { try receiver.readLine(limit: 0) }
        XCTAssertEqual(try receiver.readLine(limit: 6), "123456")
        XCTAssertEqual(try receiver.readLine(limit: 1), "x")
        XCTAssertNil(try receiver.readLine(limit: 0))
    }

    func testTheLimitCountsTheCarriageReturn() throws {
        let receiver = try bufferedReceiver(Array("12345\r\n".utf8))
        assertThrows(.messageTooLarge) { try receiver.readLine(limit: 5) }
        XCTAssertEqual(try receiver.readLine(limit: 6), "12345")
    }

    func testLimitOfZeroTakesEmptyLines() throws {
        let receiver = try bufferedReceiver(Array("\n\nx".utf8))
        XCTAssertEqual(try receiver.readLine(limit: 0), "")
        XCTAssertEqual(try receiver.readLine(limit: 0), "")
        assertThrows(.messageTooLarge) { try receiver.readLine(limit: 0) }
    }

    func testTheLimitHoldsForALineWithoutAnEnd() throws {
        let receiver = try bufferedReceiver(Array("123456".utf8))
        assertThrows(.messageTooLarge) { try receiver.readLine(limit: 5) }
        XCTAssertEqual(try receiver.readLine(limit: 6), "123456")
        XCTAssertNil(try receiver.readLine())
    }

    /// A line that never ends does not fill the memory: the error comes once it is over the limit.
    func testEndlessLine() throws {
        let (sender, receiver) = try UnnamedPipe.create()
        let writing = Running {
            let piece = [UInt8](repeating: 0x61, count: 10_000)
            while (try? sender.writeAll(piece)) != nil {}
        }
        assertThrows(.messageTooLarge) { try receiver.readLine() }
        XCTAssertLessThan(receiver.bufferedByteCount, 4 << 20)
        receiver.close()
        try writing.value()
    }

    func testLimitsThatCannotBe() throws {
        let receiver = try bufferedReceiver(Array("x\n".utf8))
        for limit in [-1, Int.min] {
            assertThrows(.invalidArgument, .read) { try receiver.readLine(limit: limit) }
        }
        XCTAssertEqual(try receiver.readLine(limit: .max), "x")
    }

    func testLongLine() throws {
        let long = Lines.long
        let (sender, receiver) = try UnnamedPipe.create()
        let writing = Running {
            try sender.writeAll(long + "\nnext\n" + long + "!\n")
            sender.close()
        }
        // The usual limit lets exactly that much through.
        XCTAssertTrue(try receiver.readLine() == long)
        XCTAssertEqual(try receiver.readLine(), "next")
        assertThrows(.messageTooLarge) { try receiver.readLine() }
        XCTAssertTrue(try receiver.readLine(limit: 2 << 20) == long + "!")
        XCTAssertNil(try receiver.readLine())
        try writing.value()
    }

    func testLineSplitOverManyPackets() throws {
        let (one, other) = try LocalSocketStream.pair()
        let line = "a line with ä, € and 𝄞, byte by byte"
        let writing = Running {
            for _ in 0..<50 {
                for byte in Array((line + "\r\n").utf8) { try one.writeAll([byte]) }
            }
            one.close()
        }
        for _ in 0..<50 { XCTAssertEqual(try other.readLine(), line) }
        XCTAssertNil(try other.readLine())
        try writing.value()
    }

    func testTimeoutKeepsTheBeginningOfALine() throws {
        let (one, other) = try LocalSocketStream.pair()
        for piece in ["a ", "line ", "in pieces"] {
            try one.writeAll(piece)
            assertThrows(.timedOut) { try other.readLine(timeout: .milliseconds(5)) }
        }
        XCTAssertEqual(other.bufferedByteCount, 16)
        try one.writeAll("\n")
        XCTAssertEqual(try other.readLine(), "a line in pieces")
        XCTAssertEqual(other.bufferedByteCount, 0)
    }

    func testClosedHereIsNotTheEnd() throws {
        let (one, other) = try LocalSocketStream.pair()
        try one.writeAll("1\n2\n")
        XCTAssertEqual(try other.readLine(), "1")
        other.close()
        assertThrows(.closed, .read) { try other.readLine() }
        assertThrows(.closed, .read) { try other.read(upTo: 1) }
    }
}
