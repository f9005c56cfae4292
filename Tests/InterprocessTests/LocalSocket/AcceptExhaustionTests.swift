// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

#if INTERPROCESS_FAULT_INJECTION
@testable import Interprocess
#endif

/// Accepting when the process has no descriptor left.
final class AcceptExhaustionTests: InterprocessTestCase {
    func testAcceptTellsAndRecovers() throws {
        for name in try bothNames() {
            let listener = try LocalSocketListener(name)
            let client = try LocalSocketStream.connect(to: name)
            withoutDescriptors {
                let error = assertThrows(.resourcesExhausted, .accept) { try listener.accept() }
                XCTAssertEqual(error?.systemCode, Int64(EMFILE))
                assertThrows(.resourcesExhausted, .accept) { try listener.accept(timeout: .seconds(5)) }
                assertThrows(.resourcesExhausted, .listen) { try LocalSocketListener(try namespacedName()) }
                assertThrows(.resourcesExhausted, .connect) { try LocalSocketStream.connect(to: name) }
            }
            // The client has waited, and is found.
            try client.writeAll("patient\n")
            XCTAssertEqual(try listener.accept().readLine(), "patient")
        }
    }

    /// Linux wants a free number before it looks for a client: to have none is no error while nobody comes.
    func testWaitsForClientsAllTheSame() throws {
        for name in try bothNames() {
            let listener = try LocalSocketListener(name)
            withoutDescriptors {
                assertThrows(.timedOut, .accept) { try listener.accept(timeout: .milliseconds(50)) }
                listener.setNonblocking(.accept)
                assertThrows(.wouldBlock, .accept) { try listener.accept() }
                assertThrows(.wouldBlock, .accept) { try XCTUnwrap(listener.incoming.next()).get() }
            }
        }
    }

    func testIncomingDisconnectsTheClient() throws {
        for name in try bothNames() {
            let listener = try LocalSocketListener(name)
            // The reserve is made by the first look for a client.
            listener.setNonblocking(.accept)
            assertThrows(.wouldBlock) { try XCTUnwrap(listener.incoming.next()).get() }
            listener.setNonblocking(.neither)
            let clients = try (0..<3).map { _ in try LocalSocketStream.connect(to: name) }
            try withoutDescriptors {
                for client in clients {
                    assertThrows(.resourcesExhausted) { try XCTUnwrap(listener.incoming.next()).get() }
                    XCTAssertEqual(try client.read(upTo: 1, timeout: .seconds(5)), [], "it was not disconnected")
                    XCTAssertEqual(dup(0), -1, "nobody else can take the reserve's number")
                }
            }
            let client = try LocalSocketStream.connect(to: name)
            try client.writeAll("again\n")
            XCTAssertEqual(try XCTUnwrap(listener.incoming.next()).get().readLine(), "again")
        }
    }

    /// Without a reserve the client goes on waiting, and the loop does not keep the processor busy.
    func testIncomingWithoutReserve() throws {
        let name = try pathName()
        let listener = try LocalSocketListener(name)
        let client = try LocalSocketStream.connect(to: name)
        withoutDescriptors {
            let elapsed = ContinuousClock().measure {
                for _ in 0..<5 {
                    assertThrows(.resourcesExhausted) { try XCTUnwrap(listener.incoming.next()).get() }
                }
            }
            XCTAssertGreaterThanOrEqual(elapsed, .milliseconds(50))
        }
        try client.writeAll("patient\n")
        XCTAssertEqual(try XCTUnwrap(listener.incoming.next()).get().readLine(), "patient")
    }

    func testCloseWorksWithoutDescriptors() throws {
        let listener = try LocalSocketListener(try pathName())
        let (one, other) = try LocalSocketStream.pair()
        let server = Running { try listener.accept() }
        let reader = Running { try one.read(upTo: 1) }
        server.waitUntilBlocked()
        reader.waitUntilBlocked()
        withoutDescriptors {
            listener.close()
            one.close()
            assertThrows(.closed) { try server.value() }
            assertThrows(.closed) { try reader.value() }
            XCTAssertNil(FileImage(path()))
        }
        other.close()
    }

