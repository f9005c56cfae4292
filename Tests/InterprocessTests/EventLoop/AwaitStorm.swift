// SPDX-License-Identifier: MIT OR Apache-2.0

import CInterprocess
import Foundation
import Synchronization

@testable import Interprocess

/// Awaited calls that several things end at the same moment.
///
/// Each call must end, and by one of those things; each byte must come exactly once, and in order. All streams belong
/// to a loop of the storm's own, whose thread ends only if every place in its table was given back.
final class AwaitStorm: Sendable {
    /// How many calls are made at once.
    let width: Int
    private let loop = EventLoop()
    /// Where the tasks run whose calls are to end.
    private let executor: EventLoop?
    private let problems = Collected<String>()
    private let endings = Locked<[String: Int]>([:])

    init(width: Int, onLoop: Bool) {
        self.width = width
        executor = onLoop ? loop : nil
    }

    /// What went wrong, of which there may be much.
    var firstProblems: [String] { Array(problems.all.prefix(5)) }

    /// How often calls ended by what.
    var outcomes: [String: Int] { endings.withLock { $0 } }

    func report(_ problem: String) { problems.append(problem) }

    private func count(_ ending: String) { endings.withLock { $0[ending, default: 0] += 1 } }

    func pairs() throws -> [(near: LocalSocketStream, far: LocalSocketStream)] {
        try (0..<width).map { _ in
            let (near, far) = try LocalSocketStream.pair()
            try near.join(loop)
            return (near, far)
        }
    }

    /// Starts to read one byte from each stream, and returns when all of the tasks run.
    private func reading(
        _ pairs: [(near: LocalSocketStream, far: LocalSocketStream)],
        timeouts: [Duration]? = nil
    ) -> [Task<[UInt8], any Error>] {
        let running = Countdown(pairs.count)
        let tasks = pairs.indices.map { index in
            let (near, timeout) = (pairs[index].near, timeouts?[index])
            return Task(executorPreference: executor) {
                running.step()
                return try await near.read(upTo: 1, timeout: timeout)
            }
        }
        while !running.isOver { sched_yield() }
        return tasks
    }

    /// Waits for the end of a read; returns `nil` if it is one of the errors that it may end by.
    private func bytes(_ task: Task<[UInt8], any Error>, unless allowed: Set<IPCError.Code>) async -> [UInt8]? {
        do {
            let bytes = try await task.value
            count("bytes")
            return bytes
        } catch let error as IPCError where allowed.contains(error.code) {
            count("\(error.code)")
        } catch {
            report("\(error)")
        }
        return nil
    }

    /// What a call that was ended has left: it must be there.
    private func takeByte(_ stream: LocalSocketStream) throws -> [UInt8] { try stream.read(upTo: 1, timeout: .zero) }

    private func check(_ bytes: [UInt8], _ expected: UInt8) {
        if bytes != [expected] { report("\(bytes) instead of \(expected)") }
    }

    private func randomLimits(upTo most: Int64) -> [Duration] {
        (0..<width).map { _ in .nanoseconds(Int64.random(in: 1...most)) }
    }

    /// Does two things to each of the calls, on two threads at once.
    private func collide(_ one: @escaping @Sendable (Int) -> Void, _ other: @escaping @Sendable (Int) -> Void) async {
        let width = width
        let (one, other) = Bool.random() ? (one, other) : (other, one)
        let running = Countdown(1)
        let there = Task.detached {
            running.step()
            for index in 0..<width {
                dawdle(upTo: 5000)
                other(index)
            }
        }
        while !running.isOver { sched_yield() }
        for index in 0..<width {
            dawdle(upTo: 5000)
            one(index)
        }
        await there.value
    }

    /// A byte comes when the task is cancelled: it is returned, or stays for the next read.
    func cancelAgainstReadiness(_ rounds: Int) async throws {
        let pairs = try pairs()
        for round in 0..<rounds / width {
            let byte = UInt8(truncatingIfNeeded: round)
            let tasks = reading(pairs)
            await collide({ tasks[$0].cancel() }, { try? send(byte, over: pairs[$0].far) })
            for (task, pair) in zip(tasks, pairs) {
                if let bytes = await bytes(task, unless: [.cancelled]) {
                    check(bytes, byte)
                } else {
                    check(try takeByte(pair.near), byte)
                }
            }
        }
    }

    /// A task is cancelled when it comes to wait, and nothing else ends it.
    func cancelAgainstWaiting(_ rounds: Int) async throws {
        let pairs = try pairs()
        for _ in 0..<rounds / width {
            let running = pairs.map { _ in Flag() }
            let tasks = pairs.indices.map { index in
                Task(executorPreference: executor) {
                    running[index].set()
                    return try await pairs[index].near.read(upTo: 1)
                }
            }
            for (flag, task) in zip(running, tasks) {
                while !flag.isSet { sched_yield() }
                dawdle(upTo: 3000)
                task.cancel()
            }
            for task in tasks {
                if let bytes = await bytes(task, unless: [.cancelled]) { report("\(bytes), where nothing was sent") }
            }
        }
    }

    /// A byte comes when the time is over.
    func timeoutAgainstReadiness(_ rounds: Int) async throws {
        let pairs = try pairs()
        for round in 0..<rounds / width {
            let byte = UInt8(truncatingIfNeeded: round)
            let tasks = reading(pairs, timeouts: randomLimits(upTo: 20_000 * Int64(width)))
            for pair in pairs {
                dawdle(upTo: 10_000)
                try send(byte, over: pair.far)
            }
            for (task, pair) in zip(tasks, pairs) {
                if let bytes = await bytes(task, unless: [.timedOut]) {
                    check(bytes, byte)
                } else {
                    check(try takeByte(pair.near), byte)
                }
            }
        }
    }

    /// A byte comes when the stream is closed.
    func closeAgainstReadiness(_ rounds: Int) async throws {
        for round in 0..<rounds / width {
            let byte = UInt8(truncatingIfNeeded: round)
            let pairs = try pairs()
            let tasks = reading(pairs)
            await collide({ pairs[$0].near.close() }, { try? send(byte, over: pairs[$0].far) })
            for task in tasks {
                if let bytes = await bytes(task, unless: [.closed]) { check(bytes, byte) }
            }
        }
    }

    /// The task is cancelled, the stream closed, and the time over.
    func cancelAgainstCloseAgainstTimeout(_ rounds: Int) async throws {
        for _ in 0..<rounds / width {
            let pairs = try pairs()
            let tasks = reading(pairs, timeouts: randomLimits(upTo: 20_000 * Int64(width)))
            await collide({ tasks[$0].cancel() }, { pairs[$0].near.close() })
            for task in tasks {
                let bytes = await bytes(task, unless: [.closed, .cancelled, .timedOut])
                if let bytes { report("\(bytes), where nothing was sent") }
            }
        }
    }
}

/// Counts down to zero on many threads.
final class Countdown: Sendable {
    private let left: Atomic<Int>

    init(_ count: Int) { left = Atomic(count) }

    var isOver: Bool { left.load(ordering: .acquiring) == 0 }

    func step() { left.subtract(1, ordering: .acquiringAndReleasing) }
}
