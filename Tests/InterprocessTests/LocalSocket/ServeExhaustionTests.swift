// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

#if INTERPROCESS_FAULT_INJECTION
@testable import Interprocess
#else
import Interprocess
#endif

/// Serving when the process has no descriptor left.
final class ServeExhaustionTests: InterprocessTestCase {
    private let failures = Seen<LocalSocketListener.ServeFailure>()

    /// Options that keep failures.
    private var options: ServeOptions {
        serveOptions { [failures] in
            $0.gracePeriod = .zero
            $0.onFailure = { failures.append($0) }
        }
    }

    /// Waits for failures, by means that take no descriptors: XCTest's expectations do.
    private func waitForFailures(_ count: Int) async {
        await eventually("\(count) failures") { failures.count >= count }
    }

    private func assertFailuresToAccept() {
        for failure in failures.values {
            XCTAssertEqual((failure.error as? IPCError)?.code, .resourcesExhausted)
            XCTAssertNil(failure.stream)
        }
    }

    private func clients(_ listener: LocalSocketListener, _ count: Int) async throws -> [LocalSocketStream] {
        var clients: [LocalSocketStream] = []
        for _ in 0..<count { clients.append(try await listener.newClient()) }
        return clients
    }

    /// Without a reserve clients go on waiting; to look after them again and again costs next to nothing.
    func testClientsAreServedLater() async throws {
        let listener = try LocalSocketListener(try namespacedName())
        let clients = try await clients(listener, 5)
        let options = options
        let serving = await withoutDescriptors {
            let start = (time: ContinuousClock.now, processor: clock())
            let serving = Task { try await listener.serve(options: options) { try await $0.sendBack() } }
            await waitForFailures(20)
            let elapsed = ContinuousClock.now - start.time
            XCTAssertGreaterThanOrEqual(elapsed, .milliseconds(190))
            XCTAssertLessThan(Duration.microseconds(clock() - start.processor), elapsed / 4)
            return serving
        }
        for (number, client) in clients.enumerated() { try await client.assertEcho("\(number)") }
        assertFailuresToAccept()
        serving.cancel()
        try await serving.value
    }

    /// With a reserve they are disconnected instead of waiting in vain, and those who come later are served.
    func testClientsAreShed() async throws {
        let listener = try LocalSocketListener(try namespacedName())
        let options = options
        // The listener gets its reserve while there are descriptors.
        let before = Task { try await listener.serve(options: options) { try await $0.sendBack() } }
        try await listener.newClient().assertEcho("before")
        before.cancel()
        try await before.value

        let clients = try await clients(listener, 20)
        let serving = await withoutDescriptors {
            let serving = Task { try await listener.serve(options: options) { try await $0.sendBack() } }
            await waitForFailures(20)
            for client in clients { await assertEnds(client) }
            return serving
        }
        try await listener.newClient().assertEcho("afterwards")
        XCTAssertEqual(failures.count, 20)
        assertFailuresToAccept()
        serving.cancel()
        try await serving.value
    }

    /// Connections that exist are not disturbed.
    func testOthersAreServedMeanwhile() async throws {
        let listener = try LocalSocketListener(try namespacedName())
        let options = options
        let serving = Task { try await listener.serve(options: options) { try await $0.sendBack() } }
        let name = try XCTUnwrap(listener.name).description
        let client = try await listener.newClient()
        try await client.assertEcho("before")
        // Somebody who connects all the time.
        let flood = try ChildProcess.helper("flood", name)
        try await onThread { flood.expect("flooding") }
        try await withoutDescriptors {
            await waitForFailures(3)
            for number in 0..<20 { try await client.assertEcho("\(number)") }
        }
        flood.kill()
        try await listener.newClient().assertEcho("afterwards")
        assertFailuresToAccept()
        serving.cancel()
        try await serving.value
    }

    /// Serving ends at once even then.
    func testCancelledMeanwhile() async throws {
        let listener = try LocalSocketListener(try namespacedName())
        let client = try await listener.newClient()
        let options = options
        try await withoutDescriptors {
            let serving = Task { try await listener.serve(options: options) { _ in } }
            await waitForFailures(2)
            serving.cancel()
            try await serving.value
        }
        try await client.writeAll("patient\n")
        let line = try await listener.accept(timeout: .seconds(10)).readLine()
        XCTAssertEqual(line, "patient")
    }

    #if INTERPROCESS_FAULT_INJECTION
    /// Other errors are told as well, and do not keep the processor busy.
    func testOtherErrors() async throws {
        defer { FaultInjection.clear() }
        let listener = try LocalSocketListener(try namespacedName())
        let client = try await listener.newClient()
        let options = options
        FaultInjection.inject(.result(-Int64(EINVAL)), into: .accept, times: 3)
        let start = ContinuousClock.now
        let serving = Task { try await listener.serve(options: options) { try await $0.sendBack() } }
        await waitForFailures(3)
        try await client.assertEcho("after all")
        XCTAssertGreaterThanOrEqual(ContinuousClock.now - start, .milliseconds(30))
        XCTAssertEqual(
            failures.values.map { ($0.error as? IPCError)?.code },
            [.invalidArgument, .invalidArgument, .invalidArgument]
        )
        listener.close()
        client.close()
        try await serving.value
    }
    #endif
}
