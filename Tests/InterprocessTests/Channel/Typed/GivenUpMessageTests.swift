// SPDX-License-Identifier: MIT OR Apache-2.0

import XCTest

@testable import Interprocess

/// Messages in parts that their senders give up in the middle, while there is no room for as much as the word of it.
final class GivenUpMessageTests: InterprocessTestCase {
    private struct Load: Codable, Sendable {
        var bytes: [UInt8]
        var back: IPCSender<Load>?
    }

    private let large = [UInt8](repeating: 7, count: 1 << 20)

    /// A part of a message does not keep its channel open, whatever was to come with the rest.
    func testItsOwnSenderGoesWithIt() async throws {
        for isAwaited in [false, true] {
            let (sender, receiver) = try IPCChannel.make(of: Load.self)
            let load = Load(bytes: large, back: sender)
            if isAwaited {
                await assertThrows(.timedOut) { try await sender.send(load, timeout: .milliseconds(5)) }
            } else {
                assertThrows(.timedOut) { try sender.send(load, timeout: .milliseconds(5)) }
            }
            assertThrows(.wouldBlock) { try sender.trySend(load) }
            sender.close()
            await assertThrows(.disconnected) { try await receiver.receive(timeout: .seconds(10)) }
        }
    }

    /// The receiver forgets it with the next message at the latest, and then can be sent to somebody else.
    func testTheWordOfItGoesFirst() async throws {
        for isAwaited in [false, true] {
            let (sender, receiver) = try IPCChannel.make(of: Load.self)
            if isAwaited {
                await assertThrows(.timedOut) {
                    try await sender.send(Load(bytes: large), timeout: .milliseconds(5))
                }
            } else {
                assertThrows(.timedOut) { try sender.send(Load(bytes: large), timeout: .milliseconds(5)) }
            }
            XCTAssertNil(try receiver.tryReceive())
            try sender.trySend(Load(bytes: [1]))
            XCTAssertEqual(try receiver.tryReceive()?.bytes, [1])
            let (mover, moved) = try IPCChannel.make(of: IPCReceiver<Load>.self)
            try mover.trySend(receiver)
            let other = try XCTUnwrap(try moved.tryReceive())
            try sender.trySend(Load(bytes: [2]))
            XCTAssertEqual(try other.tryReceive()?.bytes, [2])
        }
    }
}
