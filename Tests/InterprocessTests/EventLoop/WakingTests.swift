// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Synchronization
import XCTest

@testable import Interprocess

/// A loop's thread learns of everything, however close it is to falling asleep.
final class WakingTests: InterprocessTestCase {
    /// A few nanoseconds up to a few microseconds: about what the thread takes from its last look until it sleeps.
    private func dawdle() {
        let count = Atomic<Int>(0)
        for _ in 0..<Int.random(in: 0..<400) { count.add(1, ordering: .relaxed) }
    }

    private func repeatedly(for time: Duration, _ body: () async throws -> Void) async throws {
        let end = ContinuousClock.now + time
        while ContinuousClock.now < end { try await body() }
    }

    /// The wait of a task that keeps the thread is ended from elsewhere.
    func testEndingWaits() async throws {
        let loop = EventLoop()
        try await repeatedly(for: .seconds(1)) {
            let (near, far) = try LocalSocketStream.pair()
            let isGoing = Flag()
            let reading = Task(executorPreference: loop) {
                isGoing.set()
                return try await near.read(upTo: 1)
            }
            while !isGoing.isSet {}
            let code: IPCError.Code = Bool.random() ? .cancelled : .closed
            dawdle()
            if code == .closed { near.close() } else { reading.cancel() }
            await assertThrows(code, .read) { try await reading.value }
            far.close()
        }
    }

    /// The thread ends with its loop, which the check for open descriptors sees.
    func testEndingLoops() async throws {
        try await repeatedly(for: .seconds(1)) {
            let loop = EventLoop()
            await Task(executorPreference: loop) {}.value
            dawdle()
            withExtendedLifetime(loop) {}
        }
    }
}
