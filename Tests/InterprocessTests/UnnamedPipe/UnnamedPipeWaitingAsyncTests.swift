// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

/// What ends calls on pipes that tasks await, where it is hard.
final class UnnamedPipeWaitingAsyncTests: InterprocessTestCase {
    private static let much = [UInt8](repeating: 5, count: 1 << 20)

    /// It is for the calls that block: tasks wait all the same.
    func testNonblockingModeIsNotForAwaitedCalls() async throws {
        var options = UnnamedPipe.Options()
        options.nonblocking = true
        let (sender, receiver) = try UnnamedPipe.create(options)
        let reading = start { try await receiver.readExactly(1 << 20) }
        await waitUntilAwaited(receiver)
        let writing = start { try await sender.writeAll(Self.much) }
        try await assertEqual(1 << 20) { try await reading.value.count }
        try await writing.value
        await assertThrows(.timedOut) { try await receiver.read(upTo: 1, timeout: .milliseconds(1)) }
        assertThrows(.wouldBlock) { try Running { try receiver.read(upTo: 1) }.value() }
    }

    func testReadTimeout() async throws {
        try await onEachExecutor {
            let (sender, receiver) = try UnnamedPipe.create()
            let start = ContinuousClock.now
            await assertThrows(.timedOut, .read) { try await receiver.read(upTo: 1, timeout: .milliseconds(30)) }
            XCTAssertGreaterThanOrEqual(ContinuousClock.now - start, .milliseconds(30))
            receiver.receiveTimeout = .milliseconds(10)
            await assertThrows(.timedOut, .read) { try await receiver.readLine() }
            receiver.receiveTimeout = .zero
            await assertThrows(.timedOut, .read) { try await receiver.read(upTo: 1) }
            try await sender.writeAll("x")
            try await assertEqual("x") { text(try await receiver.read(upTo: 1)) }
            // What a call says goes before.
            await assertThrows(.timedOut) { try await receiver.read(upTo: 1, timeout: .milliseconds(1)) }
            receiver.receiveTimeout = nil
        }
    }

    func testWriteTimeout() async throws {
        try await onEachExecutor {
            let (sender, receiver) = try UnnamedPipe.create()
            let start = ContinuousClock.now
            let error = await assertThrows(.timedOut, .write) {
                try await sender.writeAll(Self.much, timeout: .milliseconds(30))
            }
            XCTAssertGreaterThanOrEqual(ContinuousClock.now - start, .milliseconds(30))
            XCTAssertEqual(error?.bytesTransferred, try sender.bufferSize)
            sender.sendTimeout = .milliseconds(10)
            await assertThrows(.timedOut, .write) { try await sender.write(Self.much) }
            sender.close()
            try await assertEqual(error?.bytesTransferred) { try await receiver.readToEnd().count }
        }
    }

    /// Limits of very different lengths at the same time, the longest first: each ends at its own time.
    func testManyTimeLimitsAtOnce() async throws {
        let (sender, receiver) = try UnnamedPipe.create()
        let start = ContinuousClock.now
        let limits = [Duration.seconds(Int64.max), .seconds(3600)] + (1...50).reversed().map { .milliseconds($0) }
        let readings = limits.enumerated().map { number, limit in
            Task { () -> Duration in
                do throws(IPCError) {
                    _ =
                        number % 2 == 0
                        ? try await receiver.read(upTo: 1, timeout: limit)
                        : Array((try await receiver.readLine(timeout: limit) ?? "").utf8)
                } catch {
                    XCTAssertEqual(error.code, limit < .seconds(1) ? .timedOut : .closed)
                }
                return ContinuousClock.now - start
            }
        }
        for (limit, reading) in zip(limits, readings).dropFirst(2) {
            let time = await reading.value
            XCTAssertGreaterThanOrEqual(time, limit)
        }
        receiver.close()
        for reading in readings.prefix(2) { _ = await reading.value }
        sender.close()
    }

    /// Tasks and threads at once, of which one may take the bytes that were meant to wake the others as well.
    func testCloseWakesAllReaders() async throws {
        for _ in 0..<50 {
            let (sender, receiver) = try UnnamedPipe.create()
            let threads = (0..<3).map { number in
                Running { try receiver.read(upTo: 100, timeout: number == 2 ? .seconds(60) : nil) }
            }
            for thread in threads { thread.waitUntilBlocked() }
            let tasks = (0..<3).map { number in
                start { try await receiver.read(upTo: 100, timeout: number == 2 ? .seconds(60) : nil) }
            }
            await waitUntilAwaited(receiver, by: 3)
            receiver.close()
            for thread in threads { assertThrows(.closed, .read) { try thread.value() } }
            for task in tasks { await assertThrows(.closed, .read) { try await task.value } }
            sender.close()
        }
    }

    func testCloseWakesWriters() async throws {
        try await onEachExecutor {
            let (sender, receiver) = try UnnamedPipe.create()
            let writings = (0..<2).map { _ in start { try await sender.writeAll(Self.much) } }
            await waitUntilAwaited(sender, by: 2)
            sender.close()
            var sent = 0
            for writing in writings {
                sent += await assertThrows(.closed, .write) { try await writing.value }?.bytesTransferred ?? 0
            }
            try await assertEqual(sent) { try await receiver.readToEnd().count }
        }
    }

    /// Once a loop runs, awaiting takes no descriptor, and neither does closing.
    func testWhenNoDescriptorIsLeft() async throws {
        try await onEachExecutor {
            let (sender, receiver) = try UnnamedPipe.create()
            let reading = start { try await receiver.read(upTo: 10) }
            await waitUntilAwaited(receiver)
            try await withoutDescriptors {
                try await sender.writeAll("x")
                try await assertEqual("x") { text(try await reading.value) }
                let lines = (0..<2).map { _ in start { try await receiver.readLine() } }
                await waitUntilAwaited(receiver, by: 2)
                receiver.close()
                for line in lines { await assertThrows(.closed, .read) { try await line.value } }
            }
            sender.close()
        }
    }

    #if os(Linux)
    /// What is at its end, or has bytes, and nobody awaits, does not keep the loop's thread busy.
    func testTheLoopSleepsWhileNobodyWaits() async throws {
        var all: [Ends] = []
        for leaves in [false, true] {
            for ends in try everyKind() {
                await assertThrows(.timedOut) { try await ends.receiver.read(upTo: 1, timeout: .milliseconds(1)) }
                await assertThrows(.timedOut) { try await ends.sender.writeAll(Self.much, timeout: .milliseconds(1)) }
                if leaves { ends.sender.descriptorCore.close() } else { _ = try await ends.receiver.read(upTo: 10) }
                all.append(ends)
            }
        }
        await EventLoop.shared.run { ThreadIdentity.current }.assertSleeps("nobody waits")
        withExtendedLifetime(all) {}
    }
    #endif
}
