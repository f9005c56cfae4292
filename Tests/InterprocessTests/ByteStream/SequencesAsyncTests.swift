// SPDX-License-Identifier: MIT OR Apache-2.0

import XCTest

@testable import Interprocess

/// The bytes as a sequence of pieces, and of lines.
final class SequencesAsyncTests: InterprocessTestCase {
    func testLines() async throws {
        try await onEachExecutor {
            for (text, expected) in Lines.endings {
                let receiver = try bufferedReceiver(Array(text.utf8))
                var found: [String] = []
                for try await line in receiver.lines { found.append(line) }
                XCTAssertEqual(found, expected)
                for try await line in receiver.lines { XCTFail("\(line) after the end") }
            }
        }
    }

    /// Reads all chunks, none of which is empty, or too large.
    private func allChunks(_ receiver: some ByteReceiver, upTo size: Int) async throws -> [UInt8] {
        var found: [UInt8] = []
        for try await chunk in receiver.chunks(upTo: size) {
            XCTAssertFalse(chunk.isEmpty)
            XCTAssertLessThanOrEqual(chunk.count, size)
            found += chunk
        }
        return found
    }

    func testChunks() async throws {
        let bytes = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 / 251 + $0) }
        try await onEachExecutor {
            for size in [1000, 64 << 10, Int.max] {
                for (sender, receiver) in try everyKind() {
                    let writing = start {
                        try await sender.writeAll(bytes)
                        sender.descriptorCore.close()
                    }
                    let found = try await allChunks(receiver, upTo: size)
                    XCTAssertTrue(found == bytes, "the bytes came differently")
                    try await writing.value
                }
            }
        }
    }

    func testPiecesAreOf64KiBUnlessToldOtherwise() async throws {
        let receiver = try bufferedReceiver([UInt8](repeating: 1, count: 200_000))
        var sizes: [Int] = []
        for try await chunk in receiver.chunks { sizes.append(chunk.count) }
        XCTAssertEqual(sizes, [65536, 65536, 65536, 3392])
    }

    func testLeavingALoopLosesNothing() async throws {
        try await onEachExecutor {
            let (one, other) = try pair("1\n2\n3\n4\n56789")
            for try await line in other.lines where line == "2" { break }
            try await assertEqual("3") { try await other.readLine() }
            for try await line in other.lines {
                XCTAssertEqual(line, "4")
                break
            }
            for try await chunk in other.chunks(upTo: 2) {
                XCTAssertEqual(text(chunk), "56")
                break
            }
            try await assertEqual("7") { text(try await other.read(upTo: 1)) }
            one.close()
            var rest = ""
            for try await chunk in other.chunks { rest += text(chunk) }
            XCTAssertEqual(rest, "89")
        }
    }

    /// An iterator has nothing of its own: several of them go on where any of them has stopped.
    func testIteratorsShareTheStream() async throws {
        let (one, other) = try pair("1\n2\n3\n")
        one.close()
        var (first, second) = (other.lines.makeAsyncIterator(), other.lines.makeAsyncIterator())
        try await assertEqual("1") { try await first.next() }
        try await assertEqual("2") { try await second.next() }
        try await assertEqual("3") { try await first.next() }
        try await assertEqual(nil) { try await second.next() }
        try await assertEqual(nil) { try await first.next() }
    }

    /// That the only errors are the library's is known when a program is compiled.
    func testErrorsAreTyped() async throws {
        func codes(_ stream: LocalSocketStream) async -> [IPCError.Code] {
            var codes: [IPCError.Code] = []
            do throws(IPCError) {
                for try await _ in stream.lines {}
            } catch {
                codes.append(error.code)
            }
            do throws(IPCError) {
                for try await _ in stream.chunks {}
            } catch {
                codes.append(error.code)
            }
            return codes
        }
        func check<Elements: AsyncSequence>(_: Elements) where Elements.Failure == IPCError {}
        let (_, other) = try pair("x")
        check(other.lines)
        check(other.chunks)
        other.close()
        await assertEqual([.closed, .closed]) { await codes(other) }
    }

    func testCancellingEndsTheLoop() async throws {
        try await onEachExecutor {
            let (one, other) = try pair("1\n2\n")
            let found = Found()
            let lines = start { for try await line in other.lines { found.add(line) } }
            await found.wait(for: 2)
            await waitUntilAwaited(other)
            lines.cancel()
            await assertThrows(.cancelled, .read) { try await lines.value }

            let chunks = start { for try await chunk in other.chunks { found.add(text(chunk)) } }
            await waitUntilAwaited(other)
            try await one.writeAll("3")
            await found.wait(for: 3)
            await waitUntilAwaited(other)
            chunks.cancel()
            await assertThrows(.cancelled, .read) { try await chunks.value }
            try await one.writeAll("4\n")
            try await assertEqual("4") { try await other.readLine() }
            XCTAssertEqual(found.all, ["1", "2", "3"])
        }
    }

    /// A sender that never stops does not keep the loop of a task that is cancelled from ending.
    func testCancellingEndsTheLoopUnderAFlood() async throws {
        try await onEachExecutor {
            let (one, other) = try LocalSocketStream.pair()
            let flood = start { while (try? await one.writeAll(String(repeating: "line\n", count: 1000))) != nil {} }
            let found = Found()
            let lines = start { for try await _ in other.lines where found.all.count < 10 { found.add("line") } }
            await found.wait(for: 10)
            lines.cancel()
            await assertThrows(.cancelled, .read) { try await lines.value }
            let chunks = start { for try await _ in other.chunks where found.all.count < 20 { found.add("chunk") } }
            await found.wait(for: 20)
            chunks.cancel()
            await assertThrows(.cancelled, .read) { try await chunks.value }
            other.close()
            try await flood.value
        }
    }

    func testClosingEndsTheLoop() async throws {
        try await onEachExecutor {
            let (one, other) = try LocalSocketStream.pair()
            let loops = [
                start { for try await _ in other.lines {} },
                start { for try await _ in other.lines(timeout: .seconds(60)) {} },
            ]
            await waitUntilAwaited(other, by: 2)
            other.close()
            for loop in loops { await assertThrows(.closed, .read) { try await loop.value } }
            one.close()
        }
    }

    /// The limit is for each element, and a loop may follow the one that it has ended.
    func testTimeLimits() async throws {
        let (one, other) = try pair("1\n2")
        let found = Found()
        await assertThrows(.timedOut, .read) {
            for try await line in other.lines(timeout: .milliseconds(5)) { found.add(line) }
        }
        await assertThrows(.timedOut, .read) {
            for try await chunk in other.chunks(timeout: .milliseconds(5)) { found.add(text(chunk)) }
        }
        other.receiveTimeout = .milliseconds(5)
        await assertThrows(.timedOut, .read) { for try await _ in other.lines {} }
        await assertThrows(.timedOut, .read) { for try await _ in other.chunks {} }
        XCTAssertEqual(found.all, ["1", "2"])
        one.close()
    }

    func testLineLimit() async throws {
        let receiver = try bufferedReceiver(Array("123\n1234\n".utf8))
        let found = Found()
        await assertThrows(.messageTooLarge, .read) {
            for try await line in receiver.lines(limit: 3) { found.add(line) }
        }
        for try await line in receiver.lines(limit: 4) { found.add(line) }
        XCTAssertEqual(found.all, ["123", "1234"])
    }

    func testSizesThatCannotBe() async throws {
        let (_, other) = try pair("x\n")
        for size in [0, -1, Int.min] {
            await assertThrows(.invalidArgument, .read) { for try await _ in other.chunks(upTo: size) {} }
        }
        for limit in [-1, Int.min] {
            await assertThrows(.invalidArgument, .read) { for try await _ in other.lines(limit: limit) {} }
        }
        try await assertEqual("x") { try await other.readLine(limit: .max) }
    }

    /// A cancelled task gets nothing any more, though it was read ahead; the next one gets it.
    func testCancelledTaskLeavesWhatWasReadAhead() async throws {
        try await onEachExecutor {
            let (one, other) = try LocalSocketStream.pair()
            try await one.writeAll("1\n2\n3\n4\n")
            try await assertEqual("1") { try await other.readLine() }
            let reads: [@Sendable () async throws -> Void] = [
                { _ = try await other.readLine() }, { _ = try await other.read(upTo: 1) },
                { _ = try await other.readExactly(1) }, { for try await _ in other.lines { XCTFail("a line") } },
            ]
            for read in reads {
                let cancelled = start {
                    withUnsafeCurrentTask { $0?.cancel() }
                    try await read()
                }
                await assertThrows(.cancelled, .read) { try await cancelled.value }
            }
            try await assertEqual("2") { try await other.readLine() }
            try await assertEqual(Array("3\n".utf8)) { try await other.readExactly(2) }
            try await assertEqual("4") { try await other.readLine() }
        }
    }
}
