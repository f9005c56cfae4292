// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Synchronization
import XCTest

@testable import Interprocess

/// No awaited call blocks the thread that it runs on, however long it has to wait.
///
/// An overload that blocks compiles where one that suspends was meant, and nothing tells but this.
final class NeverBlocksTests: InterprocessTestCase {
    override var timeLimit: TimeInterval { 120 }

    func testOneThread() throws {
        let thread = LoneThread()
        defer { thread.stop() }
        try assertNothingBlocks(thread)
    }

    func testPool() throws { try assertNothingBlocks(nil) }

    func testEventLoop() throws { try assertNothingBlocks(EventLoop.shared) }

    /// Lets more tasks get stuck in each call than there are threads to run them, while another one ticks.
    private func assertNothingBlocks(_ executor: (any TaskExecutor)?) throws {
        let count = 2 * ProcessInfo.processInfo.activeProcessorCount + 2
        let objects = try StuckObjects(self)
        let ticks = Counter()
        let ticker = RunningTask(on: executor) {
            while true {
                ticks.increment()
                try await Task.sleep(for: .milliseconds(1))
            }
        }
        for (name, call) in objects.calls {
            let (started, ended) = (Counter(), Counter())
            let tasks = (0..<count).map { _ in
                RunningTask(on: executor) {
                    started.increment()
                    defer { ended.increment() }
                    try await call()
                }
            }
            // Once it has ticked twice, each that had started before has come to wait.
            guard started.wait(for: count), ticks.wait(for: ticks.value + 2) else {
                objects.close()
                return XCTFail("\(name) blocks its thread")
            }
            XCTAssertEqual(ended.value, 0, "\(name) did not wait")
            for task in tasks { task.cancel() }
            guard ended.wait(for: count) else {
                objects.close()
                return XCTFail("\(name) does not end when its task is cancelled")
            }
            for task in tasks {
                let error = assertThrows(.cancelled) { try task.value() }
                XCTAssertNotNil(error, name)
            }
        }
        ticker.cancel()
        _ = try? ticker.value()
    }
}

/// A thread that runs tasks, one part after another: one that blocks stops them all.
private final class LoneThread: TaskExecutor {
    private let jobs = Locked<[UnownedJob]>([])
    private let isStopped = Atomic<Bool>(false)
    private let news = DispatchSemaphore(value: 0)

    init() { Thread { [self] in run() }.start() }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        jobs.withLock { $0.append(job) }
        news.signal()
    }

    func stop() {
        isStopped.store(true, ordering: .relaxed)
        news.signal()
    }

    private func run() {
        while true {
            news.wait()
            if isStopped.load(ordering: .relaxed) { return }
            jobs.withLock { $0.removeFirst() }.runSynchronously(on: asUnownedTaskExecutor())
        }
    }
}
