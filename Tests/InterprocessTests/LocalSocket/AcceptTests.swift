// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

final class AcceptTests: InterprocessTestCase {
    func testTimeout() throws {
        for name in try bothNames() {
            let listener = try LocalSocketListener(name)
            let elapsed = ContinuousClock().measure {
                assertThrows(.timedOut, .accept) { try listener.accept(timeout: .milliseconds(80)) }
            }
            XCTAssertGreaterThanOrEqual(elapsed, .milliseconds(80))
            assertThrows(.timedOut, .accept) { try listener.accept(timeout: .zero) }
            assertThrows(.timedOut, .accept) { try listener.accept(timeout: .seconds(-1)) }
            // A client that is there needs no time.
            let client = try LocalSocketStream.connect(to: name)
            try client.writeAll("x\n")
            XCTAssertEqual(try listener.accept(timeout: .zero).readLine(), "x")
            // Nor does one that comes meanwhile need all of it.
            let server = Running { try listener.accept(timeout: .seconds(25)) }
            server.waitUntilBlocked()
            _ = try LocalSocketStream.connect(to: name)
            _ = try server.value()
        }
    }

    func testNonblockingModes() throws {
        typealias Mode = LocalSocketListener.Nonblocking
        let modes: [(mode: Mode, accept: Bool, stream: Bool)] = [
            (.neither, false, false), (.accept, true, false), (.stream, false, true), (.both, true, true),
        ]
        for name in try bothNames() {
            for (mode, acceptIsNonblocking, streamIsNonblocking) in modes {
                for setLater in [false, true] {
                    var options = LocalSocketListener.Options()
                    options.nonblocking = setLater ? .neither : mode
                    let listener = try LocalSocketListener(name, options: options)
                    if setLater { listener.setNonblocking(mode) }
                    assertThrows(acceptIsNonblocking ? .wouldBlock : .timedOut) {
                        try listener.accept(timeout: .milliseconds(1))
                    }
                    let client = try LocalSocketStream.connect(to: name)
                    let stream = try listener.accept()
                    assertThrows(streamIsNonblocking ? .wouldBlock : .timedOut) {
                        try stream.read(upTo: 1, timeout: .milliseconds(1))
                    }
                    client.close()
                    listener.close()
                }
            }
        }
    }

    func testCloseWakesAllWhoAccept() throws {
        for name in try bothNames() {
            let listener = try LocalSocketListener(name)
            let servers = (0..<5).map { number in
                Running { try listener.accept(timeout: number == 0 ? .seconds(25) : nil) }
            }
            for server in servers { server.waitUntilBlocked() }
            listener.close()
            for server in servers { assertThrows(.closed, .accept) { try server.value() } }
            assertThrows(.closed, .accept) { try listener.accept() }
            assertThrows(.closed, .accept) { try listener.accept(timeout: .zero) }
            XCTAssertTrue(listener.isClosed)
        }
    }

    func testSeveralAcceptAndEachClientComesOnce() throws {
        let name = try pathName()
        let listener = try LocalSocketListener(name)
        let servers = (0..<4).map { _ in
            Running {
                var seen: [String] = []
                for result in listener.incoming {
                    if let line = try result.get().readLine() { seen.append(line) }
                }
                return seen
            }
        }
        for number in 0..<200 {
            let client = try LocalSocketStream.connect(to: name)
            try client.writeAll("\(number)\n")
            XCTAssertEqual(try client.read(upTo: 1), [])
        }
        listener.close()
        let seen = try servers.flatMap { try $0.value() }
        XCTAssertEqual(seen.compactMap { Int($0) }.sorted(), Array(0..<200))
    }

    func testIncomingEndsAtClose() throws {
        for name in try bothNames() {
            let listener = try LocalSocketListener(name)
            let counter = Running {
                var count = 0
                for result in listener.incoming {
                    _ = try result.get()
                    count += 1
                }
                return count
            }
            for _ in 0..<3 { XCTAssertEqual(try LocalSocketStream.connect(to: name).read(upTo: 1), []) }
            counter.waitUntilBlocked()
            listener.close()
            XCTAssertEqual(try counter.value(), 3)
            XCTAssertTrue(listener.incoming.next() == nil)
        }
    }

    func testIncomingInNonblockingMode() throws {
        let name = try pathName()
        var options = LocalSocketListener.Options()
        options.nonblocking = .accept
        let listener = try LocalSocketListener(name, options: options)
        assertThrows(.wouldBlock) { try XCTUnwrap(listener.incoming.next()).get() }
        let client = try LocalSocketStream.connect(to: name)
        _ = try XCTUnwrap(listener.incoming.next()).get()
        client.close()
        assertThrows(.wouldBlock) { try XCTUnwrap(listener.incoming.next()).get() }
    }

    /// Clients that have left before they are accepted: what they sent is there, and then the end.
    func testClientsThatHaveLeft() throws {
        for name in try bothNames() {
            let listener = try LocalSocketListener(name)
            try LocalSocketStream.connect(to: name).close()
            let writer = try LocalSocketStream.connect(to: name)
            try writer.writeAll("bye\n")
            writer.close()
            let holder = try ChildProcess.helper("hold", name.description)
            holder.expect("connected")
            holder.crash()

            let first = try listener.accept(timeout: .seconds(5))
            XCTAssertEqual(try first.read(upTo: 1), [])
            assertThrows(.brokenPipe, .write) { try first.writeAll("too late") }
            let second = try listener.accept(timeout: .seconds(5))
            XCTAssertEqual(try second.readLine(), "bye")
            XCTAssertNil(try second.readLine())
            let third = try listener.accept(timeout: .seconds(5))
            XCTAssertEqual(try third.read(upTo: 1), [])
            XCTAssertEqual(try third.peerCredentials().processID, holder.pid)
            listener.close()
        }
    }

    func testSlowReaderHoldsUpNobody() throws {
        let name = try pathName()
        let listener = try LocalSocketListener(name)
        let slow = try LocalSocketStream.connect(to: name)
        let slowServer = try listener.accept()
        let stuck = Running { try slowServer.writeAll([UInt8](repeating: 1, count: 8 << 20)) }
        stuck.waitUntilBlocked()
        for _ in 0..<50 {
            let client = try LocalSocketStream.connect(to: name)
            let server = try listener.accept()
            try client.writeAll("quick\n")
            XCTAssertEqual(try server.readLine(), "quick")
            try server.writeAll("answer\n")
            XCTAssertEqual(try client.readLine(), "answer")
        }
        XCTAssertFalse(stuck.hasEnded)
        XCTAssertEqual(try slow.readExactly(8 << 20).count, 8 << 20)
        try stuck.value()
    }
}
