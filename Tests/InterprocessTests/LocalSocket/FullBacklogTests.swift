// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// Connecting to a server whose backlog of unaccepted clients is full, where a nonblocking connect fails without
/// queueing.
final class FullBacklogTests: InterprocessTestCase {
    func testTimesOutAtTheDeadlineAndNotBefore() throws {
        for name in try bothNames() {
            let (listener, waiting) = try fullListener(name)
            var error: IPCError?
            let elapsed = ContinuousClock().measure {
                error = assertThrows(.timedOut, .connect) {
                    try LocalSocketStream.connect(to: name, options: self.waiting(.timeout(.milliseconds(150))))
                }
            }
            XCTAssertGreaterThanOrEqual(elapsed, .milliseconds(150))
            XCTAssertLessThan(elapsed, .seconds(5))
            XCTAssertTrue("\(error!)".contains("backlog"), "\(error!)")
            // Those who waited in vain have left nothing behind: the one client that was there is the one that is
            // found.
            try waiting.writeAll("x")
            XCTAssertEqual(try listener.accept().readExactly(1), [UInt8(ascii: "x")])
            assertThrows(.timedOut) { try listener.accept(timeout: .zero) }
        }
    }

    func testZeroTimeout() throws {
        for name in try bothNames() {
            let (listener, waiting) = try fullListener(name)
            assertThrows(.timedOut, .connect) {
                try LocalSocketStream.connect(to: name, options: self.waiting(.timeout(.zero)))
            }
            // A negative limit has passed as well.
            assertThrows(.timedOut, .connect) {
                try LocalSocketStream.connect(to: name, options: self.waiting(.timeout(.seconds(-1))))
            }
            _ = try listener.accept()
            // With room, no time is needed.
            let stream = try LocalSocketStream.connect(to: name, options: self.waiting(.timeout(.zero)))
            try stream.writeAll("x")
            XCTAssertEqual(try listener.accept().readExactly(1), [UInt8(ascii: "x")])
            waiting.close()
        }
    }

    func testSucceedsWhenRoomAppears() throws {
        for name in try bothNames() {
            for wait in [LocalSocketStream.ConnectWait.timeout(.seconds(20)), .unbounded] {
                let (listener, waiting) = try fullListener(name)
                let options = self.waiting(wait)
                let client = Running { try LocalSocketStream.connect(to: name, options: options) }
                client.waitUntilBlocked()
                _ = try listener.accept()
                let stream = try client.value()
                // It is really connected, and the limit of connecting is none of writing.
                try stream.writeAll("late\n")
                let accepted = try listener.accept()
                XCTAssertEqual(try accepted.readLine(), "late")
                let filler = Running { try stream.writeAll([UInt8](repeating: 1, count: 4 << 20)) }
                filler.waitUntilBlocked()
                XCTAssertEqual(try accepted.readExactly(4 << 20).count, 4 << 20)
                try filler.value()
                listener.close()
                waiting.close()
            }
        }
    }

    /// The option that bounds connecting must not stay on the socket.
    func testTimeLimitOfConnectingIsNotOneOfWriting() throws {
        let name = try pathName()
        let listener = try LocalSocketListener(name)
        let stream = try LocalSocketStream.connect(to: name, options: waiting(.timeout(.milliseconds(50))))
        let limit = try stream.withUnsafeDescriptor { descriptor in
            var limit = timeval()
            var size = socklen_t(MemoryLayout<timeval>.size)
            XCTAssertEqual(getsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, &size), 0)
            return limit
        }
        XCTAssertEqual(limit.tv_sec, 0)
        XCTAssertEqual(limit.tv_usec, 0)
        listener.close()
    }

    func testWaitingEndsWhenTheServerEnds() throws {
        for name in try bothNames() {
            let (listener, waiting) = try fullListener(name)
            let client = Running { try LocalSocketStream.connect(to: name) }
            client.waitUntilBlocked()
            listener.close()
            assertThrows(name.isPath ? .notFound : .connectionRefused, .connect) { try client.value() }
            waiting.close()
        }
    }

    func testManyWaitForRoom() throws {
        let name = try namespacedName()
        let (listener, waiting) = try fullListener(name)
        let clients = (0..<12).map { number in
            let options = number % 2 == 0 ? self.waiting(.unbounded) : self.waiting(.timeout(.seconds(20)))
            return Running {
                let stream = try LocalSocketStream.connect(to: name, options: options)
                try stream.writeAll("\(number)\n")
                XCTAssertNil(try stream.readLine())
            }
        }
        for client in clients.prefix(2) { client.waitUntilBlocked() }
        _ = try listener.accept()
        var seen: Set<String> = []
        for _ in clients { seen.insert(try XCTUnwrap(try listener.accept(timeout: .seconds(10)).readLine())) }
        XCTAssertEqual(seen.count, 12)
        for client in clients { try client.value() }
        waiting.close()
    }

    func testBacklogOptionIsAnUpperBound() throws {
        var options = LocalSocketListener.Options()
        options.backlog = 3
        let name = try pathName()
        let listener = try LocalSocketListener(name, options: options)
        var clients: [LocalSocketStream] = []
        // Linux lets one more in than it was told.
        for _ in 0..<4 { clients.append(try .connect(to: name, options: waiting(.timeout(.zero)))) }
        assertThrows(.timedOut) { try LocalSocketStream.connect(to: name, options: waiting(.timeout(.zero))) }
        listener.close()
    }
}
