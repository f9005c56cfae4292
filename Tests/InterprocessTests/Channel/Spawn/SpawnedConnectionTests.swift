// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

/// Children with typed connections.
final class SpawnedConnectionTests: InterprocessTestCase {
    private typealias Connection = IPCConnection<Int, [Int]>

    private func helper() throws -> String { try ChildProcess.path(ofBuilt: "test-helper") }

    func testRequests() throws {
        let (connection, child) = try Connection.spawn(helper(), arguments: ["answer-parent"])
        XCTAssertEqual(try connection.request([1, 2, 3]), 6)
        connection.close()
        XCTAssertEqual(try child.wait(), .exited(0))
    }

    func testAwaited() async throws {
        let program = try helper()
        try await onEachExecutor {
            let (connection, child) = try await Connection.spawn(program, arguments: ["answer-parent"])
            try await assertEqual(6) { try await connection.request([1, 2, 3]) }
            // Its death ends a request at once.
            kill(child.processIdentifier, SIGSTOP)
            let request = start { try await connection.request([4]) }
            try child.kill()
            await assertThrows(.disconnected) { try await request.value }
            try await assertEqual(.killed(.kill)) { try await child.wait() }
        }
    }

    func testProgramsThatDoNotAnswer() throws {
        let program = try helper()
        assertThrows(.disconnected) { try Connection.spawn(program, arguments: ["exit", "0"]) }
        // One that has other types; and one that says nothing, which is ended.
        assertThrows(.protocolViolation) {
            try IPCConnection<String, String>.spawn(program, arguments: ["answer-parent"])
        }
        var options = IPCConnectionOptions()
        options.handshakeTimeout = .milliseconds(50)
        let (sender, receiver) = try UnnamedPipe.create()
        var what = IPCChild.Options()
        what.output = .descriptor(sender)
        assertThrows(.timedOut) {
            try Connection.spawn("sh", arguments: ["-c", "exec sleep 1000"], options: what, connecting: options)
        }
        sender.close()
        XCTAssertEqual(try receiver.readToEnd(), [])
        assertThrows(.notFound) { try Connection.spawn(path("none")) }
        assertThrows(.notFound) { try Connection.toParent() }
    }

    func testProgramsThatDoNotAnswerAwaited() async throws {
        let program = try helper()
        await assertThrows(.disconnected) { try await Connection.spawn(program, arguments: ["exit", "0"]) }
        let spawning = start { try await Connection.spawn("sleep", arguments: ["1000"]).child }
        await waitUntilAwaited()
        spawning.cancel()
        await assertThrows(.cancelled) { try await spawning.value }
        await assertThrows(.notFound) { try await Connection.toParent() }
    }
}
