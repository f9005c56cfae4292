// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

#if INTERPROCESS_FAULT_INJECTION
@testable import Interprocess
#endif

/// Time limits of reads and writes, which are limits of the whole call.
final class StreamTimeoutTests: InterprocessTestCase {
    private let limit = Duration.milliseconds(60)

    private func assertTimesOut(
        _ operation: IPCError.Operation,
        line: UInt = #line,
        _ body: () throws -> Void
    ) -> IPCError? {
        var error: IPCError?
        let elapsed = ContinuousClock().measure {
            error = assertThrows(.timedOut, operation, line: line) { try body() }
        }
        XCTAssertGreaterThanOrEqual(elapsed, limit, line: line)
        XCTAssertLessThan(elapsed, .seconds(5), line: line)
        return error
    }

    func testEachWayOfReading() throws {
        let (server, client) = try connected(try pathName())
        for byDefault in [false, true] {
            server.receiveTimeout = byDefault ? limit : nil
            let timeout = byDefault ? nil : limit
            _ = assertTimesOut(.read) { _ = try server.read(upTo: 5, timeout: timeout) }
            _ = assertTimesOut(.read) { _ = try server.readExactly(5, timeout: timeout) }
            _ = assertTimesOut(.read) { _ = try server.readLine(timeout: timeout) }
            _ = assertTimesOut(.read) { _ = try server.readToEnd(timeout: timeout) }
        }
        // The call's own limit goes before the stream's.
        server.receiveTimeout = .zero
        let reader = Running { try server.read(upTo: 1, timeout: .seconds(20)) }
        reader.waitUntilBlocked()
        try client.writeAll("x")
        XCTAssertEqual(try reader.value(), [UInt8(ascii: "x")])
        // A limit of zero takes what is there.
        try client.writeAll("y")
        XCTAssertEqual(try server.read(upTo: 1), [UInt8(ascii: "y")])
        assertThrows(.timedOut, .read) { try server.read(upTo: 1) }
        server.receiveTimeout = nil
        XCTAssertNil(server.receiveTimeout)
    }

    /// A peer that sends a byte now and then does not prolong the call.
    func testReadExactlyIsLimitedAsAWhole() throws {
        let (server, client) = try connected(try pathName())
        // The thread that goes on may be slow to come.
        try client.writeAll("x")
        let flag = StopFlag()
        let dripper = Running {
            while !flag.isSet {
                try client.writeAll("x")
                usleep(5000)
            }
        }
        let error = assertTimesOut(.read) { _ = try server.readExactly(1 << 20, timeout: limit) }
        flag.set()
        try dripper.value()
        let kept = try XCTUnwrap(error).bytesTransferred
        XCTAssertGreaterThan(kept, 0)
        XCTAssertEqual(server.bufferedByteCount, kept)
        // The bytes that had come are there for the next read.
        client.close()
        XCTAssertGreaterThanOrEqual(try server.readToEnd().count, kept)
    }

    func testReadLineAndReadToEndAreLimitedAsAWhole() throws {
        for read: @Sendable (LocalSocketStream, Duration) throws -> Void in [
            { _ = try $0.readLine(timeout: $1) }, { _ = try $0.readToEnd(timeout: $1) },
        ] {
            let (server, client) = try connected(try pathName())
            // The thread that goes on may be slow to come.
            try client.writeAll("xx")
            let flag = StopFlag()
            let dripper = Running {
                while !flag.isSet {
                    try client.writeAll("x")
                    usleep(5000)
                }
            }
            _ = assertTimesOut(.read) { try read(server, limit) }
            flag.set()
            try dripper.value()
            try client.writeAll("\n")
            XCTAssertTrue(try XCTUnwrap(server.readLine()).hasPrefix("xx"))
        }
    }

    func testWriting() throws {
        let (server, client) = try connected(try pathName())
        let filled = try fill(client)
        for byDefault in [false, true] {
            client.sendTimeout = byDefault ? limit : nil
            let timeout = byDefault ? nil : limit
            let first = assertTimesOut(.write) { _ = try client.write([1, 2, 3], timeout: timeout) }
            XCTAssertEqual(first?.bytesTransferred, 0)
            let second = assertTimesOut(.write) { try client.writeAll([1, 2, 3], timeout: timeout) }
            XCTAssertEqual(second?.bytesTransferred, 0)
        }
        // Nothing was sent by those that failed.
        client.close()
        XCTAssertEqual(try server.readToEnd().count, filled)
    }

    /// A peer that reads now and then does not prolong the call, which tells how far it came.
    func testWriteAllIsLimitedAsAWhole() throws {
        let (server, client) = try connected(try pathName())
        let filled = try fill(client)
        let flag = StopFlag()
        let sipper = Running {
            var count = 0
            while !flag.isSet {
                count += try server.read(upTo: 40_000).count
                usleep(5000)
            }
            return count
        }
        let error = assertTimesOut(.write) {
            try client.writeAll([UInt8](repeating: 9, count: 64 << 20), timeout: limit)
        }
        flag.set()
        let sent = try XCTUnwrap(error).bytesTransferred
        XCTAssertGreaterThan(sent, 0)
        client.close()
        let sipped = try sipper.value()
        XCTAssertEqual(try server.readToEnd().count + sipped, filled + sent)
    }

    /// Limits too long for the clock are none; negative ones have passed.
    func testExtremeLimits() throws {
        let (server, client) = try connected(try pathName())
        let reader = Running { try server.read(upTo: 1, timeout: .seconds(Int64.max)) }
        reader.waitUntilBlocked()
        try client.writeAll("x")
        XCTAssertEqual(try reader.value(), [UInt8(ascii: "x")])
        assertThrows(.timedOut, .read) { try server.read(upTo: 1, timeout: .seconds(Int64.min)) }
        assertThrows(.timedOut, .read) { try server.read(upTo: 1, timeout: .nanoseconds(1)) }
    }

    #if INTERPROCESS_FAULT_INJECTION
    /// What is ready all the time, and in vain, does not keep a call from ending, nor from being closed.
    func testWhatIsReadyInVain() throws {
        defer { FaultInjection.clear() }
        let (server, client) = try connected(try pathName())
        try client.writeAll("x")
        for call: System.Call in [.receive, .send, .message] {
            FaultInjection.inject(.result(-Int64(EAGAIN)), into: call, times: .max)
        }
        _ = assertTimesOut(.read) { _ = try server.read(upTo: 5, timeout: limit) }
        _ = assertTimesOut(.read) { _ = try server.readLine(timeout: limit) }
        _ = assertTimesOut(.read) { _ = try server.receive(upTo: 5, timeout: limit) }
        _ = assertTimesOut(.write) { try server.writeAll("y", timeout: limit) }
        _ = assertTimesOut(.write) { try server.send([1], timeout: limit) }
        let calls = [
            Running { _ = try server.read(upTo: 5, timeout: .seconds(50)) },
            Running { try server.writeAll("y", timeout: .seconds(50)) },
        ]
        server.close()
        for call in calls { assertThrows(.closed) { try call.value() } }
    }
    #endif
}
