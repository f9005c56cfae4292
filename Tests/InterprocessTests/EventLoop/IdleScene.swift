// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

#if os(Linux)
/// A loop, and two connected streams, one of which has been awaited on it.
struct IdleScene: Sendable {
    let loop: EventLoop
    let thread: ThreadIdentity
    let executor: EventLoop?
    let near: LocalSocketStream
    let far: LocalSocketStream

    func assertSleeps(_ state: String, file: StaticString = #filePath, line: UInt = #line) {
        thread.assertSleeps(state, file: file, line: line)
    }

    func reading(timeout: Duration? = nil) -> Task<[UInt8], any Error> {
        Task(executorPreference: executor) { try await near.read(upTo: 1, timeout: timeout) }
    }

    func writing(_ count: Int) -> Task<Void, any Error> {
        Task(executorPreference: executor) { try await near.writeAll([UInt8](repeating: 0, count: count)) }
    }
}

extension ThreadIdentity {
    /// Expects the thread to sleep, soon: then not a nanosecond of processor time goes by.
    func assertSleeps(_ state: String, file: StaticString = #filePath, line: UInt = #line) {
        // It may still be about to deal with what has just happened, on a machine that is busy with other things.
        for _ in 0..<200 {
            let before = processorTime
            guard sleeps else {
                usleep(1000)
                continue
            }
            usleep(10_000)
            if sleeps && processorTime == before { return }
        }
        XCTFail("\(state): it is busy", file: file, line: line)
    }
}

extension InterprocessTestCase {
    /// Runs a body twice: with tasks of the default pool, and with tasks on the loop.
    func inScenes(_ body: (IdleScene) async throws -> Void) async throws {
        for onLoop in [false, true] {
            let loop = EventLoop()
            let (near, far) = try LocalSocketStream.pair()
            try near.join(loop)
            let thread = await loop.run { ThreadIdentity.current }
            let scene = IdleScene(loop: loop, thread: thread, executor: onLoop ? loop : nil, near: near, far: far)
            let reading = scene.reading(timeout: .seconds(60))
            await waitUntilAwaited(near)
            scene.assertSleeps("waiting")
            try send(1, over: far)
            let bytes = try await reading.value
            XCTAssertEqual(bytes, [1])
            scene.assertSleeps("long before a deadline that nobody has any more")
            try await body(scene)
        }
    }
}
#endif
