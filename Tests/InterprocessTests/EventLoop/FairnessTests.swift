// SPDX-License-Identifier: MIT OR Apache-2.0

import Interprocess
import XCTest

/// A task that never has to wait, because its peer is faster, lets the others of its thread run all the same.
final class FairnessTests: InterprocessTestCase {
    override var timeLimit: TimeInterval { 60 }

    /// Runs `busy` again and again on a loop of its own until another task there has had 100 answers from a thread.
    private func assertOthersRun(beside busy: @escaping @Sendable () async throws -> Void) async throws {
        let loop = EventLoop()
        let (near, far) = try LocalSocketStream.pair()
        let echo = Running {
            while case let bytes = try far.read(upTo: 16), !bytes.isEmpty { try far.writeAll(bytes) }
        }
        let answers = Counter()
        let calls = Counter()
        let busyTask = RunningTask(on: loop) {
            while answers.value < 100 {
                try await busy()
                calls.increment()
            }
        }
        await eventually("it is busy") { calls.value >= 100 }
        let other = RunningTask(on: loop) {
            for _ in 0..<100 {
                try await near.writeAll("x")
                _ = try await near.readExactly(1)
                answers.increment()
            }
        }
        try await other.value()
        try await busyTask.value()
        near.close()
        try echo.value()
    }

    func testReaderOfAFastWriter() async throws {
        let (one, other) = try LocalSocketStream.pair()
        let flood = Running { while true { try other.writeAll([UInt8](repeating: 1, count: 1 << 16)) } }
        try await assertOthersRun { _ = try await one.read(upTo: 1) }
        one.close()
        assertThrows(.brokenPipe) { try flood.value() }
    }

    func testWriterToAFastReader() async throws {
        let (one, other) = try LocalSocketStream.pair()
        let drain = Running { while try !other.read(upTo: 1 << 20).isEmpty {} }
        try await assertOthersRun { try await one.writeAll("x") }
        one.close()
        try drain.value()
    }

    /// Lines that are in the read-ahead buffer take no system call.
    func testReaderOfLines() async throws {
        let (one, other) = try LocalSocketStream.pair()
        let flood = Running { while true { try other.writeAll([UInt8](repeating: 10, count: 1 << 16)) } }
        try await assertOthersRun { _ = try await one.readLine() }
        one.close()
        assertThrows(.brokenPipe) { try flood.value() }
    }
}
