// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

/// The sequence of clients without descriptors, and where calls fail.
final class ConnectionsFailureTests: InterprocessTestCase {
    /// Sends back one line of each client.
    private func echoLines(_ listener: LocalSocketListener, _ executor: (any TaskExecutor)?) -> RunningTask<Void> {
        RunningTask(on: executor) {
            for try await client in listener.connections {
                if let line = try await client.readLine() { try await client.writeAll(line + "\n") }
            }
        }
    }

    /// With a reserve, clients are disconnected instead of waiting in vain, and the sequence goes on.
    func testClientsAreShed() throws {
        try forEachNameAndExecutor { name, executor in
            let listener = try LocalSocketListener(name)
            // The listener gets its reserve while there are descriptors.
            let before = echoLines(listener, executor)
            try listener.newClient().assertEcho("before")
            waitUntilAwaited(listener)
            before.cancel()
            assertThrows(.cancelled, .accept) { try before.value() }

            let clients = try (0..<20).map { _ in try listener.newClient() }
            let serving = try withoutDescriptors {
                let serving = echoLines(listener, executor)
                for client in clients {
                    let rest = try client.read(upTo: 1, timeout: .seconds(10))
                    XCTAssertEqual(rest, [])
                }
                return serving
            }
            try listener.newClient().assertEcho("afterwards")
            listener.close()
            try serving.value()
        }
    }

    /// Without one they wait until there are descriptors again.
    func testClientsWait() throws {
        try forEachNameAndExecutor { name, executor in
            let listener = try LocalSocketListener(name)
            let clients = try (0..<3).map { _ in try listener.newClient() }
            let serving = withoutDescriptors {
                let serving = echoLines(listener, executor)
                // It pauses between its attempts, and waits for no event meanwhile.
                waitUntilAwaited()
                return serving
            }
            for (number, client) in clients.enumerated() { try client.assertEcho("\(number)") }
            listener.close()
            try serving.value()
        }
    }

    func testCancellingWithoutDescriptors() throws {
        try forEachNameAndExecutor { name, executor in
            let listener = try LocalSocketListener(name)
            let client = try listener.newClient()
            withoutDescriptors {
                let serving = echoLines(listener, executor)
                waitUntilAwaited()
                serving.cancel()
                assertThrows(.cancelled, .accept) { try serving.value() }
            }
            let serving = echoLines(listener, executor)
            try client.assertEcho("patient")
            listener.close()
            try serving.value()
        }
    }

    #if INTERPROCESS_FAULT_INJECTION
    override func tearDownWithError() throws {
        FaultInjection.clear()
        try super.tearDownWithError()
    }

    /// What may stay is thrown, and the sequence can be asked again.
    func testOtherErrors() async throws {
        for (name, executor) in try eachNameAndExecutor() {
            let listener = try LocalSocketListener(name)
            let client = try await listener.newClient()
            try await on(executor) {
                var iterator = listener.connections.makeAsyncIterator()
                FaultInjection.inject(.result(-Int64(EIO)), into: .accept)
                do {
                    _ = try await iterator.next()
                    XCTFail("no error")
                } catch { XCTAssertEqual((error as? IPCError)?.systemCode, Int64(EIO)) }
                try await iterator.next()?.writeAll("after all\n")
            }
            let line = try await client.readLine()
            XCTAssertEqual(line, "after all")
        }
    }

    /// Want of memory ends nothing and costs no client, and while it lasts, cancelling ends the call.
    func testWantOfMemory() throws {
        for call in [System.Call.accept, .watch] {
            try forEachNameAndExecutor { name, executor in
                let listener = try LocalSocketListener(name)
                let client = try listener.newClient()
                FaultInjection.inject(.result(-Int64(ENOMEM)), into: call, times: .max)
                let cancelled = echoLines(listener, executor)
                waitUntilAwaited()
                cancelled.cancel()
                assertThrows(.cancelled, .accept) { try cancelled.value() }
                FaultInjection.clear()
                FaultInjection.inject(.result(-Int64(ENOMEM)), into: call, times: 2)
                let serving = echoLines(listener, executor)
                try client.assertEcho("patient")
                listener.close()
                try serving.value()
            }
        }
    }

    /// Clients that are gone by the time that they are accepted are passed over.
    func testClientsThatAreGone() async throws {
        for (name, executor) in try eachNameAndExecutor() {
            let listener = try LocalSocketListener(name)
            FaultInjection.inject(.result(-Int64(ECONNABORTED)), into: .accept, times: 3)
            let serving = echoLines(listener, executor)
            try await listener.newClient().assertEcho("x")
            XCTAssertEqual(FaultInjection.clear(), 0)
            listener.close()
            try await serving.value()
        }
    }
    #endif
}