    #if INTERPROCESS_FAULT_INJECTION
    /// Clients that left while they were accepted, as some systems report them, are passed over.
    func testAbortedConnections() throws {
        defer { FaultInjection.clear() }
        let name = try pathName()
        let listener = try LocalSocketListener(name)
        let client = try LocalSocketStream.connect(to: name)
        FaultInjection.inject(.result(-Int64(ECONNABORTED)), into: .accept, times: 3)
        FaultInjection.inject(.result(-Int64(EINTR)), into: .accept, times: 3)
        try client.writeAll("x\n")
        XCTAssertEqual(try listener.accept().readLine(), "x")
        XCTAssertEqual(FaultInjection.clear(), 0)

        FaultInjection.inject(.result(-Int64(ENOBUFS)), into: .accept)
        assertThrows(.resourcesExhausted, .accept) { try listener.accept() }
        FaultInjection.inject(.result(-Int64(EIO)), into: .accept)
        let error = assertThrows(.system, .accept) { try listener.accept() }
        XCTAssertEqual(error?.systemCode, Int64(EIO))
    }

    /// What is ready all the time, and accepted in vain, does not keep the call from ending.
    func testClientsThatAreNeverThere() throws {
        defer { FaultInjection.clear() }
        let listener = try LocalSocketListener(try namespacedName())
        let client = try LocalSocketStream.connect(to: try XCTUnwrap(listener.name))
        FaultInjection.inject(.result(-Int64(EAGAIN)), into: .accept, times: .max - 1)
        assertThrows(.timedOut, .accept) { try listener.accept(timeout: .milliseconds(10)) }
        withExtendedLifetime(client) {}
    }

    /// A peer whose credentials cannot be told is a stranger.
    func testUnknownCredentials() throws {
        defer { FaultInjection.clear() }
        let name = try namespacedName()
        let listener = try LocalSocketListener(name)
        let unknown = try LocalSocketStream.connect(to: name)
        FaultInjection.inject(.result(-Int64(EINVAL)), into: .credentials)
        assertThrows(.timedOut) { try listener.accept(timeout: .milliseconds(20)) }
        XCTAssertEqual(FaultInjection.clear(), 0)
        XCTAssertEqual(try unknown.read(upTo: 1), [])
    }
    #endif

    #if INTERPROCESS_FAULT_INJECTION
    /// A reserve helps where descriptors lack, and not where memory does: then the loop does not keep the processor busy.
    func testIncomingWithoutMemory() throws {
        let listener = try LocalSocketListener(try pathName())
        let client = try LocalSocketStream.connect(to: try pathName())
        defer { FaultInjection.clear() }
        FaultInjection.inject(.result(-Int64(ENOMEM)), into: .accept, times: 3)
        let elapsed = ContinuousClock().measure {
            for _ in 0..<3 { assertThrows(.resourcesExhausted, .accept) { try listener.incoming.next()?.get() } }
        }
        XCTAssertEqual(FaultInjection.clear(), 0)
        XCTAssertGreaterThanOrEqual(elapsed, .milliseconds(30))
        try client.writeAll("patient\n")
        XCTAssertEqual(try XCTUnwrap(listener.incoming.next()).get().readLine(), "patient")
    }

    func testOtherErrorsNeitherEndNorFloodTheSequence() throws {
        let name = try pathName()
        let listener = try LocalSocketListener(name)
        let client = try LocalSocketStream.connect(to: name)
        defer { FaultInjection.clear() }
        FaultInjection.inject(.result(-Int64(EINVAL)), into: .accept, times: 3)
        let start = ContinuousClock.now
        for _ in 0..<3 { assertThrows(.invalidArgument, .accept) { try listener.incoming.next()?.get() } }
        XCTAssertGreaterThanOrEqual(ContinuousClock.now - start, .milliseconds(30))
        XCTAssertNotNil(try listener.incoming.next()?.get())
        client.close()
    }
    #endif
}
