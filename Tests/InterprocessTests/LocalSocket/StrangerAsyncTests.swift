// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// Awaiting clients and servers of other users.
final class StrangerAsyncTests: InterprocessTestCase {
    override func setUpWithError() throws {
        try super.setUpWithError()
        try requireRoot()
        XCTAssertEqual(chmod(directory, 0o777), 0)
    }

    /// An abstract name has no mode: the stranger connects, and is turned away before a byte is exchanged.
    func testAbstractNameTurnsStrangersAway() throws {
        for executor in Self.executors {
            let name = try namespacedName()
            let listener = try LocalSocketListener(name)
            let servers = (0..<2).map { _ in RunningTask(on: executor) { try await listener.accept().readLine() } }
            waitUntilAwaited(listener, by: 2)
            let stranger = try ChildProcess.helper("--uid", "1000", "connect", name.description)
            stranger.expect("connected")
            stranger.expect("line none")
            waitUntilAwaited(listener, by: 2)
            // Friends behind it are found by the same calls.
            for _ in servers { try LocalSocketStream.connect(to: name).writeAll("friend\n") }
            for server in servers { XCTAssertEqual(try server.value(), "friend") }
        }
    }

    func testPathKeepsStrangersOut() throws {
        for executor in Self.executors {
            let name = try uniquePathName()
            let listener = try LocalSocketListener(name)
            let server = RunningTask(on: executor) { try await listener.accept() }
            waitUntilAwaited(listener)
            let stranger = try ChildProcess.helper("--uid", "1000", "connect", name.description)
            stranger.expect("error permissionDenied")
            waitUntilAwaited(listener)
            _ = try LocalSocketStream.connect(to: name)
            _ = try server.value()
        }
    }

    /// Strangers who keep coming do not keep an accept from ending, however that is done; nor a friend from being
    /// served.
    func testStrangersDoNotHoldUpTheEndOfAccept() throws {
        for executor in Self.executors {
            let name = try namespacedName()
            let listener = try LocalSocketListener(name)
            let flood = try (0..<2).map { _ in try ChildProcess.helper("--uid", "1000", "flood", name.description) }
            for process in flood { process.expect("flooding") }
            for _ in 0..<5 {
                let start = ContinuousClock.now
                let limited = RunningTask(on: executor) { try await listener.accept(timeout: .milliseconds(50)) }
                assertThrows(.timedOut, .accept) { try limited.value() }
                XCTAssertGreaterThanOrEqual(ContinuousClock.now - start, .milliseconds(50))
                XCTAssertLessThan(ContinuousClock.now - start, .seconds(5))
            }
            let cancelled = RunningTask(on: executor) { try await listener.accept() }
            cancelled.cancel()
            assertThrows(.cancelled, .accept) { try cancelled.value() }

            let server = RunningTask(on: executor) { try await listener.accept().readLine() }
            try LocalSocketStream.connect(to: name).writeAll("friend\n")
            XCTAssertEqual(try server.value(), "friend")

            let last = (0..<3).map { _ in RunningTask(on: executor) { try await listener.accept() } }
            listener.close()
            for server in last { assertThrows(.closed, .accept) { try server.value() } }
        }
    }

    /// What is awaited on one stream is not held up by strangers at a listener of the same loop.
    func testStrangersDoNotHoldUpOthers() throws {
        let name = try namespacedName()
        let listener = try LocalSocketListener(name)
        let (one, other) = try LocalSocketStream.pair()
        let accepting = RunningTask(on: EventLoop.shared) { try await listener.accept() }
        let echo = RunningTask(on: EventLoop.shared) {
            for try await line in other.lines { try await other.writeAll(line + "\n") }
        }
        let flood = try ChildProcess.helper("--uid", "1000", "flood", name.description)
        flood.expect("flooding")
        for number in 0..<200 {
            try one.writeAll("\(number)\n")
            XCTAssertEqual(try one.readLine(timeout: .seconds(10)), "\(number)")
        }
        one.close()
        try echo.value()
        accepting.cancel()
        assertThrows(.cancelled, .accept) { try accepting.value() }
    }

    // MARK: - Servers

    private func requiring(
        _ peer: PeerRequirement?,
        _ wait: LocalSocketStream.ConnectWait
    ) -> LocalSocketStream.ConnectOptions {
        var options = waiting(wait)
        options.requiresPeer = peer
        return options
    }

    /// A name in the namespace is whoever's takes it first: a foreign server gets nothing.
    func testForeignServer() throws {
        for executor in Self.executors {
            let name = try namespacedName()
            let server = try ChildProcess.helper("--uid", "1000", "listen", name.description, "never")
            server.expect("ready")
            let waits: [LocalSocketStream.ConnectWait] = [.unbounded, .timeout(.seconds(5)), .deferred]
            for wait in waits {
                for peer in [nil, PeerRequirement.currentUser, .user(1001), .user(geteuid())] {
                    let options = requiring(peer, wait)
                    let client = RunningTask(on: executor) {
                        try await LocalSocketStream.connect(to: name, options: options)
                    }
                    let error = assertThrows(.permissionDenied, .connect) { try client.value() }
                    XCTAssertTrue("\(error!)".contains("requiresPeer"), "\(error!)")
                }
                for peer in [PeerRequirement.anyone, .user(1000)] {
                    let options = requiring(peer, wait)
                    let client = RunningTask(on: executor) {
                        try await LocalSocketStream.connect(to: name, options: options).peerCredentials()
                    }
                    XCTAssertEqual(try client.value().userID, 1000)
                    XCTAssertEqual(try client.value().processID, server.pid)
                }
            }
            server.closeInput()
            XCTAssertEqual(server.wait(), 0)
        }
    }

    /// The wrong server is found out also when a deferred connection to it is made later.
    func testForeignServerOfADeferredConnection() throws {
        for executor in Self.executors {
            let name = try namespacedName()
            let server = try ChildProcess.helper("--uid", "1000", "listen-slowly", name.description)
            server.expect("ready")
            let waiting = try LocalSocketStream.connect(to: name, options: requiring(.anyone, .unbounded))
            let stream = try LocalSocketStream.connect(to: name, options: requiring(nil, .deferred))
            let writer = RunningTask(on: executor) { try await stream.writeAll("secret") }
            waitUntilAwaited()
            server.write("\n")
            server.expect("accepted 1")
            assertThrows(.permissionDenied, .connect) { try writer.value() }
            let again = RunningTask(on: executor) { try await stream.writeAll("secret") }
            assertThrows(.closed) { try again.value() }
            waiting.close()
            server.closeInput()
        }
    }
}
