// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// Who the peer is, asked by tasks.
final class CredentialsAsyncTests: InterprocessTestCase {
    func testClientProcess() throws {
        for (name, executor) in try eachNameAndExecutor() {
            let listener = try LocalSocketListener(name)
            let asking = RunningTask(on: executor) {
                let stream = try await listener.accept()
                let process = try await stream.peerProcess()
                return (try await stream.peerCredentials(), try process.isRunning, stream)
            }
            waitUntilAwaited(listener)
            let client = try ChildProcess.helper("hold", name.description)
            client.expect("connected")
            let (peer, isRunning, stream) = try asking.value()
            XCTAssertEqual(peer.processID, client.pid)
            XCTAssertEqual(peer.userID, geteuid())
            XCTAssertEqual(peer.groupID, getegid())
            XCTAssertTrue(peer.isCurrentUser)
            XCTAssertTrue(isRunning)

            // They are those of the moment of connecting, and stay when the peer is gone.
            let reading = RunningTask(on: executor) {
                _ = try await stream.read(upTo: 1)
                return try await stream.peerCredentials()
            }
            waitUntilAwaited(stream)
            client.crash()
            XCTAssertEqual(try reading.value(), peer)
        }
    }

    func testServerProcess() throws {
        for (name, executor) in try eachNameAndExecutor() {
            let server = try ChildProcess.helper("listen", name.description, "never")
            server.expect("ready")
            let asking = RunningTask(on: executor) {
                let stream = try await LocalSocketStream.connect(to: name)
                let process = try await stream.peerProcess()
                return (try await stream.peerCredentials(), process)
            }
            let (peer, process) = try asking.value()
            XCTAssertEqual(peer.processID, server.pid)
            XCTAssertTrue(peer.isCurrentUser)
            XCTAssertTrue(try process.isRunning)
            let waiting = RunningTask(on: executor) { try await process.waitForExit() }
            waitUntilAwaited(process)
            let second = RunningTask(on: executor) { try await process.waitForExit() }
            waitUntilAwaited(process, by: 2)
            second.cancel()
            assertThrows(.cancelled, .wait) { try second.value() }
            let third = RunningTask(on: executor) { try await process.waitForExit(timeout: .milliseconds(20)) }
            assertThrows(.timedOut, .wait) { try third.value() }
            server.closeInput()
            try waiting.value()
            XCTAssertFalse(try process.isRunning)
            try RunningTask(on: executor) { try await process.waitForExit(timeout: .zero) }.value()
            XCTAssertEqual(server.wait(), 0)
        }
    }

    func testAsSeenByTheClient() throws {
        for (name, executor) in try eachNameAndExecutor() {
            let listener = try LocalSocketListener(name)
            let accepting = RunningTask(on: executor) { try await listener.accept() }
            let client = try ChildProcess.helper("identify", name.description)
            client.expect("peer \(getpid()) \(geteuid()) \(getegid())")
            _ = try accepting.value()
        }
    }
}
