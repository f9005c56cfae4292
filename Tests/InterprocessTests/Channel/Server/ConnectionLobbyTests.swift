// SPDX-License-Identifier: MIT OR Apache-2.0

import XCTest

@testable import Interprocess

/// Where a server's connections wait for those who accept them; here they are numbers.
final class ConnectionLobbyTests: InterprocessTestCase {
    /// Who is told of a connection, and leaves without it, tells the next one.
    func testAConnectionForOneWhoLeavesIsAnothers() async throws {
        let (stream, _) = try LocalSocketStream.pair()
        let lobby = ConnectionLobby<Int>(stream.descriptorCore)
        let leaving = RunningTask(on: EventLoop.shared) { try await lobby.take(until: .never) }
        await waitUntilAwaited()
        let next = Running { try lobby.take(until: Deadline(after: .seconds(20))) }
        next.waitUntilBlocked()
        try await EventLoop.shared.block {
            leaving.cancel()
            XCTAssertTrue(lobby.add(1))
        }
        await assertThrows(.cancelled, .accept) { try await leaving.value() }
        try await assertEqual(1) { try await onThread { try next.value() } }
    }

    /// Those that come while nobody waits are kept, in their order, until the lobby is closed.
    func testKeeping() throws {
        let (stream, _) = try LocalSocketStream.pair()
        let lobby = ConnectionLobby<Int>(stream.descriptorCore)
        for number in 0..<4 { XCTAssertTrue(lobby.add(number)) }
        for number in 0..<2 { XCTAssertEqual(try lobby.take(until: .never), number) }
        let kept = lobby.close()
        XCTAssertEqual(kept, [2, 3])
        XCTAssertFalse(lobby.add(4))
        assertThrows(.closed, .accept) { try lobby.take(until: .never) }
    }
}
