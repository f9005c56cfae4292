// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// Streams that are connected by the first call that needs it.
final class DeferredConnectTests: InterprocessTestCase {
    private func connectLater(_ name: LocalSocketName, nonblocking: Bool = false) throws -> LocalSocketStream {
        var options = waiting(.deferred)
        options.nonblocking = nonblocking
        return try LocalSocketStream.connect(to: name, options: options)
    }

    func testConnectsAtOnceWhereThereIsRoom() throws {
        for name in try bothNames() {
            let listener = try LocalSocketListener(name)
            let stream = try connectLater(name)
            let server = try listener.accept(timeout: .zero)
            try stream.writeAll("x\n")
            XCTAssertEqual(try server.readLine(), "x")
            // From then on it is a blocking stream as any other.
            let reader = Running { try stream.readLine() }
            reader.waitUntilBlocked()
            try server.writeAll("y\n")
            XCTAssertEqual(try reader.value(), "y")
        }
    }

    func testNoServerIsToldAtOnce() throws {
        assertThrows(.notFound, .connect) { try self.connectLater(try self.pathName()) }
        assertThrows(.connectionRefused, .connect) { try self.connectLater(try self.namespacedName()) }
    }

    func testFirstWriteWaits() throws {
        for name in try bothNames() {
            let (listener, waiting) = try fullListener(name)
            let stream = try connectLater(name)
            let writer = Running { try stream.writeAll("later\n") }
            writer.waitUntilBlocked()
            _ = try listener.accept()
            try writer.value()
            XCTAssertEqual(try listener.accept(timeout: .seconds(10)).readLine(), "later")
            waiting.close()
        }
    }

    func testFirstReadWaits() throws {
        let name = try pathName()
        let (listener, waiting) = try fullListener(name)
        let stream = try connectLater(name)
        let reader = Running { try stream.readLine() }
        reader.waitUntilBlocked()
        _ = try listener.accept()
        try listener.accept(timeout: .seconds(10)).writeAll("welcome\n")
        XCTAssertEqual(try reader.value(), "welcome")
        waiting.close()
    }

    /// Of several threads that need the connection one makes it, also while the server accepts nobody.
    func testReadAndWriteWaitTogether() throws {
        for round in 0..<10 {
            let name = try pathName("\(round)")
            let (listener, waiting) = try fullListener(name)
            let stream = try connectLater(name)
            let readers = (0..<3).map { _ in Running { try stream.read(upTo: 1) } }
            let writers = (0..<3).map { _ in Running { try stream.writeAll("x") } }
            for reader in readers { reader.waitUntilBlocked() }
            for writer in writers { writer.waitUntilBlocked() }
            _ = try listener.accept()
            // The backlog is full again with the connection itself; it is made all the same.
            for writer in writers { try writer.value() }
            let server = try listener.accept(timeout: .seconds(10))
            XCTAssertEqual(try server.readExactly(3, timeout: .seconds(10)), Array("xxx".utf8))
            try server.writeAll("yyy")
            for reader in readers { XCTAssertEqual(try reader.value(), [UInt8(ascii: "y")]) }
            // It was one connection.
            assertThrows(.timedOut) { try listener.accept(timeout: .zero) }
            waiting.close()
        }
    }

    func testTimesOut() throws {
        for name in try bothNames() {
            let (listener, waiting) = try fullListener(name)
            let stream = try connectLater(name)
            let elapsed = ContinuousClock().measure {
                assertThrows(.timedOut) { try stream.read(upTo: 1, timeout: .milliseconds(60)) }
            }
            XCTAssertGreaterThanOrEqual(elapsed, .milliseconds(60))
            assertThrows(.timedOut) { try stream.write([1], timeout: .milliseconds(10)) }
            stream.receiveTimeout = .milliseconds(10)
            assertThrows(.timedOut) { try stream.readLine() }
            assertThrows(.timedOut) { try stream.peerCredentials() }
            // Nothing is lost by it: with room it connects.
            _ = try listener.accept()
            try stream.writeAll("x\n")
            XCTAssertEqual(try listener.accept().readLine(), "x")
            waiting.close()
        }
    }

    func testNonblocking() throws {
        let name = try pathName()
        let (listener, waiting) = try fullListener(name)
        let stream = try connectLater(name, nonblocking: true)
        assertThrows(.wouldBlock) { try stream.read(upTo: 1) }
        assertThrows(.wouldBlock) { try stream.write([1]) }
        _ = try listener.accept()
        try stream.writeAll("x\n")
        let server = try listener.accept()
        XCTAssertEqual(try server.readLine(), "x")
        assertThrows(.wouldBlock, .read) { try stream.read(upTo: 1) }
        waiting.close()
    }

    func testCloseWakes() throws {
        let name = try pathName()
        let (listener, waiting) = try fullListener(name)
        let stream = try connectLater(name)
        let reader = Running { try stream.read(upTo: 1) }
        let writer = Running { try stream.writeAll("x") }
        let asker = Running { try stream.peerCredentials() }
        reader.waitUntilBlocked()
        writer.waitUntilBlocked()
        asker.waitUntilBlocked()
        stream.close()
        assertThrows(.closed) { try reader.value() }
        assertThrows(.closed) { try writer.value() }
        assertThrows(.closed) { try asker.value() }
        _ = try listener.accept()
        assertThrows(.timedOut) { try listener.accept(timeout: .zero) }
        waiting.close()
    }

    func testServerThatEndsMeanwhileIsToldByTheNextCall() throws {
        for name in try bothNames() {
            let (listener, waiting) = try fullListener(name)
            let stream = try connectLater(name)
            let writer = Running { try stream.writeAll("x") }
            writer.waitUntilBlocked()
            listener.close()
            assertThrows(name.isPath ? .notFound : .connectionRefused, .connect) { try writer.value() }
            waiting.close()
        }
    }

    func testWrongServerIsRefusedLater() throws {
        try requireRoot()
        let name = try namespacedName()
        let server = try ChildProcess.helper("--uid", "1000", "listen-slowly", name.description)
        server.expect("ready")
        var anyone = LocalSocketStream.ConnectOptions()
        anyone.requiresPeer = .anyone
        let waiting = try LocalSocketStream.connect(to: name, options: anyone)
        let stream = try connectLater(name)
        let writer = Running { try stream.writeAll("secret") }
        writer.waitUntilBlocked()
        server.write("\n")
        server.expect("accepted 1")
        assertThrows(.permissionDenied, .connect) { try writer.value() }
        assertThrows(.closed) { try stream.writeAll("secret") }
        waiting.close()
        server.closeInput()
    }

    func testDetachWaitsForTheConnection() throws {
        let name = try pathName()
        let (listener, waiting) = try fullListener(name)
        let stream = try connectLater(name)
        stream.receiveTimeout = .milliseconds(10)
        assertThrows(.timedOut) { try stream.detach() }
        _ = try listener.accept()
        let descriptor = try stream.detach()
        XCTAssertEqual(fcntl(descriptor, F_GETFL) & O_NONBLOCK, 0)
        XCTAssertEqual(send(descriptor, "x\n", 2, Int32(MSG_NOSIGNAL)), 2)
        XCTAssertEqual(try listener.accept().readLine(), "x")
        Foundation.close(descriptor)
        waiting.close()
    }
}
