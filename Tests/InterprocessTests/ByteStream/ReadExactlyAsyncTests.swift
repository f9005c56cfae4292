// SPDX-License-Identifier: MIT OR Apache-2.0

import XCTest

@testable import Interprocess

/// An awaited read that needs several steps keeps what it had when one of them fails.
final class ReadExactlyAsyncTests: InterprocessTestCase {
    func testTimeoutKeepsTheBytes() async throws {
        try await onEachExecutor {
            let (one, other) = try pair("abc")
            for _ in 0..<2 {
                let error = await assertThrows(.timedOut, .read) {
                    try await other.readExactly(5, timeout: .milliseconds(5))
                }
                XCTAssertEqual(error?.bytesTransferred, 3)
                XCTAssertEqual(other.bufferedByteCount, 3)
            }
            try await one.writeAll("def")
            try await assertEqual("abcde") { text(try await other.readExactly(5)) }
            try await assertEqual("f") { text(try await other.read(upTo: 9)) }
        }
    }

    func testCancellingKeepsTheBytes() async throws {
        try await onEachExecutor {
            let (one, other) = try pair("abc")
            for _ in 0..<2 {
                let reading = start { try await other.readExactly(5) }
                await waitUntilAwaited(other)
                reading.cancel()
                let error = await assertThrows(.cancelled, .read) { try await reading.value }
                XCTAssertEqual(error?.bytesTransferred, 3)
                XCTAssertEqual(other.bufferedByteCount, 3)
            }
            let toEnd = start { try await other.readToEnd() }
            await waitUntilAwaited(other)
            toEnd.cancel()
            let error = await assertThrows(.cancelled, .read) { try await toEnd.value }
            XCTAssertEqual(error?.bytesTransferred, 3)
            try await one.writeAll("def")
            try await assertEqual("abcde") { text(try await other.readExactly(5)) }
            try await assertEqual("f") { text(try await other.read(upTo: 9)) }
        }
    }

    func testTheEndKeepsTheBytes() async throws {
        let (one, other) = try pair("abc")
        one.close()
        let error = await assertThrows(.endOfStream, .read) { try await other.readExactly(5) }
        XCTAssertEqual(error?.bytesTransferred, 3)
        try await assertEqual("ab") { text(try await other.readExactly(2)) }
        try await assertEqual("c") { text(try await other.readToEnd()) }
        let again = await assertThrows(.endOfStream) { try await other.readExactly(1) }
        XCTAssertEqual(again?.bytesTransferred, 0)
    }

    func testFillingASpanKeepsTheBytes() async throws {
        let (one, other) = try pair("abc")
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 5, alignment: 1)
        defer { memory.deallocate() }
        func fill() async throws(IPCError) {
            var span = memory.mutableBytes
            try await other.readExactly(into: &span, timeout: .milliseconds(5))
        }
        let late = await assertThrows(.timedOut) { try await fill() }
        XCTAssertEqual(late?.bytesTransferred, 3)
        one.close()
        let early = await assertThrows(.endOfStream) { try await fill() }
        XCTAssertEqual(early?.bytesTransferred, 3)
        try await assertEqual("abc") { text(try await other.readToEnd()) }
    }

    /// Bytes put back stand before those that were read ahead behind them.
    func testPutBackKeepsTheOrder() async throws {
        let (one, other) = try pair("1\n2")
        try await assertEqual("1") { try await other.readLine() }
        try await one.writeAll("3")
        await assertThrows(.timedOut) { try await other.readExactly(3, timeout: .milliseconds(5)) }
        try await one.writeAll("4\n5")
        let reading = start { try await other.readExactly(100) }
        await waitUntilAwaited(other)
        reading.cancel()
        await assertThrows(.cancelled) { try await reading.value }
        try await assertEqual("234") { try await other.readLine() }
        try await assertEqual("5") { text(try await other.read(upTo: 9)) }
    }

    /// Nonblocking mode is about the calls that block: awaited ones wait all the same.
    func testNonblockingModeIsNotForAwaitedCalls() async throws {
        let (one, other) = try pair("abc")
        other.setNonblocking(true)
        let reading = start { try await other.readExactly(4) }
        await waitUntilAwaited(other)
        try await one.writeAll("d")
        try await assertEqual("abcd") { text(try await reading.value) }
    }

    /// A number that somebody else chose costs no memory before the bytes are there.
    func testHostileCountsCostNothing() async throws {
        let before = addressSpace()
        for count in [Int.max, Int.max - 1, 1 << 40, 8 << 30] {
            let (one, other) = try pair("abc")
            one.close()
            let error = await assertThrows(.endOfStream) { try await other.readExactly(count) }
            XCTAssertEqual(error?.bytesTransferred, 3)
            try await assertEqual("abc") { text(try await other.readToEnd(limit: .max)) }
        }
        XCTAssertLessThan(addressSpace() - before, 64 << 20)
    }

    func testLargeCount() async throws {
        try await onEachExecutor {
            let (one, other) = try LocalSocketStream.pair()
            let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 / 253 ^ $0) }
            let writing = start { try await one.writeAll(bytes) }
            let first = try await other.readExactly(1_234_567)
            XCTAssertTrue(first == Array(bytes[..<1_234_567]))
            let second = try await other.readExactly(3_000_000 - 1_234_567)
            XCTAssertTrue(second == Array(bytes[1_234_567...]))
            try await writing.value
        }
    }

    func testCloseDuringTheCall() async throws {
        try await onEachExecutor {
            let (one, other) = try pair("abc")
            let reading = start { try await other.readExactly(4) }
            await waitUntilAwaited(other)
            other.close()
            let error = await assertThrows(.closed, .read) { try await reading.value }
            XCTAssertEqual(error?.bytesTransferred, 3)
            one.close()
        }
    }

    /// The limit is for the whole call: bytes that trickle in do not stretch it.
    func testTimeoutIsForTheWholeCall() async throws {
        try await onEachExecutor {
            let (one, other) = try LocalSocketStream.pair()
            try await one.writeAll("x")
            let trickle = start {
                while (try? await one.writeAll("x")) != nil { try await Task.sleep(for: .milliseconds(3)) }
            }
            let start = ContinuousClock.now
            let error = await assertThrows(.timedOut) {
                try await other.readExactly(1 << 20, timeout: .milliseconds(60))
            }
            XCTAssertLessThan(ContinuousClock.now - start, .seconds(10))
            XCTAssertGreaterThan(error?.bytesTransferred ?? 0, 0)
            other.close()
            try await trickle.value
        }
    }
}
