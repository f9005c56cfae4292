// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

final class InProcessChannelTests: InterprocessTestCase {
    /// Wherever the oldest message is when there has to be more memory.
    func testMessagesKeepTheirOrderWhenMemoryGrows() {
        for taken in 0...8 {
            var ring = MessageRing<Int>()
            for number in 0..<8 { ring.append(number) }
            for number in 0..<taken { XCTAssertEqual(ring.removeFirst(), number) }
            for number in 8..<20 { ring.append(number) }
            for number in taken..<20 { XCTAssertEqual(ring.removeFirst(), number) }
            XCTAssertNil(ring.removeFirst())
        }
    }

    /// Tells when it goes.
    private final class Token: Codable, Sendable {
        let gone: Counter?
        let other: IPCSender<Token>?

        init(_ gone: Counter? = nil, _ other: IPCSender<Token>? = nil) { (self.gone, self.other) = (gone, other) }
        deinit { gone?.increment() }
        init(from decoder: any Decoder) throws { throw Refusal() }
        func encode(to encoder: any Encoder) throws { throw Refusal() }
        struct Refusal: Error {}
    }

    func testValuesAreNotEncoded() throws {
        let (sender, receiver) = try IPCChannel.makeInProcess(of: Token.self)
        let (gone, token) = (Counter(), Token())
        try sender.send(token)
        try sender.trySend(Token(gone))
        XCTAssertTrue(try receiver.receive() === token)
        XCTAssertEqual(gone.value, 0)
        _ = try receiver.tryReceive()
        XCTAssertEqual(gone.value, 1)
        XCTAssertNil(try receiver.tryReceive())
        try sender.flush()
        sender.close()
        assertThrows(.disconnected, .read) { try receiver.receive() }
        assertThrows(.disconnected, .read) { try receiver.tryReceive() }
        assertThrows(.closed, .write) { try sender.send(token) }
        assertThrows(.closed, .write) { try sender.flush() }
    }

    func testOrderAndBounds() throws {
        for capacity in [1, 2, 7, 100] {
            let (sender, receiver) = try IPCChannel.makeInProcess(of: Int.self, capacity: capacity)
            for start in [0, 3, 1000] {
                for number in 0..<capacity { try sender.trySend(start + number) }
                assertThrows(.wouldBlock, .write) { try sender.trySend(-1) }
                assertThrows(.timedOut, .write) { try sender.send(-1, timeout: .milliseconds(1)) }
                for number in 0..<capacity { XCTAssertEqual(try receiver.tryReceive(), start + number) }
                XCTAssertNil(try receiver.tryReceive())
                assertThrows(.timedOut, .read) { try receiver.receive(timeout: .milliseconds(1)) }
                // So that it does not always begin at the same place.
                try sender.send(0)
                XCTAssertEqual(try receiver.receive(), 0)
            }
        }
        assertThrows(.invalidArgument, .create) { _ = try IPCChannel.makeInProcess(of: Int.self, capacity: 0) }
        _ = withoutDescriptors { assertThrows(.resourcesExhausted) { _ = try IPCChannel.makeInProcess(of: Int.self) } }
    }

    func testTimeoutsOfTheEnds() throws {
        let (sender, receiver) = try IPCChannel.makeInProcess(of: Int.self, capacity: 1)
        sender.sendTimeout = .milliseconds(1)
        receiver.receiveTimeout = .milliseconds(1)
        assertThrows(.timedOut, .read) { try receiver.receive() }
        try sender.send(1)
        assertThrows(.timedOut, .write) { try sender.send(2) }
        XCTAssertEqual(try receiver.receive(), 1)
    }

    func testThreadsWaitForEachOther() throws {
        for capacity in [1, 5] {
            let (sender, receiver) = try IPCChannel.makeInProcess(of: [Int].self, capacity: capacity)
            let senders = (0..<3).map { thread in
                Running { for number in 0..<2000 { try sender.send([thread, number]) } }
            }
            let receivers = (0..<2).map { _ in
                Running {
                    var (next, count) = ([0, 0, 0], 0)
                    while let value = try? receiver.receive() {
                        XCTAssertGreaterThanOrEqual(value[1], next[value[0]])
                        next[value[0]] = value[1] + 1
                        count += 1
                    }
                    return count
                }
            }
            for sender in senders { try sender.value() }
            sender.close()
            XCTAssertEqual(try receivers.map { try $0.value() }.reduce(0, +), 6000)
        }
    }

