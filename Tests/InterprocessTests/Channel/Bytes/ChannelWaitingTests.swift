// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

/// How long channels wait, and what disturbs them.
final class ChannelWaitingTests: InterprocessTestCase {
    /// Times shorter than a millisecond are not cut to none.
    func testShortTimeoutsAreWaitedFor() async throws {
        let limit = Duration.microseconds(900)
        func assertWaits(line: UInt = #line, _ body: () async throws -> Void) async {
            let start = ContinuousClock.now
            await assertThrows(.timedOut, line: line, body)
            XCTAssertGreaterThanOrEqual(ContinuousClock.now - start, limit, line: line)
        }
        let (sender, receiver) = try IPCChannel.makeBytes()
        let (full, near) = try IPCChannel.makeInProcess(of: Int.self, capacity: 1)
        try full.trySend(1)
        while (try? sender.trySend([UInt8](repeating: 0, count: 60_000))) != nil {}
        let group = try IPCReceiverGroup()
        let (pool, reader) = try SharedRegionPool.make(slotCount: 1, slotSize: 1)
        let slot = try await pool.take()
        defer { withExtendedLifetime((receiver, near, reader)) {} }
        for _ in 0..<10 {
            await assertWaits { try await sender.send([1], timeout: limit) }
            await assertWaits { _ = try await group.next(timeout: limit) }
            await assertWaits { _ = try await pool.take(timeout: limit) }
            await assertWaits { try await full.send(1, timeout: limit) }
            await assertWaits { try Running { try sender.send([1], timeout: limit) }.value() }
            await assertWaits { try Running { _ = try group.next(timeout: limit) }.value() }
            await assertWaits { try Running { _ = try pool.take(timeout: limit) }.value() }
            await assertWaits { try Running { try full.send(1, timeout: limit) }.value() }
        }
        _ = consume slot
    }

    func testShortTimeoutsOfReceivers() async throws {
        let limit = Duration.microseconds(900)
        let (sender, receiver) = try IPCChannel.makeBytes()
        let (values, valueReceiver) = try IPCChannel.make(of: Int.self)
        for _ in 0..<10 {
            for isAwaited in [false, true] {
                let start = ContinuousClock.now
                if isAwaited {
                    await assertThrows(.timedOut, .read) { _ = try await receiver.receive(timeout: limit) }
                    await assertThrows(.timedOut, .read) { _ = try await valueReceiver.receive(timeout: limit) }
                } else {
                    assertThrows(.timedOut, .read) { try Running { try receiver.receive(timeout: limit) }.value() }
                    assertThrows(.timedOut, .read) { try Running { try valueReceiver.receive(timeout: limit) }.value() }
                }
                XCTAssertGreaterThanOrEqual(ContinuousClock.now - start, limit * 2)
            }
        }
        withExtendedLifetime((sender, values)) {}
    }

    func testSignalsDisturbNothing() throws {
        let (sender, theirs) = try IPCChannel.makeBytes()
        let (back, receiver) = try IPCChannel.makeBytes()
        let numbers = (try theirs.withUnsafeDescriptor { $0 }, try back.withUnsafeDescriptor { $0 })
        let child = try ChildProcess.helper(
            "echo-messages-in-storm",
            "50",
            "51",
            keeping: [(numbers.0, 50), (numbers.1, 51)]
        )
        theirs.close()
        back.close()
        XCTAssertEqual(child.readLine(), "ready")
        let sizes = (0..<200).map { [1, 1000, 65_528, 70_000, 300_000][$0 % 5] }
        let sending = Running {
            for (number, size) in sizes.enumerated() {
                try sender.send([UInt8](repeating: UInt8(number), count: size))
            }
            sender.close()
        }
        for (number, size) in sizes.enumerated() {
            let message = try receiver.receive(timeout: .seconds(30))
            XCTAssertEqual(message, [UInt8](repeating: UInt8(number), count: size))
        }
        try sending.value()
        XCTAssertEqual(child.readLine(), "disconnected after 200")
        let signals = try XCTUnwrap(child.readLine()?.split(separator: " ").last.flatMap { Int($0) })
        XCTAssertGreaterThan(signals, 10)
    }

    /// Those who wait for room go on in their order.
    func testSuspendedSendersGoOnInOrder() async throws {
        let (sender, receiver) = try IPCChannel.makeBytes()
        let filler = [UInt8](repeating: 0, count: 60_000)
        var sent = 0
        while (try? sender.trySend(filler)) != nil { sent += 1 }
        var waiting: [Task<Void, any Error>] = []
        for number in 1...4 as ClosedRange<UInt8> {
            waiting.append(start { try await sender.send([number]) })
            await waitUntilAwaited(sender, by: waiting.count)
        }
        waiting[1].cancel()
        await assertThrows(.cancelled, .write) { try await waiting[1].value }
        for _ in 0..<sent {
            let message = try await receiver.receive()
            XCTAssertEqual(message.count, filler.count)
        }
        for number in [1, 3, 4] as [UInt8] {
            let message = try await receiver.receive(timeout: .seconds(30))
            XCTAssertEqual(message, [number])
        }
        for index in [0, 2, 3] { try await waiting[index].value }
    }

    /// A sender that stops in the middle of a message keeps nobody waiting longer than they want to.
    func testASenderThatStops() async throws {
        let (sender, receiver) = try IPCChannel.makeBytes()
        let number = try sender.withUnsafeDescriptor { $0 }
        let child = try ChildProcess.helper("send-messages", "5", "1", "\(32 << 20)", keeping: [(number, 5)])
        // It has begun when there is something, and is in the middle of it when there is no room for more.
        try receiver.withUnsafeDescriptor { number in
            var request = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
            XCTAssertEqual(poll(&request, 1, 30_000), 1)
        }
        while (try? sender.trySend([0])) != nil {}
        child.kill(SIGSTOP)
        var status: Int32 = 0
        XCTAssertEqual(waitpid(child.pid, &status, WUNTRACED), child.pid)
        while try receiver.tryReceive() != nil {}
        XCTAssertNil(try receiver.tryReceive())
        assertThrows(.timedOut) { try Running { try receiver.receive(timeout: .milliseconds(5)) }.value() }
        await assertThrows(.timedOut) { try await receiver.receive(timeout: .milliseconds(5)) }
        try await sender.send([7])
        try await assertEqual([7]) { try await receiver.receive() }
        let group = try IPCReceiverGroup()
        try group.add(receiver)
        await assertThrows(.timedOut) { try await group.next(timeout: .milliseconds(5)) }
        try await sender.send([8])
        guard case .message(_, let message) = try await group.next() else { return XCTFail("no message") }
        XCTAssertEqual(message.bytes, [8])
        child.kill(SIGCONT)
        guard case .message(_, let large) = try await group.next(timeout: .seconds(30)) else {
            return XCTFail("no message")
        }
        XCTAssertEqual(large.bytes.count, 32 << 20)
        group.close()
    }
}
