// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// Time limits of awaited reads and writes, which are limits of the whole call.
final class StreamTimeoutAsyncTests: InterprocessTestCase {
    private let limit = Duration.milliseconds(60)

    @discardableResult
    private func assertTimesOut(
        _ operation: IPCError.Operation,
        on executor: (any TaskExecutor)?,
        line: UInt = #line,
        _ body: @escaping @Sendable () async throws -> Void
    ) async -> IPCError? {
        let start = ContinuousClock.now
        let error = await assertThrows(.timedOut, operation, line: line) { try await on(executor, body) }
        XCTAssertGreaterThanOrEqual(ContinuousClock.now - start, limit, line: line)
        XCTAssertLessThan(ContinuousClock.now - start, .seconds(5), line: line)
        return error
    }

    func testEachWayOfReading() async throws {
        for executor in Self.executors {
            let (server, client) = try connected(try uniquePathName())
            for byDefault in [false, true] {
                server.receiveTimeout = byDefault ? limit : nil
                let timeout = byDefault ? nil : limit
                await assertTimesOut(.read, on: executor) { _ = try await server.read(upTo: 5, timeout: timeout) }
                await assertTimesOut(.read, on: executor) { _ = try await server.readExactly(5, timeout: timeout) }
                await assertTimesOut(.read, on: executor) { _ = try await server.readLine(timeout: timeout) }
                await assertTimesOut(.read, on: executor) { _ = try await server.readToEnd(timeout: timeout) }
                await assertTimesOut(.read, on: executor) {
                    for try await _ in server.chunks(timeout: timeout) {}
                }
                await assertTimesOut(.read, on: executor) { for try await _ in server.lines(timeout: timeout) {} }
            }
            // The call's own limit goes before the stream's.
            server.receiveTimeout = .zero
            let reader = RunningTask(on: executor) { try await server.read(upTo: 1, timeout: .seconds(20)) }
            await waitUntilAwaited(server)
            try await client.writeAll("x")
            try await assertEqual([UInt8(ascii: "x")]) { try await reader.value() }
            // A limit of zero takes what is there, also where an attempt was likely to be in vain.
            for _ in 0..<3 {
                try await client.writeAll("abc")
                try await assertEqual(Array("a".utf8)) { try await on(executor) { try await server.read(upTo: 1) } }
                try await assertEqual(Array("bc".utf8)) { try await on(executor) { try await server.read(upTo: 9) } }
                await assertThrows(.timedOut, .read) { try await on(executor) { try await server.read(upTo: 9) } }
            }
        }
    }

    /// A peer that sends a byte now and then does not prolong the call.
    func testReadingIsLimitedAsAWhole() async throws {
        let limit = limit
        let reads: [@Sendable (LocalSocketStream) async throws -> Void] = [
            { _ = try await $0.readExactly(1 << 20, timeout: limit) }, { _ = try await $0.readLine(timeout: limit) },
            { _ = try await $0.readToEnd(timeout: limit) },
        ]
        for executor in Self.executors {
            for read in reads {
                let (server, client) = try connected(try uniquePathName())
                // The task that goes on may be slow to come.
                try await client.writeAll("xx")
                let dripper = RunningTask(on: executor) {
                    while true {
                        try await client.writeAll("x")
                        try await Task.sleep(for: .milliseconds(5))
                    }
                }
                await assertTimesOut(.read, on: executor) { try await read(server) }
                dripper.cancel()
                _ = try? await dripper.value()
                XCTAssertGreaterThan(server.bufferedByteCount, 0)
                // The bytes that had come are there for the next read.
                try await client.writeAll("\n")
                let line = try await server.readLine()
                XCTAssertTrue(try XCTUnwrap(line).hasPrefix("xx"))
            }
        }
    }

    func testWriting() async throws {
        for executor in Self.executors {
            let (server, client) = try connected(try uniquePathName())
            let filled = try fill(client)
            for byDefault in [false, true] {
                client.sendTimeout = byDefault ? limit : nil
                let timeout = byDefault ? nil : limit
                let first = await assertTimesOut(.write, on: executor) {
                    _ = try await client.write([1, 2, 3], timeout: timeout)
                }
                XCTAssertEqual(first?.bytesTransferred, 0)
                let second = await assertTimesOut(.write, on: executor) {
                    try await client.writeAll([1, 2, 3], timeout: timeout)
                }
                XCTAssertEqual(second?.bytesTransferred, 0)
            }
            // Nothing was sent by those that failed.
            client.close()
            try await assertEqual(filled) { try await server.readToEnd().count }
        }
    }

    /// A peer that reads now and then does not prolong the call, which tells how far it came.
    func testWriteAllIsLimitedAsAWhole() async throws {
        let limit = limit
        for executor in Self.executors {
            let (server, client) = try connected(try uniquePathName())
            let filled = try fill(client)
            let flag = StopFlag()
            let sipper = RunningTask(on: executor) {
                var count = 0
                while !flag.isSet {
                    count += try await server.read(upTo: 40_000).count
                    try await Task.sleep(for: .milliseconds(5))
                }
                return count
            }
            let error = await assertTimesOut(.write, on: executor) {
                try await client.writeAll([UInt8](repeating: 9, count: 64 << 20), timeout: limit)
            }
            flag.set()
            let sent = try XCTUnwrap(error).bytesTransferred
            XCTAssertGreaterThan(sent, 0)
            client.close()
            let sipped = try await sipper.value()
            try await assertEqual(filled + sent) { try await server.readToEnd().count + sipped }
        }
    }

    /// Of several with limits of their own, in any order, each ends at its own, and no earlier.
    func testSeveralLimitsOnOneStream() async throws {
        for executor in Self.executors {
            let (one, other) = try LocalSocketStream.pair()
            let without = RunningTask(on: executor) { try await one.read(upTo: 1) }
            let limits = [80, 20, 60, 40, 100].map { Duration.milliseconds($0) }
            let readers = limits.map { limit in
                RunningTask(on: executor) { () -> Duration in
                    let start = ContinuousClock.now
                    do { _ = try await one.read(upTo: 1, timeout: limit) } catch let error as IPCError {
                        guard error.code == .timedOut else { throw error }
                    }
                    return ContinuousClock.now - start
                }
            }
            for (limit, reader) in zip(limits, readers) {
                let elapsed = try await reader.value()
                XCTAssertGreaterThanOrEqual(elapsed, limit)
                XCTAssertLessThan(elapsed, .seconds(5))
            }
            await waitUntilAwaited(one)
            try await other.writeAll("x")
            try await assertEqual([UInt8(ascii: "x")]) { try await without.value() }
        }
    }

    /// Limits too long for the clock are none; negative ones have passed.
    func testExtremeLimits() async throws {
        for executor in Self.executors {
            let (server, client) = try connected(try uniquePathName())
            let reader = RunningTask(on: executor) { try await server.read(upTo: 1, timeout: .seconds(Int64.max)) }
            await waitUntilAwaited(server)
            try await client.writeAll("x")
            try await assertEqual([UInt8(ascii: "x")]) { try await reader.value() }
            for limit in [Duration.seconds(Int64.min), .nanoseconds(1), .zero] {
                await assertThrows(.timedOut, .read) {
                    try await on(executor) { try await server.read(upTo: 1, timeout: limit) }
                }
            }
        }
    }
}
