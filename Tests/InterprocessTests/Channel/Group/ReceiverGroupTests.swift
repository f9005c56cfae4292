// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

final class ReceiverGroupTests: InterprocessTestCase {
    private func describe(_ event: IPCReceiverGroup.Event, _ ids: [IPCReceiverGroup.ID]) -> String {
        func place(_ id: IPCReceiverGroup.ID) -> String { ids.firstIndex(of: id).map { "\($0)" } ?? "?" }
        return switch event {
        case .message(let id, let message): place(id) + " got \(message.bytes)"
        case .failed(let id, let error): place(id) + " failed \(error.code)"
        case .closed(let id): place(id) + " closed"
        }
    }

    func testMessagesOfSeveral() throws {
        let group = try IPCReceiverGroup()
        let channels = try (0..<3).map { _ in try IPCChannel.makeBytes() }
        let ids = try channels.map { try group.add($0.receiver) }
        XCTAssertEqual(group.count, 3)
        XCTAssertEqual(Set(ids).count, 3)
        assertThrows(.timedOut) { try group.next(timeout: .milliseconds(1)) }
        try channels[1].sender.send([1])
        XCTAssertEqual(describe(try group.next(), ids), "1 got [1]")
        try channels[2].sender.send([2])
        XCTAssertEqual(describe(try group.next(), ids), "2 got [2]")
        try channels[0].sender.send([3])
        channels[0].sender.close()
        XCTAssertEqual(describe(try group.next(), ids), "0 got [3]")
        XCTAssertEqual(describe(try group.next(), ids), "0 closed")
        XCTAssertEqual(group.count, 2)
        XCTAssertNil(group.remove(ids[0]))
        XCTAssertTrue(group.remove(ids[1]) === channels[1].receiver)
        try channels[1].sender.send([4])
        assertThrows(.timedOut) { try group.next(timeout: .milliseconds(1)) }
        XCTAssertEqual(try channels[1].receiver.receive(), [4])
        // A name is not used again.
        XCTAssertFalse(ids.contains(try group.add(channels[1].receiver)))
        assertThrows(.alreadyExists) { try group.add(channels[1].receiver) }
    }

    func testAwaiting() async throws {
        let group = try IPCReceiverGroup()
        let (sender, receiver) = try IPCChannel.makeBytes()
        let waiting = RunningTask { try await group.next() }
        await waitUntilAwaited(group)
        // Added while it waits, and with something to receive already.
        try await sender.send([7])
        let id = try group.add(receiver)
        let event = try await waiting.value()
        XCTAssertEqual(describe(event, [id]), "0 got [7]")
        await assertThrows(.timedOut) { try await group.next(timeout: .milliseconds(1)) }
        let cancelled = RunningTask { try await group.next() }
        await waitUntilAwaited(group)
        cancelled.cancel()
        await assertThrows(.cancelled) { try await cancelled.value() }
        let closed = RunningTask { try await group.next() }
        await waitUntilAwaited(group)
        group.close()
        await assertThrows(.closed) { try await closed.value() }
        assertThrows(.closed) { try group.add(receiver) }
        try await sender.send([8])
        let message = try await receiver.receive()
        XCTAssertEqual(message, [8])
    }

    func testCloseEndsABlockedCall() throws {
        let group = try IPCReceiverGroup()
        let (sender, receiver) = try IPCChannel.makeBytes()
        try group.add(receiver)
        let blocked = Running { try group.next() }
        blocked.waitUntilBlocked()
        group.close()
        assertThrows(.closed) { try blocked.value() }
        XCTAssertNil(group.remove(try IPCReceiverGroup().add(receiver)))
        sender.close()
    }

    /// One that has much does not keep the others waiting.
    func testTurns() throws {
        let group = try IPCReceiverGroup()
        let channels = try (0..<3).map { _ in try IPCChannel.makeBytes() }
        let ids = try channels.map { try group.add($0.receiver) }
        for _ in 0..<20 { try channels[0].sender.send([0]) }
        for _ in 0..<2 { for number in 1..<3 { try channels[number].sender.send([UInt8(number)]) } }
        var order: [String] = []
        for _ in 0..<8 { order.append(describe(try group.next(), ids)) }
        for number in 1..<3 { XCTAssertEqual(order.filter { $0 == "\(number) got [\(number)]" }.count, 2, "\(order)") }
    }

