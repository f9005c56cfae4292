// SPDX-License-Identifier: MIT OR Apache-2.0

import CInterprocess
import Foundation
import XCTest

@testable import Interprocess

/// Awaited calls end in time: never early, and not much late.
final class AwaitedDeadlineTests: InterprocessTestCase {
    /// What a machine that is busy with other things may add, in nanoseconds.
    private static let grace: Int64 = 2_000_000_000

    /// Awaits something that times out; returns how late it did, in nanoseconds.
    private static func lateness(of limit: Duration, _ call: (Duration) async throws -> [UInt8]) async -> Int64 {
        let start = cip_now()
        do {
            let bytes = try await call(limit)
            XCTFail("\(bytes) instead of a timeout")
        } catch {
            XCTAssertEqual((error as? IPCError)?.code, .timedOut, "\(error)")
        }
        let late = cip_now() - start - limit.wholeNanoseconds
        XCTAssertGreaterThanOrEqual(late, 0, "too early")
        XCTAssertLessThan(late, grace)
        return late
    }

    /// Tasks with limits of 5 ms, 10 ms and so on, which start in any order, on one or several streams.
    private func run(_ count: Int, on streams: [LocalSocketStream], _ executor: EventLoop?, _ what: String) async {
        let ended = Collected<(number: Int, late: Int64)>()
        await withTaskGroup(of: Void.self) { group in
            for number in (1...count).shuffled() {
                let stream = streams[number % streams.count]
                group.addTask(executorPreference: executor) {
                    let late = await Self.lateness(of: .milliseconds(5 * number)) { limit in
                        try await stream.read(upTo: 1, timeout: limit)
                    }
                    ended.append((number, late))
                }
            }
        }
        let latest = ended.all.map(\.late).max() ?? .max
        print("\(what): \(latest / 1000) us late at most")
        // Where one is later than the next one's time, they end together.
        if latest < 5_000_000 { XCTAssertEqual(ended.all.map(\.number), Array(1...count), what) }
    }

    func testManyTimeouts() async throws {
        let loop = EventLoop()
        for executor in [loop, nil] {
            for width in [1, 7] {
                let pairs = try (0..<width).map { _ in try LocalSocketStream.pair() }
                for pair in pairs { try pair.0.join(loop) }
                let what = "20 timeouts on \(width) descriptors, \(executor == nil ? "pool" : "loop")"
                await run(20, on: pairs.map(\.0), executor, what)
            }
        }
    }

    /// The loop's thread sleeps without an alarm, or with a later one, when another thread's task comes.
    func testATimeoutWakesASleepingLoop() async throws {
        let loop = EventLoop()
        let (near, far) = try LocalSocketStream.pair()
        let (other, otherFar) = try LocalSocketStream.pair()
        try near.join(loop)
        try other.join(loop)
        var latest: Int64 = 0
        func timeOut(_ stream: LocalSocketStream, after limit: Duration) async {
            for _ in 0..<20 {
                let late = await Self.lateness(of: limit) { try await stream.read(upTo: 1, timeout: $0) }
                latest = max(latest, late)
            }
        }
        for limit in [Duration.microseconds(100), .milliseconds(3)] {
            await timeOut(near, after: limit)
            let waiting = Task { try await other.read(upTo: 1, timeout: .seconds(60)) }
            await waitUntilAwaited(other)
            await timeOut(near, after: limit)
            // An earlier deadline for the same descriptor.
            await timeOut(other, after: limit)
            waiting.cancel()
            await assertThrows(.cancelled) { try await waiting.value }
        }
        print("timeouts that wake a sleeping loop: \(latest / 1000) us late at most")
        withExtendedLifetime((far, otherFar)) {}
    }

    /// A limit that is renewed for every read ends the first one for which nothing comes.
    func testARenewedTimeout() async throws {
        try await onEachExecutor {
            let (near, far) = try LocalSocketStream.pair()
            async let sending: Void = Task {
                for round in 0..<2000 {
                    try await far.writeAll([UInt8(truncatingIfNeeded: round)])
                    if round % 100 == 0 { try await Task.sleep(for: .milliseconds(1)) }
                }
            }.value
            var next: UInt8 = 0
            for _ in 0..<2000 {
                let bytes = try await near.read(upTo: 1, timeout: .seconds(5))
                XCTAssertEqual(bytes, [next])
                next &+= 1
            }
            try await sending
            near.receiveTimeout = .milliseconds(5)
            _ = await Self.lateness(of: .milliseconds(5)) { _ in try await near.read(upTo: 1) }
        }
    }

    func testLimitsOfAllSizes() async throws {
        try await onEachExecutor {
            let (near, far) = try LocalSocketStream.pair()
            for limit in [Duration.zero, .seconds(-1), .seconds(Int64.min), .nanoseconds(1)] {
                _ = await Self.lateness(of: max(.zero, limit)) { _ in try await near.read(upTo: 1, timeout: limit) }
                // What is there is taken all the same.
                try send(1, over: far)
                let bytes = try await near.read(upTo: 1, timeout: limit)
                XCTAssertEqual(bytes, [1])
            }
            for limit in [Duration.seconds(6_000_000_000), .nanoseconds(Int64.max), .seconds(Int64.max)] {
                async let reading = near.read(upTo: 1, timeout: limit)
                await Task.yield()
                try send(2, over: far)
                let bytes = try await reading
                XCTAssertEqual(bytes, [2])
            }
        }
    }

    func testWritersTimeOut() async throws {
        try await onEachExecutor {
            let (near, far) = try LocalSocketStream.pair()
            let bytes = [UInt8](repeating: 0, count: 1 << 22)
            for _ in 0..<3 {
                let start = cip_now()
                let error = await Self.error { try await near.writeAll(bytes, timeout: .milliseconds(3)) }
                XCTAssertEqual(error?.code, .timedOut)
                XCTAssertGreaterThanOrEqual(cip_now() - start, 3_000_000)
            }
            withExtendedLifetime(far) {}
        }
    }

    private static func error(_ body: () async throws -> Void) async -> IPCError? {
        do { try await body() } catch { return error as? IPCError }
        return nil
    }

    func testCancellingIsFast() async throws {
        for executor in [nil, EventLoop.shared] {
            var times: [Int64] = []
            let (near, far) = try LocalSocketStream.pair()
            for _ in 0..<51 {
                let reading = Task(executorPreference: executor) { try await near.read(upTo: 1) }
                await waitUntilAwaited(near)
                let start = cip_now()
                reading.cancel()
                await assertThrows(.cancelled) { try await reading.value }
                times.append(cip_now() - start)
            }
            times.sort()
            print("cancelling: \(times[25] / 1000) us, \(times[50] / 1000) us at most")
            XCTAssertLessThan(times[25], 10_000_000)
            withExtendedLifetime(far) {}
        }
    }
}
