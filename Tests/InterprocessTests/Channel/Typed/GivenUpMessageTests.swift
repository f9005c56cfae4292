// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
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

    /// Also where what tasks have sent meanwhile fills a packet, for which there is no room either.
    func testTheWordOfItWaitsForRoom() async throws {
        let (sender, receiver) = try IPCChannel.makeBytes()
        let sending = start { [large] in try await sender.send(large, timeout: .milliseconds(200)) }
        await waitUntilAwaited(sender)
        let packet = [UInt8](repeating: 3, count: FrameHead.maximumPacket - FrameHead.size)
        try await Task(executorPreference: EventLoop.shared) {
            await Task.yield()
            try await sender.send(packet)
        }.value
        await assertThrows(.timedOut) { try await sending.value }
        await assertEqual(packet) { try? await receiver.receive(timeout: .seconds(20)) }
        try await sender.send([1], timeout: .seconds(20))
        await assertEqual([1]) { try? await receiver.receive(timeout: .seconds(20)) }
        // What was begun is forgotten.
        XCTAssertNotNil(try receiver.packets.beginMove())
    }

    #if INTERPROCESS_FAULT_INJECTION && !canImport(Darwin)
    /// That there is no memory for the word of it is no reason to send nothing any more.
    func testTheWordOfItWaitsForMemory() async throws {
        defer { FaultInjection.clear() }
        let (sender, receiver) = try IPCChannel.makeBytes()
        FaultInjection.inject(.result(-Int64(ENOBUFS)), into: .message, after: 1)
        FaultInjection.inject(.result(-Int64(ENOBUFS)), into: .send)
        assertThrows(.resourcesExhausted) { try sender.send(self.large) }
        XCTAssertEqual(FaultInjection.clear(), 0)
        try await Task(executorPreference: EventLoop.shared) {
            await Task.yield()
            try await sender.send([1])
        }.value
        await assertEqual([1]) { try? await receiver.receive(timeout: .seconds(20)) }
        XCTAssertNotNil(try receiver.packets.beginMove())
        // What tasks have sent goes as soon as there is memory again.
        FaultInjection.inject(.result(-Int64(ENOMEM)), into: .send, times: 3)
        let (another, itsReceiver) = try IPCChannel.makeBytes()
        try await Task(executorPreference: EventLoop.shared) {
            await Task.yield()
            try await another.send([2])
        }.value
        await assertEqual([2]) { try? await itsReceiver.receive(timeout: .seconds(20)) }
        XCTAssertEqual(FaultInjection.clear(), 0)
    }
    #endif
}
