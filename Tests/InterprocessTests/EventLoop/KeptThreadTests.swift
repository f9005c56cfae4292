// SPDX-License-Identifier: MIT OR Apache-2.0

import XCTest

@testable import Interprocess

/// A task that runs on the loop keeps its thread while it waits, if nothing else is to be done there.
final class KeptThreadTests: InterprocessTestCase {
    private func assertEachEndArrives(
        _ code: IPCError.Code,
        _ end: (RunningTask<[UInt8]>, LocalSocketStream) -> Void
    ) throws {
        let limit = ContinuousClock.now + .seconds(10)
        var count = 0
        while count < 20_000 && ContinuousClock.now < limit {
            count += 1
            let (one, other) = try LocalSocketStream.pair()
            let reading = RunningTask(on: EventLoop.shared) { try await one.read(upTo: 1) }
            spinUntilAwaited(one)
            end(reading, one)
            assertThrows(code, .read) { try reading.value() }
            other.close()
        }
    }

    func testCancellingAsTheThreadGoesToSleep() throws {
        try assertEachEndArrives(.cancelled) { reading, _ in reading.cancel() }
    }

    func testClosingAsTheThreadGoesToSleep() throws {
        try assertEachEndArrives(.closed) { _, stream in stream.close() }
    }

    /// A task that starts within another one's part must not hold that up while it waits.
    func testTaskThatStartsWithinAnother() async throws {
        guard #available(macOS 26, iOS 26, tvOS 26, watchOS 26, *) else { return }
        let (one, other) = try LocalSocketStream.pair()
        let bytes = try await on(EventLoop.shared) {
            let inner = Task.immediate { try await one.read(upTo: 1) }
            let same = Task.immediate(executorPreference: EventLoop.shared) { try await one.read(upTo: 1) }
            try await other.writeAll("xy")
            return try await [inner.value, same.value].flatMap(\.self).sorted()
        }
        XCTAssertEqual(bytes, Array("xy".utf8))
        let grouped = try await on(EventLoop.shared) {
            try await withThrowingTaskGroup(of: [UInt8].self) { group in
                group.addImmediateTask { try await one.readExactly(1) }
                try await other.writeAll("z")
                return try await group.next()
            }
        }
        XCTAssertEqual(grouped, [UInt8(ascii: "z")])
    }

    /// A loop's thread ends, and its descriptors are closed, when nothing belongs to it any more.
    func testLoopsEnd() throws {
        for round in 0..<500 {
            let (one, other) = try LocalSocketStream.pair()
            var loop: EventLoop? = EventLoop()
            let reading = RunningTask(on: loop) { try await one.read(upTo: 1) }
            spinUntilAwaited(one)
            if round % 2 == 0 { loop = nil }
            if round % 4 < 2 { try other.writeAll("x") } else { reading.cancel() }
            _ = try? reading.value()
            loop = nil
            if round % 3 == 0 { one.close() }
        }
    }

    /// Returns as soon as a task waits, and before its thread has gone to sleep, if possible.
    private func spinUntilAwaited(_ stream: LocalSocketStream) {
        while stream.descriptorCore.attached?.isBusy != true {}
    }
}
