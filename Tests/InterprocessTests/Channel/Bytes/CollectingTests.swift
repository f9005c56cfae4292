// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

private func onLoop<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
    try await Task(executorPreference: EventLoop.shared) {
        // The preference holds from the first suspension on.
        await Task.yield()
        return try await body()
    }.value
}

/// The code of the error that a body throws.
private func code(_ body: () async throws -> Void) async -> IPCError.Code? {
    do { try await body() } catch { return (error as? IPCError)?.code }
    return nil
}

/// Messages that tasks send on an event loop's thread go together at the end of its turn.
final class CollectingTests: InterprocessTestCase {
    func testOnePacketForManyMessages() async throws {
        let (sender, receiver) = try IPCChannel.makeBytes()
        try await onLoop {
            for number in 0..<50 { try await sender.send([UInt8(number)]) }
            // The turn has not ended.
            XCTAssertNil(try receiver.tryReceive())
        }
        var packet = [UInt8](repeating: 0, count: 1 << 16)
        try await onLoop { await Task.yield() }
        let count = try receiver.withUnsafeDescriptor { recv($0, &packet, packet.count, Int32(MSG_PEEK)) }
        XCTAssertEqual(count, 50 * 9)
        for number in 0..<50 {
            let message = try await receiver.receive()
            XCTAssertEqual(message, [UInt8(number)])
        }
    }

    func testMoreThanAPacket() async throws {
        let (sender, receiver) = try IPCChannel.makeBytes()
        let sending = start {
            try await onLoop {
                for number in 0..<3000 {
                    try await sender.send([UInt8](repeating: UInt8(number % 251), count: 1000))
                }
            }
        }
        for number in 0..<3000 {
            let message = try await receiver.receive()
            XCTAssertEqual(message, [UInt8](repeating: UInt8(number % 251), count: 1000))
        }
        try await sending.value
    }

    /// Whoever sends at once, or what is too large to be collected, does not overtake what is.
    func testOrder() async throws {
        let (sender, receiver) = try IPCChannel.makeBytes()
        try await onLoop {
            try await sender.send([1])
            try sender.trySend([2])
            try await sender.send([3])
            try await sender.send([UInt8](repeating: 4, count: 70_000))
            try await sender.send([5])
            try await sender.flush()
            XCTAssertEqual(try receiver.tryReceive(), [1])
        }
        var firsts: [UInt8] = []
        for _ in 0..<4 { firsts.append(try await receiver.receive()[0]) }
        XCTAssertEqual(firsts, [2, 3, 4, 5])
    }

    func testCloseSendsWhatIsCollected() async throws {
        let (sender, receiver) = try IPCChannel.makeBytes()
        try await onLoop {
            try await sender.send([1])
            sender.close()
            let refusal = await code { try await sender.send([2]) }
            XCTAssertEqual(refusal, .closed)
        }
        let message = try await receiver.receive()
        XCTAssertEqual(message, [1])
        await assertThrows(.disconnected) { try await receiver.receive() }
    }

    /// Even when there is no room for it yet, and nobody holds the sender any more.
    func testCloseOfAFullChannel() async throws {
        let (sender, receiver) = try IPCChannel.makeBytes()
        let message = [UInt8](repeating: 7, count: 60_000)
        var sent = 0
        while (try? sender.trySend(message)) != nil { sent += 1 }
        try await onLoop {
            try await sender.send([1])
            sender.close()
        }
        for _ in 0..<sent {
            let received = try await receiver.receive()
            XCTAssertEqual(received.count, 60_000)
        }
        let last = try await receiver.receive()
        XCTAssertEqual(last, [1])
        await assertThrows(.disconnected) { try await receiver.receive() }
    }

    #if INTERPROCESS_FAULT_INJECTION
    /// What is collected goes as soon as the system has memory for it.
    func testWantOfMemoryPasses() async throws {
        defer { FaultInjection.clear() }
        let (sender, receiver) = try IPCChannel.makeBytes()
        FaultInjection.inject(.result(-Int64(ENOBUFS)), into: .send, times: 3)
        try await onLoop { try await sender.send([1]) }
        let first = try await receiver.receive(timeout: .seconds(20))
        XCTAssertEqual(first, [1])
        XCTAssertEqual(FaultInjection.clear(), 0)
        try await onLoop {
            try await sender.send([2])
            FaultInjection.inject(.result(-Int64(ENOMEM)), into: .send)
            let refusal = await code { try await sender.flush() }
            XCTAssertEqual(refusal, .resourcesExhausted)
            sender.close()
        }
        let second = try await receiver.receive(timeout: .seconds(20))
        XCTAssertEqual(second, [2])
        await assertThrows(.disconnected) { try await receiver.receive(timeout: .seconds(20)) }
    }
    #endif

    func testALostPeerIsTold() async throws {
        let (sender, receiver) = try IPCChannel.makeBytes()
        try await onLoop {
            receiver.close()
            // This one is taken, and the next call tells that it was in vain.
            try await sender.send([1])
            for again in [true, false] {
                let refusal = await code { again ? try await sender.flush() : try await sender.send([2]) }
                XCTAssertEqual(refusal, .disconnected)
            }
        }
        await assertThrows(.disconnected) { try await sender.send([3]) }
    }
}