    func testTasksWaitForEachOther() async throws {
        try await onEachExecutor {
            let (sender, receiver) = try IPCChannel.makeInProcess(of: Int.self, capacity: 3)
            let sending = (0..<3).map { _ in
                start { for number in 0..<1000 { try await sender.send(number) } }
            }
            let summing = (0..<2).map { _ in
                start {
                    var sum = 0
                    for try await number in receiver { sum += number }
                    return sum
                }
            }
            for task in sending { try await task.value }
            try await sender.flush()
            sender.close()
            var sum = 0
            for task in summing { sum += try await task.value }
            XCTAssertEqual(sum, 3 * 999 * 500)
        }
    }

    func testClosingEndsWaits() async throws {
        let (sender, receiver) = try IPCChannel.makeInProcess(of: Int.self, capacity: 1)
        let receiving = Running { try receiver.receive() }
        receiving.waitUntilBlocked()
        let awaiting = start { try await receiver.receive() }
        await waitUntilAwaited(receiver)
        receiver.close()
        assertThrows(.closed, .read) { try receiving.value() }
        await assertThrows(.closed, .read) { try await awaiting.value }
        assertThrows(.disconnected, .write) { try sender.send(1) }
        assertThrows(.closed, .read) { try receiver.tryReceive() }

        let (second, other) = try IPCChannel.makeInProcess(of: Int.self, capacity: 1)
        try second.trySend(1)
        let sending = Running { try second.send(2) }
        sending.waitUntilBlocked()
        let suspended = start { try await second.send(3) }
        await waitUntilAwaited(second)
        second.close()
        assertThrows(.closed, .write) { try sending.value() }
        await assertThrows(.closed, .write) { try await suspended.value }
        // What was sent is there, and nothing else.
        try await assertEqual(1) { try await other.receive() }
        await assertThrows(.disconnected, .read) { try await other.receive() }
    }

    /// Closed, and forgotten.
    func testTheOtherEndIsToldOfTheEnd() async throws {
        let (closing, told) = try IPCChannel.makeInProcess(of: Int.self)
        let receiving = Running { try told.receive() }
        receiving.waitUntilBlocked()
        closing.close()
        assertThrows(.disconnected, .read) { try receiving.value() }
        let gone = Counter()
        func make() throws -> IPCSender<Token> {
            let (sender, receiver) = try IPCChannel.makeInProcess(of: Token.self, capacity: 1)
            // One that has the way back in it goes with the receiver.
            try sender.send(Token(gone, sender))
            return withExtendedLifetime(receiver) { sender }
        }
        let sender = try make()
        XCTAssertEqual(gone.value, 1)
        assertThrows(.disconnected, .write) { try sender.send(Token()) }
        func makeOther() throws -> IPCReceiver<Int> {
            let (sender, receiver) = try IPCChannel.makeInProcess(of: Int.self)
            try sender.send(5)
            return receiver
        }
        let receiver = try makeOther()
        try await assertEqual(5) { try await receiver.receive() }
        await assertThrows(.disconnected) { try await receiver.receive() }
    }

    func testCancelling() async throws {
        try await onEachExecutor {
            let (sender, receiver) = try IPCChannel.makeInProcess(of: Int.self, capacity: 1)
            let receiving = start { try await receiver.receive() }
            await waitUntilAwaited(receiver)
            receiving.cancel()
            await assertThrows(.cancelled, .read) { try await receiving.value }
            try await sender.send(1)
            let sending = start { try await sender.send(2) }
            await waitUntilAwaited(sender)
            sending.cancel()
            await assertThrows(.cancelled, .write) { try await sending.value }
            await assertThrows(.timedOut, .write) { try await sender.send(3, timeout: .milliseconds(1)) }
            try await assertEqual(1) { try await receiver.receive() }
            await assertThrows(.timedOut, .read) { try await receiver.receive(timeout: .milliseconds(1)) }
            // Those who have given up have left nothing behind that would keep others from waiting.
            let last = start { try await receiver.receive() }
            await waitUntilAwaited(receiver)
            try await sender.send(4)
            try await assertEqual(4) { try await last.value }
        }
    }

