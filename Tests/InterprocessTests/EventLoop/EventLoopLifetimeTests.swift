// SPDX-License-Identifier: MIT OR Apache-2.0

import CInterprocess
import Foundation
import XCTest

@testable import Interprocess

#if os(Linux)
/// A loop's thread and descriptors go when nothing belongs to it any more.
final class EventLoopLifetimeTests: InterprocessTestCase {
    override var timeLimit: TimeInterval { 60 }

    private var before = LoopFootprint.current

    override func setUpWithError() throws {
        try super.setUpWithError()
        before = .current
    }

    func testALoopThatIsNotUsedHasNothing() {
        let loops = (0..<100).map { _ in EventLoop() }
        XCTAssertEqual(LoopFootprint.current, before)
        withExtendedLifetime(loops) {}
    }

    func testItEndsWithItsLastReference() async throws {
        try await Self.useOnce { _ in }
        before.waitUntilBack()
    }

    /// Uses a new loop, and looks at what it holds.
    private static func useOnce(_ body: (EventLoop) async throws -> Void) async throws {
        let before = LoopFootprint.current
        let loop = EventLoop()
        try await body(loop)
        // A thread has its name before it runs anything.
        await loop.run {}
        let now = LoopFootprint.current
        XCTAssertEqual(now.threads, before.threads + 1)
        XCTAssertEqual(now.pollers, before.pollers + 1)
        XCTAssertEqual(now.wakes, before.wakes + 1)
        withExtendedLifetime(loop) {}
    }

    func testItEndsWhenItsOwnThreadDropsIt() async throws {
        let here = await Task(executorPreference: EventLoop()) {
            await Task.yield()
            return ThreadIdentity.current
        }.value
        XCTAssertNotEqual(here, .current)
        before.waitUntilBack()
    }

    /// However its last task ends, and whoever keeps that: by itself, cancelled at that moment, its time over, or closed.
    func testItEndsHoweverItsLastTaskEnds() async throws {
        var kept: [Task<Void, Never>] = []
        for round in 0..<1000 {
            let (near, far) = try LocalSocketStream.pair()
            let task = Task(executorPreference: EventLoop()) {
                let timeout: Duration? = round % 4 == 2 ? .microseconds(round) : nil
                _ = try? await near.read(upTo: 1, timeout: timeout)
            }
            if round % 3 == 0 { kept.append(task) } else { dawdle(upTo: 60_000) }
            switch round % 4 {
            case 0: try send(1, over: far)
            case 1: task.cancel()
            case 3: near.close()
            default: break
            }
            if round % 2 == 0 { await task.value }
        }
        before.waitUntilBack()
        withExtendedLifetime(kept) {}
    }

    /// One that serves ends with that, whether the task is cancelled or the listener closed.
    func testItEndsWithServing() async throws {
        for round in 0..<200 {
            let listener = try LocalSocketListener(try namespacedName())
            let serving = Task {
                let options = serveOptions { $0.eventLoops = [EventLoop()] }
                try await listener.serve(options: options) { try await $0.sendBack() }
            }
            try await listener.newClient().assertEcho("x")
            if round % 2 == 0 { serving.cancel() } else { listener.close() }
            try await serving.value
            listener.close()
        }
        before.waitUntilBack()
    }

    /// Streams that still belong to it go on working, on whatever thread they are awaited.
    func testStreamsOutliveIt() async throws {
        let (near, far) = try LocalSocketStream.pair()
        try await Self.useOnce { try near.join($0) }
        let now = LoopFootprint.current
        for number in 0..<100 {
            async let bytes = near.read(upTo: 10, timeout: .seconds(20))
            try send(UInt8(number), over: far)
            let result = try await bytes
            XCTAssertEqual(result, [UInt8(number)])
        }
        await assertThrows(.timedOut) { try await near.read(upTo: 1, timeout: .milliseconds(1)) }
        let reading = Task { try await near.read(upTo: 1) }
        await waitUntilAwaited(near)
        reading.cancel()
        await assertThrows(.cancelled) { try await reading.value }
        XCTAssertEqual(LoopFootprint.current, now, "it is still there")
        near.close()
        before.waitUntilBack()
    }

    func testItEndsWhenItsLastStreamIsDropped() async throws {
        try await Self.useOnce { loop in
            let (near, far) = try LocalSocketStream.pair()
            try near.join(loop)
            withExtendedLifetime((near, far)) {}
        }
        before.waitUntilBack()
    }

    func testItEndsWhenItsLastStreamIsGivenAway() async throws {
        let (near, far) = try LocalSocketStream.pair()
        try await Self.useOnce { try near.join($0) }
        let descriptor = try await near.detach()
        before.waitUntilBack()
        close(descriptor)
        withExtendedLifetime(far) {}
    }

    /// What has waited there for no descriptor has left: a pause, and a call that another one was to wake.
    func testItEndsAfterWaitsOfOtherKinds() async throws {
        let name = try namespacedName()
        let (one, other) = try IPCConnection<Int, Int>.pair()
        try await Self.useOnce { loop in
            let code = await loop.run { () -> IPCError.Code? in
                var options = LocalSocketStream.ConnectOptions()
                options.waitsForServer = true
                options.wait = .timeout(.milliseconds(5))
                do throws(IPCError) { _ = try await LocalSocketStream.connect(to: name, options: options) } catch {
                    return error.code
                }
                return nil
            }
            XCTAssertEqual(code, .timedOut)
            let readers = (0..<2).map { _ in Task(executorPreference: loop) { try await one.receive() } }
            await eventually("both wait") { loop.reactor.waiterCount == 2 }
            for number in 1...2 { try await other.send(number) }
            var received: Set<Int> = []
            for reader in readers { received.insert(try await reader.value) }
            XCTAssertEqual(received, [1, 2])
            one.close()
        }
        before.waitUntilBack()
    }

    /// Loops whose last stream is closed just when their threads go to sleep, after an event.
    func testTheLastCloseMeetsTheThreadOnItsWayToSleep() async throws {
        for round in 0..<3000 {
            let (near, far) = try LocalSocketStream.pair()
            let reading = try Self.startReading(near, onLoop: round % 2 == 0)
            await waitUntilAwaited(near)
            try send(1, over: far)
            dawdle(upTo: 60_000)
            near.close()
            _ = await reading.result
        }
        before.waitUntilBack()
    }

    /// Starts to read on a loop that nobody but the task and the stream knows of.
    private static func startReading(_ stream: LocalSocketStream, onLoop: Bool) throws -> Task<[UInt8], any Error> {
        let loop = EventLoop()
        try stream.join(loop)
        return Task(executorPreference: onLoop ? loop : nil) { try await stream.read(upTo: 1) }
    }

    /// Each loop's only task ends, and the loop with it, while the thread that started the task is still at it.
    ///
    /// What the loop has closed must not be written to: its numbers are a bystander's by then.
    func testLoopsThatGoWithTheirOnlyTask() {
        for _ in 0..<3000 {
            Task(executorPreference: EventLoop()) {}
            var ends: [Int64] = [-1, -1]
            XCTAssertEqual(cip_pipe(&ends), 0)
            dawdle(upTo: 10_000)
            var byte: UInt8 = 0
            XCTAssertEqual(cip_pipe_read(ends[0], &byte, 1), -cip_codes.would_block, "a bystander got bytes")
            for end in ends { XCTAssertEqual(cip_close(end), 0) }
        }
        before.waitUntilBack()
    }
}
#endif
