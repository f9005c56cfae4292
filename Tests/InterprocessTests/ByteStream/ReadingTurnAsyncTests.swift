// SPDX-License-Identifier: MIT OR Apache-2.0

import Interprocess
import XCTest

/// Several tasks read from one stream, and one of them receives what others wait for, while the stream goes on.
final class ReadingTurnAsyncTests: InterprocessTestCase {
    /// Tasks that wait for lines, in this order.
    private func readers(_ count: Int, of stream: LocalSocketStream) async -> [Task<String?, any Error>] {
        var readers: [Task<String?, any Error>] = []
        for number in 1...count {
            readers.append(start { try await stream.readLine() })
            await waitUntilAwaited(stream, by: number)
        }
        return readers
    }

    func testLinesOfOnePacketReachAllWhoWait() async throws {
        try await onEachExecutor {
            for _ in 0..<200 {
                let (one, other) = try LocalSocketStream.pair()
                let readers = await readers(4, of: other)
                try await one.writeAll("a\nb\nc\nd\n")
                // The first had the turn, and the others are told in the order in which they came.
                for (reader, line) in zip(readers, ["a", "b", "c", "d"]) {
                    try await assertEqual(line) { try await reader.value }
                }
            }
        }
    }

    func testBytesBehindALineReachAnotherReader() async throws {
        try await onEachExecutor {
            let (one, other) = try LocalSocketStream.pair()
            try await one.writeAll("first\n")
            try await assertEqual("first") { try await other.readLine() }
            for _ in 0..<200 {
                let line = start { try await other.readLine() }
                await waitUntilAwaited(other, by: 1)
                let bytes = start { try await other.readExactly(3) }
                await waitUntilAwaited(other, by: 2)
                try await one.writeAll("line\nxyz")
                try await assertEqual("line") { try await line.value }
                try await assertEqual("xyz") { text(try await bytes.value) }
            }
        }
    }

    func testWaitingForTheTurnIsLimited() async throws {
        try await onEachExecutor {
            let (one, other) = try LocalSocketStream.pair()
            let first = start { try await other.readLine() }
            await waitUntilAwaited(other)
            for limit: Duration in [.milliseconds(20), .zero] {
                await assertThrows(.timedOut, .read) { try await other.readLine(timeout: limit) }
            }
            let second = start { try await other.readLine() }
            await waitUntilAwaited(other, by: 2)
            second.cancel()
            await assertThrows(.cancelled, .read) { try await second.value }
            // The one whose turn it is has lost nothing by that.
            try await one.writeAll("still here\n")
            try await assertEqual("still here") { try await first.value }
        }
    }

    func testTheTurnPassesWhenItsHolderGivesUp() async throws {
        try await onEachExecutor {
            let (one, other) = try LocalSocketStream.pair()
            let first = start { try await other.readLine(timeout: .seconds(1)) }
            await waitUntilAwaited(other)
            let second = start { try await other.readLine() }
            await waitUntilAwaited(other, by: 2)
            let third = start { try await other.readLine() }
            await waitUntilAwaited(other, by: 3)
            await assertThrows(.timedOut, .read) { try await first.value }
            second.cancel()
            await assertThrows(.cancelled, .read) { try await second.value }
            try await one.writeAll("for the third\n")
            try await assertEqual("for the third") { try await third.value }
        }
    }

    /// Whoever is cancelled, in whatever order, the others go on.
    func testCancellingSomeOfMany() async throws {
        try await onEachExecutor {
            for cancelled in [[0], [1], [3], [0, 1], [2, 0], [3, 2, 1], [0, 1, 2]] {
                let (one, other) = try LocalSocketStream.pair()
                let readers = await readers(4, of: other)
                for number in cancelled { readers[number].cancel() }
                for number in cancelled { await assertThrows(.cancelled, .read) { try await readers[number].value } }
                let others = (0..<4).filter { !cancelled.contains($0) }
                try await one.writeAll(others.map { "\($0)\n" }.joined())
                var lines: Set<String?> = []
                for number in others { lines.insert(try await readers[number].value) }
                XCTAssertEqual(lines, Set(others.map { "\($0)" }), "without \(cancelled)")
            }
        }
    }

    func testCloseWakesAllWhoWait() async throws {
        try await onEachExecutor {
            let (one, other) = try LocalSocketStream.pair()
            let readers = await readers(4, of: other)
            other.close()
            for reader in readers { await assertThrows(.closed, .read) { try await reader.value } }
            one.close()
        }
    }

    func testTheEndReachesAllWhoWait() async throws {
        try await onEachExecutor {
            let (one, other) = try LocalSocketStream.pair()
            let readers = await readers(4, of: other)
            one.close()
            for reader in readers { try await assertEqual(nil) { try await reader.value } }
        }
    }

    func testDetachIsRefusedWhileTasksWait() async throws {
        let (one, other) = try LocalSocketStream.pair()
        let readers = await readers(2, of: other)
        await assertThrows(.busy, .detach) { try await other.detach() }
        try await one.writeAll("1\n2\n")
        for reader in readers { _ = try await reader.value }
        try LocalSocketStream(adopting: try await other.detach()).close()
    }
}
