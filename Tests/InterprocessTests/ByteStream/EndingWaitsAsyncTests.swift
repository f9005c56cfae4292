// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Synchronization
import XCTest

@testable import Interprocess

/// A wait that is ended just when it begins ends, whatever the moment.
final class EndingWaitsAsyncTests: InterprocessTestCase {
    /// Tells when the task is about to wait.
    private final class Signal: Sendable {
        private let round = Atomic<Int>(0)

        func give(_ number: Int) { round.store(number, ordering: .sequentiallyConsistent) }

        /// Spins, so that what comes then comes at the same time as the wait, a little earlier or later.
        func wait(for number: Int) {
            while round.load(ordering: .sequentiallyConsistent) != number {}
            for _ in 0..<number % 97 * 8 { _ = round.load(ordering: .relaxed) }
        }
    }

    /// Lets a wait begin and be ended, again and again for a while.
    private func atManyMoments(
        _ code: IPCError.Code,
        makePair: () throws -> (LocalSocketStream, LocalSocketStream),
        _ endWait: @escaping @Sendable (Task<[UInt8], any Error>, LocalSocketStream) -> Void
    ) async throws {
        for executor in [nil, EventLoop.shared] as [(any TaskExecutor)?] {
            let signal = Signal()
            let end = ContinuousClock.now + (executor == nil ? .milliseconds(200) : .milliseconds(1500))
            var round = 0
            while ContinuousClock.now < end {
                round += 1
                let (stream, peer) = try makePair()
                let reading = Task(executorPreference: executor) { [round] in
                    signal.give(round)
                    return try await stream.read(upTo: 1)
                }
                let ending = Running { [round] in
                    signal.wait(for: round)
                    endWait(reading, stream)
                }
                await assertThrows(code, .read) { try await reading.value }
                try ending.value()
                withExtendedLifetime(peer) {}
            }
        }
    }

    func testCancelling() async throws {
        let (one, other) = try LocalSocketStream.pair()
        try await atManyMoments(.cancelled, makePair: { (one, other) }) { reading, _ in
            reading.cancel()
        }
        try await other.writeAll("x")
        try await assertEqual(Array("x".utf8)) { try await one.read(upTo: 9) }
    }

    func testClosing() async throws {
        try await atManyMoments(.closed, makePair: LocalSocketStream.pair) { _, stream in
            stream.close()
        }
    }

    #if INTERPROCESS_FAULT_INJECTION
    /// What keeps its tasks from running for as long as a thread says.
    private actor Holdup {
        func hold(until released: DispatchSemaphore, _ found: Found) {
            found.add("held")
            released.wait()
        }
        func read(_ stream: LocalSocketStream, timeout: Duration) async throws -> [UInt8] {
            try await stream.read(upTo: 1, timeout: timeout)
        }
    }

    /// Of two who wait for bytes the first is let go, finds none, for somebody else was faster, and its time is over:
    /// then the other one has to be let go.
    func testGivingUpLetsTheNextOneGo() async throws {
        defer { FaultInjection.clear() }
        let (one, other) = try LocalSocketStream.pair()
        let (holdup, released) = (Holdup(), DispatchSemaphore(value: 0))
        let first = Task { try await holdup.read(other, timeout: .seconds(1)) }
        await waitUntilAwaited(other, by: 1)
        let end = ContinuousClock.now + .seconds(1)
        let second = Task { try await other.read(upTo: 1) }
        await waitUntilAwaited(other, by: 2)
        let found = Found()
        let holding = Task { await holdup.hold(until: released, found) }
        await found.wait(for: 1)
        try await one.writeAll("x")
        try await Task.sleep(until: end)
        FaultInjection.inject(.result(-Int64(EAGAIN)), into: .receive)
        released.signal()
        await assertThrows(.timedOut, .read) { try await first.value }
        try await assertEqual(Array("x".utf8)) { try await second.value }
        await holding.value
    }
    #endif
}
