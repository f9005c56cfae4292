// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

/// A loop runs tasks.
final class EventLoopTests: InterprocessTestCase {
    func testTasksRunAndResumeOnItsThread() async throws {
        let loop = EventLoop()
        let here = await loop.run { ThreadIdentity.current }
        XCTAssertNotEqual(here, .current)
        let (near, far) = try LocalSocketStream.pair()
        try await loop.run {
            XCTAssertEqual(ThreadIdentity.current, here)
            XCTAssert(Reactor.current === loop.reactor)
            // After everything that a task can be suspended by.
            await Task.yield()
            XCTAssertEqual(ThreadIdentity.current, here)
            try await Task.sleep(for: .milliseconds(1))
            XCTAssertEqual(ThreadIdentity.current, here)
            let other = await Task { ThreadIdentity.current }.value
            XCTAssertNotEqual(other, here, "a task without preference has left the loop")
            XCTAssertEqual(ThreadIdentity.current, here)
            let elsewhere = await OnMain.thread()
            XCTAssertNotEqual(elsewhere, here)
            XCTAssertEqual(ThreadIdentity.current, here)
            async let child = ThreadIdentity.current
            let childsThread = await child
            XCTAssertEqual(childsThread, here)
            async let byte = near.read(upTo: 1)
            await Task { try? send(1, over: far) }.value
            let bytes = try await byte
            XCTAssertEqual(bytes, [1])
            XCTAssertEqual(ThreadIdentity.current, here)
        }
        XCTAssertNil(Reactor.current)
    }

    /// A program's handlers run on its own threads, which may be waiting for them; profilers and faults concern each thread.
    func testItsThreadLeavesSignalsToOthers() throws {
        let blocked = Running { () -> [Bool] in
            // A new thread begins as the one that makes it: here that is one that takes them all.
            var none = sigset_t()
            sigemptyset(&none)
            pthread_sigmask(SIG_SETMASK, &none, nil)
            let loop = EventLoop()
            return try RunningTask(on: loop) { () -> [Bool] in
                var mask = sigset_t()
                pthread_sigmask(SIG_BLOCK, nil, &mask)
                return [SIGTERM, SIGINT, SIGUSR1, SIGCHLD, SIGSEGV, SIGPROF].map { sigismember(&mask, $0) == 1 }
            }.value()
        }
        XCTAssertEqual(try blocked.value(), [true, true, true, true, false, false])
    }

    /// A stream belongs to the loop on which it was first awaited, else to the shared one; and it stays there.
    func testStreamsBelongToTheLoopThatAwaitsThemFirst() async throws {
        let loop = EventLoop()
        for (first, owner) in [(loop, loop), (EventLoop.shared, .shared), (nil, .shared)] {
            let (near, far) = try LocalSocketStream.pair()
            for executor in [first, loop, nil] {
                let reading = Task(executorPreference: executor) { try await near.read(upTo: 1) }
                await waitUntilAwaited(near)
                let registration = near.descriptorCore.attached as? Registration
                XCTAssert(registration?.reactor === owner.reactor)
                try send(1, over: far)
                let bytes = try await reading.value
                XCTAssertEqual(bytes, [1])
            }
        }
    }

    @MainActor
    private enum OnMain {
        static func thread() -> ThreadIdentity { .current }
    }

    func testTasksOfManyThreads() throws {
        let loop = EventLoop()
        let ran = DispatchSemaphore(value: 0)
        let threads = Collected<ThreadIdentity>()
        let starting = (0..<8).map { _ in
            Running {
                for _ in 0..<1000 {
                    Task(executorPreference: loop) {
                        threads.append(.current)
                        ran.signal()
                    }
                }
            }
        }
        for thread in starting { try thread.value() }
        for _ in 0..<8000 { XCTAssertEqual(ran.wait(timeout: .now() + 10), .success) }
        XCTAssertEqual(threads.all.count, 8000)
        XCTAssertEqual(Set(threads.all).count, 1)
    }