    func testItsEndsStayInTheProcess() throws {
        struct Ends: Codable, Sendable {
            var sender: IPCSender<Int>?
            var receiver: IPCReceiver<Int>?
        }
        let (sender, receiver) = try IPCChannel.makeInProcess(of: Int.self)
        let (ends, inbox) = try IPCChannel.make(of: Ends.self)
        assertThrows(.unsupported, .encode) { try ends.send(Ends(sender: sender)) }
        assertThrows(.unsupported, .encode) { try ends.send(Ends(receiver: receiver)) }
        XCTAssertNil(try inbox.tryReceive())
        // By one of its own kind they go as they are.
        let (near, far) = try IPCChannel.makeInProcess(of: Ends.self)
        try near.send(Ends(sender: sender, receiver: receiver))
        let got = try far.receive()
        XCTAssertTrue(got.sender === sender)
        try got.sender?.send(5)
        XCTAssertEqual(try receiver.receive(), 5)
    }

    /// Beside channels whose values are coded, and waited for in both ways.
    func testInAGroup() async throws {
        let group = try IPCReceiverGroup()
        let (near, nearReceiver) = try IPCChannel.makeInProcess(of: [Int].self)
        let (coded, codedReceiver) = try IPCChannel.make(of: Int.self)
        try near.trySend([1])
        let (first, second) = (try group.add(nearReceiver), try group.add(codedReceiver))
        assertThrows(.alreadyExists) { try group.add(nearReceiver) }
        try near.trySend([2])
        try coded.trySend(3)
        var got: [IPCReceiverGroup.ID: [Int]] = [:]
        while let event = try group.tryNext() {
            guard case .message(let id, let message) = event else { return XCTFail("\(event)") }
            got[id, default: []] +=
                id == first ? try message.decode(as: [Int].self) : [try message.decode(as: Int.self)]
        }
        XCTAssertEqual(got, [first: [1, 2], second: [3]])

        let blocking = Running { try group.next() as IPCReceiverGroup.Event }
        blocking.waitUntilBlocked()
        try near.trySend([4])
        guard case .message(first, let message) = try blocking.value() else { return XCTFail() }
        assertThrows(.decodingFailed) { try message.decode(as: String.self) }
        XCTAssertEqual(try message.decode(as: [Int].self), [4])
        let awaiting = start { try await group.next() }
        await waitUntilAwaited(group)
        near.close()
        guard case .closed(first) = try await awaiting.value else { return XCTFail() }
        XCTAssertEqual(group.count, 1)
    }

    func testAGroupIsToldOfItsOwnEnds() throws {
        let group = try IPCReceiverGroup()
        let (sender, receiver) = try IPCChannel.makeInProcess(of: Int.self)
        let id = try group.add(receiver)
        XCTAssertNil(try group.tryNext())
        let waiting = Running { try group.next() as IPCReceiverGroup.Event }
        waiting.waitUntilBlocked()
        receiver.close()
        guard case .closed(id) = try waiting.value() else { return XCTFail() }
        assertThrows(.disconnected) { try sender.send(1) }
        assertThrows(.closed) { try group.add(receiver) }
        // Taken out, it is one's own again.
        let other = try IPCChannel.makeInProcess(of: Int.self)
        group.remove(try group.add(other.receiver))
        try other.sender.send(2)
        XCTAssertNil(try group.tryNext())
        XCTAssertEqual(try other.receiver.receive(), 2)
    }

    func testInARouter() throws {
        let router = try IPCRouter()
        let (sender, receiver) = try IPCChannel.makeInProcess(of: Int.self, capacity: 4)
        let (doubles, results) = try IPCChannel.makeInProcess(of: Int.self)
        try router.add(receiver) {
            try doubles.send($0 * 2)
        } onEnd: { _ in
            doubles.close()
        }
        for number in 1...200 { try sender.send(number) }
        for number in 1...200 { XCTAssertEqual(try results.receive(), 2 * number) }
        sender.close()
        assertThrows(.disconnected) { try results.receive() }
        router.shutdown()
    }
}