    func testWhatCannotBeUsedIsToldAndTheMemberStays() throws {
        let group = try IPCReceiverGroup()
        let (sender, receiver) = try IPCChannel.makeBytes()
        let id = try group.add(receiver)
        XCTAssertEqual(try sender.withUnsafeDescriptor { write($0, "x", 1) }, 1)
        XCTAssertEqual(describe(try group.next(), [id]), "0 failed protocolViolation")
        try sender.send([1])
        XCTAssertEqual(describe(try group.next(), [id]), "0 got [1]")
    }

    /// A message that has stopped in the middle holds up neither the group nor its channel.
    func testAStalledMessage() throws {
        let group = try IPCReceiverGroup()
        let channels = try (0..<2).map { _ in try IPCChannel.makeBytes() }
        let ids = try channels.map { try group.add($0.receiver) }
        let child = try ChildProcess.built(
            "test-helper",
            ["send-messages", "5", "1", "\(32 << 20)"],
            keeping: [(try channels[0].sender.withUnsafeDescriptor { $0 }, 5)]
        )
        while try channels[0].receiver.withUnsafeDescriptor({ isReadable($0) }) == false {}
        child.kill(SIGSTOP)
        try channels[1].sender.send([1])
        XCTAssertEqual(describe(try group.next(timeout: .seconds(10)), ids), "1 got [1]")
        assertThrows(.timedOut) { try group.next(timeout: .milliseconds(1)) }
        // There is room again: the group has received what was sent of the large one.
        try channels[0].sender.send([2])
        XCTAssertEqual(describe(try group.next(timeout: .seconds(10)), ids), "0 got [2]")
        child.kill(SIGCONT)
        guard case .message(let id, let message) = try group.next(timeout: .seconds(20)) else { return XCTFail() }
        XCTAssertEqual(id, ids[0])
        XCTAssertEqual(message.bytes.count, 32 << 20)
    }

    func testMany() throws {
        let group = try IPCReceiverGroup()
        let channels = try (0..<400).map { _ in try IPCChannel.makeBytes() }
        let ids = try channels.map { try group.add($0.receiver) }
        for (number, channel) in channels.enumerated() { try channel.sender.send([UInt8(number % 256)]) }
        var heard: Set<IPCReceiverGroup.ID> = []
        for _ in ids {
            guard case .message(let id, let message) = try group.next() else { return XCTFail() }
            XCTAssertEqual(message.bytes, [UInt8(ids.firstIndex(of: id)! % 256)])
            heard.insert(id)
        }
        XCTAssertEqual(heard, Set(ids))
        for channel in channels { channel.sender.close() }
        for _ in ids {
            guard case .closed(let id) = try group.next() else { return XCTFail() }
            heard.remove(id)
        }
        XCTAssertEqual(heard, [])
        XCTAssertEqual(group.count, 0)
    }

    func testThreadsAddAndRemove() throws {
        let group = try IPCReceiverGroup()
        let threads = (0..<4).map { _ in
            Running {
                for _ in 0..<200 {
                    let (sender, receiver) = try IPCChannel.makeBytes()
                    let id = try group.add(receiver)
                    try sender.send([1])
                    group.remove(id)
                }
            }
        }
        let (sender, receiver) = try IPCChannel.makeBytes()
        let last = try group.add(receiver)
        for thread in threads { try thread.value() }
        try sender.send([2])
        sender.close()
        while true {
            switch try group.next(timeout: .seconds(10)) {
            case .closed(let id) where id == last: return XCTAssertEqual(group.count, 0)
            case .message(_, let message): XCTAssertTrue([[1], [2]].contains(message.bytes))
            case .closed: break
            case .failed(_, let error): return XCTFail("\(error)")
            }
        }
    }
}

private func isReadable(_ descriptor: Int32) -> Bool {
    var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&request, 1, 10) > 0
}
