// SPDX-License-Identifier: MIT OR Apache-2.0

import XCTest

@testable import Interprocess

/// A read that needs several steps keeps what it had when one of them fails.
final class ReadExactlyTests: InterprocessTestCase {
    func testTimeoutKeepsTheBytes() throws {
        let (one, other) = try LocalSocketStream.pair()
        try one.writeAll("abc")
        for _ in 0..<2 {
            let error = assertThrows(.timedOut, .read) { try other.readExactly(5, timeout: .milliseconds(5)) }
            XCTAssertEqual(error?.bytesTransferred, 3)
            XCTAssertEqual(other.bufferedByteCount, 3)
        }
        try one.writeAll("def")
        XCTAssertEqual(text(try other.readExactly(5)), "abcde")
        XCTAssertEqual(text(try other.read(upTo: 9)), "f")
    }

    /// A failure that has nothing to keep leaves the stream as it was: its reads find no buffer in their way.
    func testNothingIsNotKept() throws {
        let (one, other) = try LocalSocketStream.pair()
        other.setNonblocking(true)
        func fill() throws(IPCError) {
            var memory: [UInt8] = [0]
            var elements = memory.mutableSpan
            var span = elements.mutableBytes
            try other.readExactly(into: &span)
        }
        assertThrows(.wouldBlock, .read) { try fill() }
        assertThrows(.wouldBlock, .read) { try other.readExactly(5) }
        assertThrows(.wouldBlock, .read) { try other.readToEnd() }
        other.setNonblocking(false)
        one.close()
        assertThrows(.endOfStream, .read) { try other.readExactly(5) }
        assertThrows(.endOfStream, .read) { try fill() }
        XCTAssertFalse(other.receivingSide.ahead.isSet)
    }

    func testTheEndKeepsTheBytes() throws {
        let (one, other) = try LocalSocketStream.pair()
        try one.writeAll("abc")
        one.close()
        let error = assertThrows(.endOfStream, .read) { try other.readExactly(5) }
        XCTAssertEqual(error?.bytesTransferred, 3)
        XCTAssertEqual(text(try other.readExactly(2)), "ab")
        XCTAssertEqual(text(try other.readToEnd()), "c")
        XCTAssertEqual(assertThrows(.endOfStream) { try other.readExactly(1) }?.bytesTransferred, 0)
    }

    func testFillingASpanKeepsTheBytes() throws {
        let (one, other) = try LocalSocketStream.pair()
        try one.writeAll("abc")
        var memory = [UInt8](repeating: 0, count: 5)
        func fill() throws(IPCError) {
            var elements = memory.mutableSpan
            var span = elements.mutableBytes
            try other.readExactly(into: &span, timeout: .milliseconds(5))
        }
        XCTAssertEqual(assertThrows(.timedOut) { try fill() }?.bytesTransferred, 3)
        one.close()
        XCTAssertEqual(assertThrows(.endOfStream) { try fill() }?.bytesTransferred, 3)
        XCTAssertEqual(text(try other.readToEnd()), "abc")
    }

    /// Bytes put back stand before those that were read ahead behind them.
    func testPutBackKeepsTheOrder() throws {
        let (one, other) = try LocalSocketStream.pair()
        try one.writeAll("1\n2")
        XCTAssertEqual(try other.readLine(), "1")
        try one.writeAll("3")
        assertThrows(.timedOut) { try other.readExactly(3, timeout: .milliseconds(5)) }
        try one.writeAll("4\n5")
        assertThrows(.timedOut) { try other.readExactly(100, timeout: .milliseconds(5)) }
        XCTAssertEqual(try other.readLine(), "234")
        XCTAssertEqual(text(try other.read(upTo: 9)), "5")
    }

    func testNonblockingKeepsTheBytes() throws {
        let (one, other) = try LocalSocketStream.pair()
        other.setNonblocking(true)
        try one.writeAll("abc")
        XCTAssertEqual(assertThrows(.wouldBlock) { try other.readExactly(4) }?.bytesTransferred, 3)
        XCTAssertEqual(assertThrows(.wouldBlock) { try other.readToEnd() }?.bytesTransferred, 3)
        assertThrows(.wouldBlock) { try other.readLine() }
        one.close()
        XCTAssertEqual(try other.readLine(), "abc")
    }

    /// A number that somebody else chose costs no memory before the bytes are there.
    func testHostileCountsCostNothing() throws {
        let before = addressSpace()
        for count in [Int.max, Int.max - 1, 1 << 40, 8 << 30] {
            let (one, other) = try LocalSocketStream.pair()
            try one.writeAll("abc")
            one.close()
            let error = assertThrows(.endOfStream) { try other.readExactly(count) }
            XCTAssertEqual(error?.bytesTransferred, 3)
            XCTAssertEqual(text(try other.readToEnd(limit: .max)), "abc")
        }
        XCTAssertLessThan(addressSpace() - before, 64 << 20)
    }

    func testLargeCount() throws {
        let (one, other) = try LocalSocketStream.pair()
        let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 / 253 ^ $0) }
        let writing = Running { try one.writeAll(bytes) }
        XCTAssertTrue(try other.readExactly(1_234_567) == Array(bytes[..<1_234_567]))
        XCTAssertTrue(try other.readExactly(3_000_000 - 1_234_567) == Array(bytes[1_234_567...]))
        try writing.value()
    }

    func testCloseDuringTheCall() throws {
        let (one, other) = try LocalSocketStream.pair()
        try one.writeAll("abc")
        let reading = Running { try other.readExactly(4) }
        reading.waitUntilBlocked()
        other.close()
        assertThrows(.closed, .read) { try reading.value() }
    }
}
