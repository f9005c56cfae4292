// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

/// Accepting when the process has no descriptor left, or when a step of it fails.
final class AcceptExhaustionAsyncTests: InterprocessTestCase {
    func testAcceptTellsAndRecovers() throws {
        try forEachNameAndExecutor { name, executor in
            let listener = try LocalSocketListener(name)
            let client = try LocalSocketStream.connect(to: name)
            withoutDescriptors {
                for limit in [nil, Duration.seconds(5)] {
                    let accepting = RunningTask(on: executor) { try await listener.accept(timeout: limit) }
                    let error = assertThrows(.resourcesExhausted, .accept) { try accepting.value() }
                    XCTAssertEqual(error?.systemCode, Int64(EMFILE))
                }
                for wait in [LocalSocketStream.ConnectWait.unbounded, .timeout(.seconds(5)), .deferred] {
                    let options = waiting(wait)
                    let connecting = RunningTask(on: executor) {
                        try await LocalSocketStream.connect(to: name, options: options)
                    }
                    assertThrows(.resourcesExhausted, .connect) { try connecting.value() }
                }
            }
            // The client has waited, and is found.
            try client.writeAll("patient\n")
            let accepting = RunningTask(on: executor) { try await listener.accept().readLine() }
            XCTAssertEqual(try accepting.value(), "patient")
        }
    }

    func testWaitsForClientsAllTheSame() throws {
        try forEachNameAndExecutor { name, executor in
            let listener = try LocalSocketListener(name)
            withoutDescriptors {
                let accepting = RunningTask(on: executor) { try await listener.accept(timeout: .milliseconds(3)) }
                assertThrows(.timedOut, .accept) { try accepting.value() }
            }
        }
    }

    /// Neither awaiting nor ending it takes a descriptor, once there is a loop.
    func testEndingWorksWithoutDescriptors() throws {
        for executor in Self.executors {
            let name = try uniquePathName()
            let listener = try LocalSocketListener(name)
            let (one, other) = try LocalSocketStream.pair()
            withoutDescriptors {
                let server = RunningTask(on: executor) { try await listener.accept() }
                let reader = RunningTask(on: executor) { try await one.read(upTo: 1) }
                let cancelled = RunningTask(on: executor) { try await other.read(upTo: 1) }
                waitUntilAwaited(by: 3)
                cancelled.cancel()
                assertThrows(.cancelled, .read) { try cancelled.value() }
                listener.close()
                one.close()
                assertThrows(.closed, .accept) { try server.value() }
                assertThrows(.closed, .read) { try reader.value() }
            }
            XCTAssertNil(FileImage(name.description))
        }
    }

    #if INTERPROCESS_FAULT_INJECTION
    override func tearDownWithError() throws {
        FaultInjection.clear()
        try super.tearDownWithError()
    }

    /// Clients that left while they were accepted, as some systems report them, are passed over.
    func testAbortedConnections() async throws {
        for executor in Self.executors {
            let name = try uniquePathName()
            let listener = try LocalSocketListener(name)
            FaultInjection.inject(.result(-Int64(ECONNABORTED)), into: .accept, times: 3)
            FaultInjection.inject(.result(-Int64(EINTR)), into: .accept, times: 3)
            let server = RunningTask(on: executor) { try await listener.accept().readLine() }
            await waitUntilAwaited(listener)
            let client = try await LocalSocketStream.connect(to: name)
            try await client.writeAll("x\n")
            try await assertEqual("x") { try await server.value() }
            XCTAssertEqual(FaultInjection.clear(), 0)

            let second = try await LocalSocketStream.connect(to: name)
            FaultInjection.inject(.result(-Int64(ENOBUFS)), into: .accept)
            await assertThrows(.resourcesExhausted, .accept) { try await listener.accept() }
            FaultInjection.inject(.result(-Int64(EIO)), into: .accept)
            let error = await assertThrows(.system, .accept) { try await listener.accept() }
            XCTAssertEqual(error?.systemCode, Int64(EIO))
            second.close()
        }
    }

    /// A peer whose credentials cannot be told is a stranger.
    func testUnknownCredentials() async throws {
        for executor in Self.executors {
            let name = try namespacedName()
            let listener = try LocalSocketListener(name)
            let unknown = try await LocalSocketStream.connect(to: name)
            FaultInjection.inject(.result(-Int64(EINVAL)), into: .credentials)
            await assertThrows(.timedOut) {
                try await on(executor) { try await listener.accept(timeout: .milliseconds(20)) }
            }
            XCTAssertEqual(FaultInjection.clear(), 0)
            try await assertEqual([]) { try await unknown.read(upTo: 1) }
        }
    }

    /// Of several who wait one is told of the error, and the client is the next one's.
    func testErrorOfOneOfSeveral() async throws {
        for executor in Self.executors {
            let name = try uniquePathName()
            let listener = try LocalSocketListener(name)
            let first = RunningTask(on: executor) { try await listener.accept() }
            await waitUntilAwaited(listener)
            let second = RunningTask(on: executor) { try await listener.accept() }
            await waitUntilAwaited(listener, by: 2)
            FaultInjection.inject(.result(-Int64(EMFILE)), into: .accept)
            let client = try await LocalSocketStream.connect(to: name)
            await assertThrows(.resourcesExhausted, .accept) { try await first.value() }
            _ = try await second.value()
            client.close()
        }
    }

    /// One whose time is over while it finds nothing, again and again, lets those behind it go on.
    func testDeadlineOfOneOfSeveral() async throws {
        for executor in Self.executors {
            let name = try uniquePathName()
            let listener = try LocalSocketListener(name)
            let first = RunningTask(on: executor) { try await listener.accept(timeout: .seconds(1)) }
            await waitUntilAwaited(listener)
            let second = RunningTask(on: executor) { try await listener.accept() }
            await waitUntilAwaited(listener, by: 2)
            FaultInjection.inject(.result(-Int64(EAGAIN)), into: .accept, times: .max)
            let client = try await LocalSocketStream.connect(to: name)
            await assertThrows(.timedOut, .accept) { try await first.value() }
            FaultInjection.clear()
            _ = try await second.value()
            client.close()
        }
    }
    #endif
}
