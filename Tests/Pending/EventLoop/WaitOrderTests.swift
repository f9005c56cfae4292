// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

/// Of several tasks that wait for the same, one at a time is let go: whatever becomes of it, the next one follows.
final class WaitOrderTests: InterprocessTestCase {
    #if INTERPROCESS_FAULT_INJECTION
    /// The first one is let go before its time is over, finds nothing, and sees then that it is over.
    func testTimeIsOverAfterAnAttempt() async throws {
        defer { FaultInjection.clear() }
        let loop = EventLoop()
        let listener = try LocalSocketListener(try namespacedName())
        let first = Task(executorPreference: loop) { try await listener.accept(timeout: .milliseconds(50)) }
        await waitUntilAwaited(listener)
        let second = Task(executorPreference: loop) { try await listener.accept() }
        // It stands in the line behind the second one, which waits by now.
        await Task(executorPreference: loop) {}.value
        FaultInjection.inject(.result(-Int64(EAGAIN)), into: .accept)
        let client = try await Task(executorPreference: loop) {
            // The loop is held up until the time is over: it learns of the client and of the time at once.
            let end = ContinuousClock.now + .milliseconds(60)
            let client = try await LocalSocketStream.connect(to: XCTUnwrap(listener.name))
            while ContinuousClock.now < end {}
            return client
        }.value
        await assertThrows(.timedOut, .accept) { try await first.value }
        try await client.writeAll("x")
        let bytes = try await second.value.readExactly(1)
        XCTAssertEqual(bytes, Array("x".utf8))
    }
    #endif

    /// The first one is let go, finds nothing, and may not go back.
    func testInterruptedOnItsWayBack() async throws {
        let (near, far) = try LocalSocketStream.pair()
        let registration = try near.descriptorCore.registration(.receive, for: .read)
        let first = Task {
            let outcomes = [
                await registration.wait(.receive, until: .never, isBack: false),
                await {
                    registration.interrupt(.current)
                    defer { registration.allow(.current) }
                    return await registration.wait(.receive, until: .never, isBack: true)
                }(),
            ]
            return outcomes
        }
        await waitUntilAwaited(near)
        let second = Task(executorPreference: EventLoop.shared) { try await near.read(upTo: 1) }
        await Task(executorPreference: EventLoop.shared) {}.value
        try await far.writeAll("x")
        let outcomes = await first.value
        XCTAssertEqual(outcomes, [.readyBeforeOthers, .cancelled])
        let bytes = try await second.value
        XCTAssertEqual(bytes, Array("x".utf8))
    }

    /// Each task is interrupted for itself, as by two calls of `serve` that end at the same time.
    func testInterruptingSeveral() async throws {
        let (near, far) = try LocalSocketStream.pair()
        let registration = try near.descriptorCore.registration(.receive, for: .read)
        let another = TaskIdentity(value: 1)
        registration.interrupt(.current)
        registration.interrupt(another)
        await assertThrows(.cancelled, .read) { try await near.read(upTo: 1) }
        registration.allow(another)
        await assertThrows(.cancelled, .read) { try await near.read(upTo: 1) }
        registration.allow(.current)
        await assertThrows(.timedOut, .read) { try await near.read(upTo: 1, timeout: .zero) }
        far.close()
    }
}
