// SPDX-License-Identifier: MIT OR Apache-2.0

#if INTERPROCESS_FAULT_INJECTION
import Foundation
import XCTest

@testable import Interprocess

/// Awaiting a connection when a step of it fails, or is interrupted by signals.
final class ConnectFaultAsyncTests: InterprocessTestCase {
    override func tearDownWithError() throws {
        FaultInjection.clear()
        try super.tearDownWithError()
    }

    private let waits: [LocalSocketStream.ConnectWait] = [.unbounded, .timeout(.seconds(20)), .deferred]

    func testInterruptedCalls() async throws {
        for (name, executor) in try eachNameAndExecutor() {
            let listener = try LocalSocketListener(name)
            for wait in waits {
                let options = waiting(wait)
                for call in [System.Call.connect, .socket, .credentials] {
                    FaultInjection.inject(.result(-Int64(EINTR)), into: call, times: 5)
                }
                let stream = try await on(executor) { try await LocalSocketStream.connect(to: name, options: options) }
                try await stream.writeAll("x\n")
                try await assertEqual("x") { try await listener.accept().readLine() }
                // Of those for credentials some remain where nobody asks for them.
                FaultInjection.clear()
            }
        }
    }

    /// A full backlog, as the kernel reports it to a socket that does not wait, is never taken for a connection.
    func testFullBacklogIsNoConnection() async throws {
        for executor in Self.executors {
            let name = try uniquePathName()
            let listener = try LocalSocketListener(name)
            for (wait, times) in [(LocalSocketStream.ConnectWait.timeout(.seconds(20)), 3), (.deferred, 4)] {
                let options = waiting(wait)
                FaultInjection.inject(.result(-Int64(EAGAIN)), into: .connect, times: times)
                let stream = try await on(executor) { try await LocalSocketStream.connect(to: name, options: options) }
                if wait == .deferred {
                    await assertThrows(.timedOut) { try await listener.accept(timeout: .zero) }
                }
                try await on(executor) { try await stream.writeAll("x\n") }
                XCTAssertEqual(FaultInjection.clear(), 0)
                try await assertEqual("x") { try await listener.accept().readLine() }
            }
        }
    }

    /// Errors come out as they are, and no descriptor stays open (which every test checks).
    func testErrors() async throws {
        let cases: [(Int32, IPCError.Code)] = [
            (EMFILE, .resourcesExhausted), (ENOMEM, .resourcesExhausted), (EACCES, .permissionDenied),
            (ENOTDIR, .notFound), (EPROTOTYPE, .invalidArgument), (EIO, .system),
        ]
        let listener = try LocalSocketListener(try namespacedName())
        let name = try XCTUnwrap(listener.name)
        for executor in Self.executors {
            for (number, code) in cases {
                for call in [System.Call.socket, .connect, .credentials] {
                    for wait in waits {
                        let options = waiting(wait)
                        FaultInjection.inject(.result(-Int64(number)), into: call)
                        let error = await assertThrows(code, .connect) {
                            try await on(executor) { try await LocalSocketStream.connect(to: name, options: options) }
                        }
                        XCTAssertEqual(error?.systemCode, Int64(number))
                        XCTAssertEqual(error?.name, name.description)
                        XCTAssertEqual(FaultInjection.clear(), 0)
                    }
                }
            }
        }
    }

    /// What goes wrong only when a deferred connection is made is the error of the call that makes it, and of no other
    /// one: the next tries again.
    func testErrorOfADeferredConnection() async throws {
        for executor in Self.executors {
            let name = try uniquePathName()
            let (listener, waiting) = try fullListener(name)
            let stream = try await LocalSocketStream.connect(to: name, options: self.waiting(.deferred))
            FaultInjection.inject(.result(-Int64(ENOMEM)), into: .connect)
            await assertThrows(.resourcesExhausted, .connect) { try await on(executor) { try await stream.readLine() } }
            XCTAssertEqual(FaultInjection.clear(), 0)
            _ = try await listener.accept()
            try await on(executor) { try await stream.writeAll("x\n") }
            try await assertEqual("x") { try await listener.accept().readLine() }
            waiting.close()
        }
    }
}
#endif
