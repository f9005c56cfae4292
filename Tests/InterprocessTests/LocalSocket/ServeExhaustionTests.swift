// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

#if INTERPROCESS_FAULT_INJECTION
@testable import Interprocess
#else
import Interprocess
#endif

/// Serving when the process has no descriptor left.
///
/// Everything runs on the loop, and waits block, which takes the least time: see `withoutDescriptors`.
final class ServeExhaustionTests: InterprocessTestCase {
    private let failures = Seen<LocalSocketListener.ServeFailure>()

    /// Sends back what comes, and keeps failures.
    private func serve(_ listener: LocalSocketListener) -> RunningTask<Void> {
        let options = serveOptions { [failures] in
            $0.gracePeriod = .zero
            $0.onFailure = { failures.append($0) }
        }
        return RunningTask(on: EventLoop.shared) {
            try await listener.serve(options: options) { try await $0.sendBack() }
        }
    }

    private func stop(_ serving: RunningTask<Void>) throws {
        serving.cancel()
        try serving.value()
    }

    private func waitForFailures(_ count: Int) {
        eventually("there are \(count) failures") { failures.count >= count }
    }

    private func assertFailuresToAccept() {
        for failure in failures.values {
            XCTAssertEqual((failure.error as? IPCError)?.code, .resourcesExhausted)
            XCTAssertNil(failure.stream)
        }
    }

    private func clients(_ listener: LocalSocketListener, _ count: Int) throws -> [LocalSocketStream] {
        try (0..<count).map { _ in try listener.newClient() }
    }

    /// With a reserve they are disconnected instead of waiting in vain, and those who come later are served.
    func testClientsAreShed() throws {
        let listener = try LocalSocketListener(try namespacedName())
        // The listener gets its reserve while there are descriptors.
        let before = serve(listener)
        try listener.newClient().assertEcho("before")
        try stop(before)

        let clients = try clients(listener, 20)
        let serving = try withoutDescriptors {
            let serving = serve(listener)
            waitForFailures(20)
            for client in clients {
                let rest = try client.read(upTo: 1, timeout: .seconds(10))
                XCTAssertEqual(rest, [])
            }
            return serving
        }
        try listener.newClient().assertEcho("afterwards")
        XCTAssertEqual(failures.count, 20)
        assertFailuresToAccept()
        try stop(serving)
    }

    /// Connections that exist are not disturbed by those who come in vain.
    func testOthersAreServedMeanwhile() throws {
        let listener = try LocalSocketListener(try namespacedName())
        let serving = serve(listener)
        let client = try listener.newClient()
        try client.assertEcho("before")
        // The only descriptor that is left is for the client's end.
        let spare = dup(0)
        try withoutDescriptors {
            close(spare)
            for number in 1...5 {
                let other = try listener.newClient()
                waitForFailures(number)
                try client.assertEcho("\(number)")
                XCTAssertEqual(try other.read(upTo: 1, timeout: .seconds(10)), [])
                other.close()
            }
        }
        try listener.newClient().assertEcho("afterwards")
        XCTAssertEqual(failures.count, 5)
        assertFailuresToAccept()
        try stop(serving)
    }

    /// Serving ends at once even then.
    func testCancelledMeanwhile() throws {
        let listener = try LocalSocketListener(try namespacedName())
        let client = try listener.newClient()
        try withoutDescriptors {
            let serving = serve(listener)
            waitForFailures(1)
            try stop(serving)
        }
        try client.writeAll("patient\n")
        XCTAssertEqual(try listener.accept(timeout: .seconds(10)).readLine(), "patient")
    }

    /// A loop whose thread cannot be started refuses to serve, and can when there are descriptors again.
    func testLoopThatCannotStart() throws {
        let listener = try LocalSocketListener(try namespacedName())
        let options = serveOptions { $0.eventLoops = [EventLoop()] }
        let calls: [@Sendable () async throws -> Void] = [
            { try await listener.serve(options: options) { try await $0.sendBack() } },
            { try await listener.serve(options: options, eachPiece: { client in { client.send($0) } }) },
        ]
        for call in calls {
            withoutDescriptors {
                let serving = RunningTask(on: EventLoop.shared, call)
                assertThrows(.resourcesExhausted, .accept) { try serving.value() }
            }
        }
        for call in calls {
            let serving = RunningTask(on: EventLoop.shared, call)
            try listener.newClient().assertEcho("x")
            try stop(serving)
        }
    }

    #if INTERPROCESS_FAULT_INJECTION
    /// Without a reserve clients go on waiting; to look after them again and again costs next to nothing.
    func testClientsAreServedLater() throws {
        defer { FaultInjection.clear() }
        let listener = try LocalSocketListener(try namespacedName())
        let clients = try clients(listener, 5)
        for call in [System.Call.accept, .socket] {
            FaultInjection.inject(.result(-Int64(ENOBUFS)), into: call, times: 1000)
        }
        let start = (time: ContinuousClock.now, processor: clock())
        let serving = serve(listener)
        waitForFailures(20)
        let elapsed = ContinuousClock.now - start.time
        XCTAssertGreaterThanOrEqual(elapsed, .milliseconds(190))
        XCTAssertLessThan(Duration.microseconds(clock() - start.processor), elapsed / 4)
        FaultInjection.clear()
        for (number, client) in clients.enumerated() { try client.assertEcho("\(number)") }
        assertFailuresToAccept()
        try stop(serving)
    }

    /// Want of memory costs no client, though there is a descriptor in reserve.
    func testWantOfMemory() throws {
        defer { FaultInjection.clear() }
        for call in [System.Call.accept, .watch] {
            let listener = try LocalSocketListener(try namespacedName())
            let client = try listener.newClient()
            let before = failures.count
            FaultInjection.inject(.result(-Int64(ENOMEM)), into: call, times: 3)
            let start = ContinuousClock.now
            let serving = serve(listener)
            waitForFailures(before + 3)
            try client.assertEcho("after all")
            XCTAssertGreaterThanOrEqual(ContinuousClock.now - start, .milliseconds(30))
            client.close()
            try stop(serving)
        }
        assertFailuresToAccept()
    }

    /// Other errors are told as well, and do not keep the processor busy.
    func testOtherErrors() throws {
        defer { FaultInjection.clear() }
        let listener = try LocalSocketListener(try namespacedName())
        let client = try listener.newClient()
        FaultInjection.inject(.result(-Int64(EINVAL)), into: .accept, times: 3)
        let start = ContinuousClock.now
        let serving = serve(listener)
        waitForFailures(3)
        try client.assertEcho("after all")
        XCTAssertGreaterThanOrEqual(ContinuousClock.now - start, .milliseconds(30))
        XCTAssertEqual(
            failures.values.map { ($0.error as? IPCError)?.code },
            [.invalidArgument, .invalidArgument, .invalidArgument]
        )
        listener.close()
        client.close()
        try serving.value()
    }
    #endif
}
