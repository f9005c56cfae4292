// SPDX-License-Identifier: MIT OR Apache-2.0

#if INTERPROCESS_FAULT_INJECTION
import Foundation
import XCTest

@testable import Interprocess

/// Connecting when a step of it fails, or is interrupted by signals.
final class ConnectFaultTests: InterprocessTestCase {
    override func tearDownWithError() throws {
        FaultInjection.clear()
        try super.tearDownWithError()
    }

    private let waits: [LocalSocketStream.ConnectWait] = [.unbounded, .timeout(.seconds(20)), .deferred]

    func testInterruptedCalls() throws {
        for name in try bothNames() {
            let listener = try LocalSocketListener(name)
            for wait in waits {
                FaultInjection.inject(.result(-Int64(EINTR)), into: .connect, times: 5)
                FaultInjection.inject(.result(-Int64(EINTR)), into: .socket, times: 5)
                FaultInjection.inject(.result(-Int64(EINTR)), into: .credentials, times: 5)
                let stream = try LocalSocketStream.connect(to: name, options: waiting(wait))
                try stream.writeAll("x\n")
                XCTAssertEqual(try listener.accept().readLine(), "x")
                // Of those for credentials some remain where nobody asks for them.
                FaultInjection.clear()
            }
        }
    }

    /// A signal in the middle of waiting neither ends the wait nor prolongs it.
    func testInterruptedWaitKeepsItsDeadline() throws {
        let name = try pathName()
        let (listener, client) = try fullListener(name)
        FaultInjection.inject(.result(-Int64(EINTR)), into: .connect, times: 1000)
        let elapsed = ContinuousClock().measure {
            assertThrows(.timedOut, .connect) {
                try LocalSocketStream.connect(to: name, options: waiting(.timeout(.milliseconds(50))))
            }
        }
        XCTAssertGreaterThanOrEqual(elapsed, .milliseconds(50))
        client.close()
        listener.close()
    }

    /// A full backlog, as the kernel reports it to a socket that does not wait, is never taken for a connection.
    func testFullBacklogIsNoConnection() throws {
        let name = try pathName()
        let listener = try LocalSocketListener(name)
        FaultInjection.inject(.result(-Int64(EAGAIN)), into: .connect, times: 3)
        let stream = try LocalSocketStream.connect(to: name, options: waiting(.timeout(.seconds(20))))
        XCTAssertEqual(FaultInjection.clear(), 0)
        try stream.writeAll("x\n")
        XCTAssertEqual(try listener.accept().readLine(), "x")

        FaultInjection.inject(.result(-Int64(EAGAIN)), into: .connect, times: 4)
        let later = try LocalSocketStream.connect(to: name, options: waiting(.deferred))
        assertThrows(.timedOut) { try listener.accept(timeout: .zero) }
        try later.writeAll("y\n")
        XCTAssertEqual(FaultInjection.clear(), 0)
        XCTAssertEqual(try listener.accept().readLine(), "y")
    }

    /// Errors come out as they are, and no descriptor stays open (which every test checks).
    func testErrors() throws {
        let cases: [(Int32, IPCError.Code)] = [
            (EMFILE, .resourcesExhausted), (ENOMEM, .resourcesExhausted), (EACCES, .permissionDenied),
            (ENOTDIR, .notFound), (EPROTOTYPE, .invalidArgument), (EIO, .system),
        ]
        let listener = try LocalSocketListener(try namespacedName())
        let name = try XCTUnwrap(listener.name)
        for (number, code) in cases {
            for call in [System.Call.socket, .connect, .credentials] {
                for wait in waits {
                    FaultInjection.inject(.result(-Int64(number)), into: call)
                    let error = assertThrows(code, .connect) {
                        try LocalSocketStream.connect(to: name, options: waiting(wait))
                    }
                    XCTAssertEqual(error?.systemCode, Int64(number))
                    XCTAssertEqual(error?.name, name.description)
                    XCTAssertEqual(FaultInjection.clear(), 0)
                }
            }
        }
    }

    /// Without the option that bounds it, a connect with a time limit is not begun.
    func testTimeLimitThatCannotBeSet() throws {
        let name = try pathName()
        let listener = try LocalSocketListener(name)
        FaultInjection.inject(.result(-Int64(EIO)), into: .option)
        assertThrows(.system, .connect) {
            try LocalSocketStream.connect(to: name, options: waiting(.timeout(.seconds(5))))
        }
        assertThrows(.timedOut) { try listener.accept(timeout: .zero) }
    }

    func testAdoptingWhenAStepFails() throws {
        let name = try pathName()
        let listener = try LocalSocketListener(name).detach()
        let (one, other) = try LocalSocketStream.pair()
        let stream = try one.detach()
        for skip in 0..<4 {
            for isListener in [true, false] {
                let number = isListener ? listener : stream
                FaultInjection.inject(.result(-Int64(EIO)), into: .option, after: skip)
                do {
                    // Where no step is left to fail, it is given back.
                    let back =
                        isListener
                        ? try LocalSocketListener(adopting: number).detach()
                        : try LocalSocketStream(adopting: number).detach()
                    XCTAssertEqual(back, number)
                } catch {
                    XCTAssertEqual(error.operation, .adopt)
                }
                FaultInjection.clear()
                XCTAssertGreaterThanOrEqual(fcntl(number, F_GETFD), 0, "it did not stay the caller's")
            }
        }
        close(listener)
        close(stream)
        other.close()
    }
}
#endif
