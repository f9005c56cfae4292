// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// Threads that are blocked and tasks that are suspended, in calls on one object.
final class MixedWaitingTests: InterprocessTestCase {
    func testCloseEndsBoth() throws {
        for executor in Self.executors {
            for (kind, make) in eachKindOfStream() {
                let (stream, peer) = try make()
                _ = try fill(stream)
                let threads = [
                    Running { _ = try stream.read(upTo: 1) },
                    Running { _ = try stream.readLine(timeout: .seconds(25)) },
                ]
                let tasks = [
                    RunningTask(on: executor) { _ = try await stream.read(upTo: 1) },
                    RunningTask(on: executor) { _ = try await stream.readLine() },
                ]
                let writers = (
                    Running { try stream.writeAll("x") }, RunningTask(on: executor) { try await stream.writeAll("x") }
                )
                for thread in threads { thread.waitUntilBlocked() }
                writers.0.waitUntilBlocked()
                waitUntilAwaited(stream, by: 3)
                stream.close()
                for thread in threads { assertThrows(.closed, .read) { try thread.value() } }
                for task in tasks { assertThrows(.closed, .read) { try task.value() } }
                assertThrows(.closed, .write) { try writers.0.value() }
                assertThrows(.closed, .write) { try writers.1.value() }
                XCTAssertTrue(stream.isClosed, kind)
                peer.close()
            }
        }
    }

    func testCloseEndsAllWhoAccept() throws {
        for (name, executor) in try eachNameAndExecutor() {
            let listener = try LocalSocketListener(name)
            let threads = (0..<3).map { _ in Running { try listener.accept() } }
            let tasks = (0..<3).map { _ in RunningTask(on: executor) { try await listener.accept() } }
            for thread in threads { thread.waitUntilBlocked() }
            waitUntilAwaited(listener, by: 3)
            listener.close()
            for thread in threads { assertThrows(.closed, .accept) { try thread.value() } }
            for task in tasks { assertThrows(.closed, .accept) { try task.value() } }
        }
    }

    func testEachClientComesOnce() throws {
        for (name, executor) in try eachNameAndExecutor() {
            let listener = try LocalSocketListener(name)
            let threads = (0..<2).map { _ in
                Running {
                    var seen: [String] = []
                    while let stream = try? listener.accept() { seen.append(try stream.readLine() ?? "none") }
                    return seen
                }
            }
            let tasks = (0..<2).map { _ in
                RunningTask(on: executor) {
                    var seen: [String] = []
                    while let stream = try? await listener.accept() {
                        seen.append(try await stream.readLine() ?? "none")
                    }
                    return seen
                }
            }
            for number in 0..<200 {
                let client = try LocalSocketStream.connect(to: name)
                try client.writeAll("\(number)\n")
                XCTAssertEqual(try client.read(upTo: 1), [])
            }
            listener.close()
            let seen = try threads.flatMap { try $0.value() } + tasks.flatMap { try $0.value() }
            XCTAssertEqual(seen.compactMap { Int($0) }.sorted(), Array(0..<200))
        }
    }

    /// Every byte arrives once, with threads and tasks at either end, some of which give up now and then.
    func testEachByteArrivesOnce() throws {
        let total = 2_000_000
        for executor in Self.executors {
            let (one, other) = try LocalSocketStream.pair()
            let threads = (0..<2).map { number in
                Running {
                    try Self.count {
                        try other.read(upTo: 3000 + number, timeout: number == 0 ? .milliseconds(1) : nil)
                    }
                }
            }
            let tasks = (0..<3).map { number in
                RunningTask(on: executor) {
                    try await Self.count {
                        try await other.read(upTo: 2000 + number, timeout: number == 0 ? .milliseconds(1) : nil)
                    }
                }
            }
            let bytes = (0..<total).map { UInt8(truncatingIfNeeded: $0) }
            let halves = (Array(bytes[..<(total / 2)]), Array(bytes[(total / 2)...]))
            let writers = (
                Running { try one.writeAll(halves.0) }, RunningTask(on: executor) { try await one.writeAll(halves.1) }
            )
            try writers.0.value()
            try writers.1.value()
            one.close()
            let found = try threads.map { try $0.value() } + tasks.map { try $0.value() }
            XCTAssertEqual(Self.sum(found), Self.histogram(bytes))
        }
    }

    private static func histogram(_ bytes: [UInt8]) -> [Int] {
        bytes.reduce(into: [Int](repeating: 0, count: 256)) { $0[Int($1)] += 1 }
    }

    private static func sum(_ counts: [[Int]]) -> [Int] {
        counts.reduce([Int](repeating: 0, count: 256)) { zip($0, $1).map(+) }
    }

    /// Reads up to the end, and counts how often each byte has come.
    private static func count(_ read: () throws -> [UInt8]) throws -> [Int] {
        var counts: [[Int]] = []
        while true {
            do {
                let bytes = try read()
                if bytes.isEmpty { return sum(counts) }
                counts.append(histogram(bytes))
            } catch let error as IPCError where error.code == .timedOut {}
        }
    }

    private static func count(_ read: () async throws -> [UInt8]) async throws -> [Int] {
        var counts: [[Int]] = []
        while true {
            do {
                let bytes = try await read()
                if bytes.isEmpty { return sum(counts) }
                counts.append(histogram(bytes))
            } catch let error as IPCError where error.code == .timedOut {}
        }
    }

    /// Lines, where those who wait for a line that another one has received must be told of it, thread or task.
    func testEachLineArrivesOnceAndWhole() throws {
        let expected = (0..<3000).map { "\($0) " + String(repeating: "\($0 % 10)", count: $0 * 7 % 300) }
        for executor in Self.executors {
            let (one, other) = try LocalSocketStream.pair()
            let count = Counter()
            let threads = (0..<3).map { _ in
                Running {
                    var found: [String] = []
                    while let line = try other.readLine() {
                        found.append(line)
                        count.increment()
                    }
                    return found
                }
            }
            let tasks = (0..<3).map { _ in
                RunningTask(on: executor) {
                    var found: [String] = []
                    while let line = try await other.readLine() {
                        found.append(line)
                        count.increment()
                    }
                    return found
                }
            }
            // In packets of a few lines; each has to be taken whole, though nothing comes behind it.
            for start in stride(from: 0, to: expected.count, by: 10) {
                try one.writeAll(expected[start..<(start + 10)].map { $0 + "\n" }.joined())
                XCTAssertTrue(count.wait(for: start + 10), "lines were left behind")
            }
            one.close()
            let found = try threads.flatMap { try $0.value() } + tasks.flatMap { try $0.value() }
            XCTAssertTrue(found.sorted() == expected.sorted(), "lines were lost, torn or doubled")
        }
    }
}