    /// More tasks than are run before events are looked at again, all of them suspended at once.
    func testThousandsOfTasks() async throws {
        let loop = EventLoop()
        let sum = await loop.run {
            await withTaskGroup(of: Int.self) { group in
                for number in 0..<10_000 {
                    group.addTask {
                        for _ in 0..<number % 5 { await Task.yield() }
                        return number
                    }
                }
                return await group.reduce(0, +)
            }
        }
        XCTAssertEqual(sum, 10_000 * 9_999 / 2)
    }

    func testTasksAreRunInOrder() async throws {
        let loop = EventLoop()
        let order = Collected<Int>()
        await loop.run {
            await withTaskGroup(of: Void.self) { group in
                for number in 0..<2000 { group.addTask { order.append(number) } }
            }
        }
        XCTAssertEqual(order.all, Array(0..<2000))
    }

    /// Tasks that never stop do not keep events from being looked at.
    func testEventsAreLookedAtWhileTasksRun() async throws {
        let loop = EventLoop()
        let (near, far) = try LocalSocketStream.pair()
        let isOver = Flag()
        let busy = Task(executorPreference: loop) { while !isOver.isSet { await Task.yield() } }
        let reading = Task(executorPreference: loop) { try await near.read(upTo: 1) }
        await waitUntilAwaited(near)
        try send(3, over: far)
        let bytes = try await reading.value
        XCTAssertEqual(bytes, [3])
        isOver.set()
        await busy.value
    }

    private actor Reader {
        func read(_ stream: LocalSocketStream) async throws -> [UInt8] { try await stream.read(upTo: 1) }

        func answer() -> Int { 42 }
    }

    /// A task that awaits on the loop's thread keeps it if it can; an actor that it is on would be held meanwhile.
    func testAnActorIsNotHeld() async throws {
        let name = try namespacedName()
        let listener = try LocalSocketListener(name)
        let loop = EventLoop()
        let reader = Reader()
        let ways: [@Sendable (Collected<LocalSocketStream>) async throws -> [UInt8]] = [
            { streams in
                let stream = try await LocalSocketStream.connect(to: name)
                streams.append(stream)
                return try await reader.read(stream)
            },
            { streams in
                try await LocalSocketStream.withConnection(to: name, on: loop) { stream in
                    streams.append(stream)
                    return try await reader.read(stream)
                }
            },
        ]
        for way in ways {
            let streams = Collected<LocalSocketStream>()
            let reading = Task(executorPreference: loop) { try await way(streams) }
            let far = try await listener.accept()
            while streams.all.isEmpty { await Task.yield() }
            await waitUntilAwaited(streams.all[0])
            let answer = await reader.answer()
            XCTAssertEqual(answer, 42)
            let answerOnLoop = await loop.run { await reader.answer() }
            XCTAssertEqual(answerOnLoop, 42)
            try send(7, over: far)
            let bytes = try await reading.value
            XCTAssertEqual(bytes, [7])
        }
    }

    /// The thread that a task keeps is given up when there is more to do.
    func testATaskThatWaitsKeepsNobodyElseFromRunning() async throws {
        let loop = EventLoop()
        let (near, far) = try LocalSocketStream.pair()
        let (other, otherFar) = try LocalSocketStream.pair()
        let first = Task(executorPreference: loop) { try await near.read(upTo: 1) }
        await waitUntilAwaited(near)
        for number in 0..<100 {
            // A new task; and one that waits on the same thread.
            let result = await loop.run { number }
            XCTAssertEqual(result, number)
            let second = Task(executorPreference: loop) { try await other.read(upTo: 1) }
            await waitUntilAwaited(other)
            try send(UInt8(number), over: otherFar)
            let bytes = try await second.value
            XCTAssertEqual(bytes, [UInt8(number)])
        }
        try send(9, over: far)
        let bytes = try await first.value
        XCTAssertEqual(bytes, [9])
    }
}
