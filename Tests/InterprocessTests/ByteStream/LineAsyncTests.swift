// SPDX-License-Identifier: MIT OR Apache-2.0

import Interprocess
import XCTest

/// Lines of every shape, awaited.
final class LineAsyncTests: InterprocessTestCase {
    func testEndings() async throws {
        for (text, expected) in Lines.endings {
            let receiver = try bufferedReceiver(Array(text.utf8))
            var found: [String] = []
            while let line = try await receiver.readLine() { found.append(line) }
            XCTAssertEqual(found, expected)
            try await assertEqual(nil, "the end stays the end") { try await receiver.readLine() }
        }
    }

    func testInvalidUTF8IsReplaced() async throws {
        let receiver = try bufferedReceiver(Lines.invalidUTF8.bytes)
        for line in Lines.invalidUTF8.lines { try await assertEqual(line) { try await receiver.readLine() } }
        try await assertEqual(nil) { try await receiver.readLine() }
    }

    func testExactlyAtTheLimit() async throws {
        let receiver = try bufferedReceiver(Array("12345\n123456\n\nx\n".utf8))
        try await assertEqual("12345") { try await receiver.readLine(limit: 5) }
        // Nothing is taken out: it can be read with a higher limit.
        for limit in [5, 0] {
            await assertThrows(.messageTooLarge, .read) { try await receiver.readLine(limit: limit) }
        }
        try await assertEqual("123456") { try await receiver.readLine(limit: 6) }
        try await assertEqual("") { try await receiver.readLine(limit: 0) }
        try await assertEqual("x") { try await receiver.readLine(limit: 1) }
        try await assertEqual(nil) { try await receiver.readLine(limit: 0) }
    }

    func testTheLimitCountsTheCarriageReturn() async throws {
        let receiver = try bufferedReceiver(Array("12345\r\n".utf8))
        await assertThrows(.messageTooLarge) { try await receiver.readLine(limit: 5) }
        try await assertEqual("12345") { try await receiver.readLine(limit: 6) }
    }

    func testTheLimitHoldsForALineWithoutAnEnd() async throws {
        let receiver = try bufferedReceiver(Array("123456".utf8))
        await assertThrows(.messageTooLarge) { try await receiver.readLine(limit: 5) }
        try await assertEqual("123456") { try await receiver.readLine(limit: 6) }
        try await assertEqual(nil) { try await receiver.readLine() }
    }

    /// A line that never ends does not fill the memory: the error comes once it is over the limit.
    func testEndlessLine() async throws {
        try await onEachExecutor {
            let (sender, receiver) = try UnnamedPipe.create()
            let writing = start {
                let piece = [UInt8](repeating: 0x61, count: 10_000)
                while (try? await sender.writeAll(piece)) != nil {}
            }
            await assertThrows(.messageTooLarge) { try await receiver.readLine() }
            XCTAssertLessThan(receiver.bufferedByteCount, 4 << 20)
            receiver.close()
            try await writing.value
        }
    }

    func testTheGreatestLimit() async throws {
        let receiver = try bufferedReceiver(Array("x\n".utf8))
        try await assertEqual("x") { try await receiver.readLine(limit: .max) }
    }

    func testLongLine() async throws {
        try await onEachExecutor {
            let long = Lines.long
            let (sender, receiver) = try UnnamedPipe.create()
            let writing = start {
                try await sender.writeAll(long + "\nnext\n" + long + "!\n")
                sender.close()
            }
            // The usual limit lets exactly that much through.
            try await assertEqual(true) { try await receiver.readLine() == long }
            try await assertEqual("next") { try await receiver.readLine() }
            await assertThrows(.messageTooLarge) { try await receiver.readLine() }
            try await assertEqual(true) { try await receiver.readLine(limit: 2 << 20) == long + "!" }
            try await assertEqual(nil) { try await receiver.readLine() }
            try await writing.value
        }
    }

    func testLineSplitOverManyPackets() async throws {
        try await onEachExecutor {
            let (one, other) = try LocalSocketStream.pair()
            let line = "a line with ä, € and 𝄞, byte by byte"
            let writing = start {
                for _ in 0..<50 {
                    for byte in Array((line + "\r\n").utf8) { try await one.writeAll([byte]) }
                }
                one.close()
            }
            for _ in 0..<50 { try await assertEqual(line) { try await other.readLine() } }
            try await assertEqual(nil) { try await other.readLine() }
            try await writing.value
        }
    }

    func testWhatEndsACallKeepsTheBeginningOfALine() async throws {
        try await onEachExecutor {
            let (one, other) = try LocalSocketStream.pair()
            for piece in ["a ", "line ", "in pieces"] {
                try await one.writeAll(piece)
                await assertThrows(.timedOut) { try await other.readLine(timeout: .milliseconds(5)) }
                let reading = start { try await other.readLine() }
                await waitUntilAwaited(other)
                reading.cancel()
                await assertThrows(.cancelled) { try await reading.value }
            }
            XCTAssertEqual(other.bufferedByteCount, 16)
            try await one.writeAll("\n")
            try await assertEqual("a line in pieces") { try await other.readLine() }
            XCTAssertEqual(other.bufferedByteCount, 0)
        }
    }

    func testClosedHereIsNotTheEnd() async throws {
        let (_, other) = try pair("1\n2\n")
        try await assertEqual("1") { try await other.readLine() }
        other.close()
        await assertThrows(.closed, .read) { try await other.readLine() }
        await assertThrows(.closed, .read) { try await other.read(upTo: 1) }
    }
}
