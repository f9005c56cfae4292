// SPDX-License-Identifier: MIT OR Apache-2.0

import XCTest

@testable import Interprocess

/// Several tasks, and threads beside them, read from one object: nothing comes twice, in part, or not at all.
final class ConcurrentReadersAsyncTests: InterprocessTestCase {
    /// Reads lines to the end, in a task.
    private func reader(_ receiver: some ByteReceiver) -> Task<[String], any Error> {
        start {
            var found: [String] = []
            for try await line in receiver.lines { found.append(line) }
            return found
        }
    }

    /// The same in a thread.
    private func blockingReader(_ receiver: some ByteReceiver) -> Running<[String]> {
        Running {
            var found: [String] = []
            while let line = try receiver.readLine() { found.append(line) }
            return found
        }
    }

    private func all<Element>(_ tasks: [Task<[Element], any Error>]) async throws -> [Element] {
        var all: [Element] = []
        for task in tasks { all += try await task.value }
        return all
    }

    func testEveryLineOnceAndWhole() async throws {
        let expected = lines(4000)
        try await onEachExecutor {
            let (one, other) = try LocalSocketStream.pair()
            let readers = (0..<4).map { _ in reader(other) }
            try await one.writeAll(expected.map { $0 + "\n" }.joined())
            one.close()
            assertEachLineOnce(try await all(readers), expected)
        }
    }

    /// On whatever threads they run.
    func testTasksOfSeveralExecutors() async throws {
        let expected = lines(4000)
        let (one, other) = try LocalSocketStream.pair()
        let loop = EventLoop()
        let readers = [nil, nil, EventLoop.shared, loop].map { executor in
            Task(executorPreference: executor) {
                var found: [String] = []
                while let line = try await other.readLine() { found.append(line) }
                return found
            }
        }
        try await one.writeAll(expected.map { $0 + "\n" }.joined())
        one.close()
        assertEachLineOnce(try await all(readers), expected)
    }

    func testTasksAndThreads() async throws {
        let expected = lines(4000)
        for kind in 0..<3 {
            let (sender, receiver) = try everyKind()[kind]
            let tasks = (0..<2).map { _ in reader(receiver) }
            let threads = (0..<2).map { _ in blockingReader(receiver) }
            try await sender.writeAll(expected.map { $0 + "\n" }.joined())
            sender.descriptorCore.close()
            let found = try await all(tasks) + threads.flatMap { try $0.value() }
            assertEachLineOnce(found, expected)
        }
    }

    /// At the end of the stream one reader may have filled the buffer with lines that another finds there.
    func testLastLinesAreNotJoined() async throws {
        let expected = (0..<6000).map { "\($0)" }
        let text = expected.map { $0 + "\n" }.joined()
        try await onEachExecutor {
            for _ in 0..<20 {
                let (sender, receiver) = try UnnamedPipe.create()
                let readers = (0..<4).map { _ in reader(receiver) }
                await waitUntilAwaited(receiver, by: 4)
                try await sender.writeAll(text)
                sender.close()
                assertEachLineOnce(try await all(readers), expected)
            }
        }
    }

    /// Some of the readers give up again and again, by a limit of time or because they are cancelled: what they had is
    /// read by others.
    func testPlainReadsLoseNothing() async throws {
        let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0) }
        try await onEachExecutor {
            let (sender, receiver) = try UnnamedPipe.create()
            let readers = (0..<4).map { number in
                start {
                    var found: [UInt8] = []
                    while true {
                        do throws(IPCError) {
                            let timeout: Duration? = number == 0 ? .microseconds(100) : nil
                            let piece = try await receiver.read(upTo: 1000 + number, timeout: timeout)
                            if piece.isEmpty { return found }
                            found += piece
                        } catch {
                            if error.code != .timedOut { throw error }
                        }
                    }
                }
            }
            let impatient = start {
                var found: [UInt8] = []
                while true {
                    let reading = start { try await receiver.read(upTo: 999) }
                    await Task.yield()
                    reading.cancel()
                    do {
                        let piece = try await reading.value
                        if piece.isEmpty { return found }
                        found += piece
                    } catch let error as IPCError where error.code == .cancelled {}
                }
            }
            try await sender.writeAll(bytes)
            sender.close()
            let found = try await all(readers + [impatient])
            XCTAssertEqual(histogram(found), histogram(bytes))
        }
    }

    func testWritersOfSmallPiecesDoNotTear() async throws {
        // Up to 4096 bytes at a time are written as one.
        try await onEachExecutor {
            let (sender, receiver) = try UnnamedPipe.create()
            let pieces = (0..<4).map { String(repeating: "\($0)", count: 100 + $0 * 900) }
            let writers = pieces.map { piece in
                start { for _ in 0..<300 { try await sender.writeAll(piece + "\n") } }
            }
            let reader = reader(receiver)
            for writer in writers { try await writer.value }
            sender.close()
            let found = try await reader.value
            assertEachLineOnce(found, pieces.flatMap { [String](repeating: $0, count: 300) })
        }
    }
}
