// SPDX-License-Identifier: MIT OR Apache-2.0

import XCTest

@testable import Interprocess

/// Threads and tasks wait for lines of one stream: each line that comes reaches somebody, whoever they are, though none
/// of those who have got one comes again.
final class TurnHandOverTests: InterprocessTestCase {
    private enum Reader: CaseIterable {
        case thread
        case task
    }

    /// Every choice of so many threads and tasks.
    private func choices(_ count: Int) -> [[Reader]] {
        if count == 0 { return [[]] }
        return choices(count - 1).flatMap { shorter in Reader.allCases.map { shorter + [$0] } }
    }

    /// Lets them come to wait, one after another, each for a line of its own limit.
    private func wait(
        _ stream: LocalSocketStream,
        _ readers: [(reader: Reader, limit: Int)]
    ) async -> Found {
        let found = Found()
        var tasks = 0
        for (reader, limit) in readers {
            switch reader {
            case .thread:
                let reading = Running { found.add(Result { try stream.readLine(limit: limit) }) }
                reading.waitUntilBlocked()
            case .task:
                tasks += 1
                _ = start {
                    do throws(IPCError) {
                        found.add(try await stream.readLine(limit: limit))
                    } catch {
                        found.add("\(error.code)")
                    }
                }
                await waitUntilAwaited(stream, by: tasks)
            }
        }
        return found
    }

    /// The first has the turn, and the others wait for it.
    ///
    /// Two lines come at once, so that the first gets one, and another one finds the other in the buffer: it never had
    /// the turn, and yet must pass on what it was told.
    func testTwoLinesAtOnceAndOneLater() async throws {
        for readers in choices(3) {
            for _ in 0..<10 {
                let (one, other) = try LocalSocketStream.pair()
                let found = await wait(other, readers.map { ($0, 100) })
                try await one.writeAll("1\n2\n")
                await found.wait(for: 2)
                try await one.writeAll("3\n")
                await found.wait(for: 3)
                XCTAssertEqual(found.all.sorted(), ["1", "2", "3"], "\(readers)")
            }
        }
    }

    func testOneLineAfterAnother() async throws {
        for readers in choices(4) {
            let (one, other) = try LocalSocketStream.pair()
            let found = await wait(other, readers.map { ($0, 100) })
            for number in 1...4 {
                try await one.writeAll("\(number)\n")
                await found.wait(for: number)
            }
            XCTAssertEqual(found.all, ["1", "2", "3", "4"], "\(readers)")
        }
    }

    func testTheEndReachesAll() async throws {
        for readers in choices(3) {
            let (one, other) = try LocalSocketStream.pair()
            let found = await wait(other, readers.map { ($0, 100) })
            try await one.writeAll("1\n2")
            one.close()
            await found.wait(for: 3)
            XCTAssertEqual(found.all.sorted(), ["1", "2", "the end"], "\(readers)")
        }
    }

    func testCloseReachesAll() async throws {
        for readers in choices(3) {
            let (one, other) = try LocalSocketStream.pair()
            let found = await wait(other, readers.map { ($0, 100) })
            other.close()
            await found.wait(for: 3)
            XCTAssertEqual(found.all, ["closed", "closed", "closed"], "\(readers)")
            one.close()
        }
    }

    /// A task that gives up just when it is told passes that on, also to a thread.
    func testTheTurnOfOneWhoGivesUpIsAnothers() async throws {
        let forms: [@Sendable (LocalSocketStream) async throws -> Void] = [
            { _ = try await $0.readLine() }, { _ = try await $0.read(upTo: 1) },
        ]
        for form in forms {
            let (one, other) = try LocalSocketStream.pair()
            let first = Running { try other.readLine(timeout: .seconds(20)) }
            first.waitUntilBlocked()
            let leaving = RunningTask(on: EventLoop.shared) { try await form(other) }
            await waitUntilAwaited(other)
            let next = Running { try other.readLine(timeout: .seconds(20)) }
            next.waitUntilBlocked()
            try await EventLoop.shared.block {
                leaving.cancel()
                try one.writeAll("1\n")
                // It has left, and told the one who does not know yet that it was cancelled.
                XCTAssertEqual(try first.value(), "1")
            }
            await assertThrows(.cancelled) { try await leaving.value() }
            try await one.writeAll("2\n")
            try await assertEqual("2") { try await onThread { try next.value() } }
        }
    }

    /// One that finds a line that is too long for it leaves it to another one that waits.
    func testALineThatIsTooLongForOne() async throws {
        for readers in choices(3) {
            for _ in 0..<10 {
                let (one, other) = try LocalSocketStream.pair()
                let found = await wait(other, [(readers[0], 100), (readers[1], 3), (readers[2], 100)])
                try await one.writeAll("first\nsecond\n")
                // Of the two who wait it may be the other one who is told first: then the first one goes on waiting.
                await found.wait(for: 2)
                try await one.writeAll("long\n")
                await found.wait(for: 3)
                XCTAssertEqual(found.all.sorted(), ["first", "messageTooLarge", "second"], "\(readers)")
                other.close()
            }
        }
    }
}
