// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

/// Receivers of values in groups, and what ipc-channel's tests say of receiver sets.
final class TypedGroupTests: InterprocessTestCase {
    /// Two receivers: what comes in the one has its name; with both pending each is told of once.
    func testSelect() throws {
        let group = try IPCReceiverGroup()
        let (first, second) = (try IPCChannel.make(of: String.self), try IPCChannel.make(of: [Int].self))
        let (one, two) = (try group.add(first.receiver), try group.add(second.receiver))
        try first.sender.send("x")
        guard case .message(one, let text) = try group.next() else { return XCTFail() }
        XCTAssertEqual(try text.decode(as: String.self), "x")
        try second.sender.send([7])
        guard case .message(two, let numbers) = try group.next() else { return XCTFail() }
        XCTAssertEqual(try numbers.decode(as: [Int].self), [7])
        // As another type it is an error, and the message is not lost by it.
        assertThrows(.decodingFailed) { try numbers.decode(as: String.self) }
        XCTAssertEqual(try numbers.decode(as: [Int].self), [7])

        try first.sender.send("y")
        try second.sender.send([8])
        var heard: Set<IPCReceiverGroup.ID> = []
        for _ in 0..<2 { if case .message(let id, _) = try group.next() { heard.insert(id) } }
        XCTAssertEqual(heard, [one, two])
        XCTAssertNil(try group.tryNext())
    }

    func testTrySelect() throws {
        let group = try IPCReceiverGroup()
        let (sender, receiver) = try IPCChannel.make(of: Int.self)
        let id = try group.add(receiver)
        XCTAssertNil(try group.tryNext())
        try sender.send(1)
        guard case .message(id, _)? = try group.tryNext() else { return XCTFail() }
        XCTAssertNil(try group.tryNext())
        sender.close()
        guard case .closed(id)? = try group.tryNext() else { return XCTFail() }
        XCTAssertNil(try group.tryNext())
        XCTAssertEqual(group.count, 0)
    }

    func testSelectWithTimeout() throws {
        let group = try IPCReceiverGroup()
        let (sender, receiver) = try IPCChannel.make(of: Int.self)
        let id = try group.add(receiver)
        let clock = ContinuousClock()
        let empty = clock.measure { assertThrows(.timedOut) { try group.next(timeout: .milliseconds(10)) } }
        XCTAssertGreaterThanOrEqual(empty, .milliseconds(10))
        try sender.send(1)
        guard case .message(id, _) = try group.next(timeout: .seconds(10)) else { return XCTFail() }
        sender.close()
        guard case .closed(id) = try group.next(timeout: .seconds(10)) else { return XCTFail() }
        assertThrows(.timedOut) { try group.next(timeout: .milliseconds(1)) }
    }

    func testClosedBeforeAndAfterAdding() throws {
        let group = try IPCReceiverGroup()
        let (before, after) = (try IPCChannel.make(of: Int.self), try IPCChannel.make(of: Int.self))
        before.sender.close()
        let ids = [try group.add(before.receiver), try group.add(after.receiver)]
        after.sender.close()
        var closed: Set<IPCReceiverGroup.ID> = []
        for _ in ids { if case .closed(let id) = try group.next() { closed.insert(id) } }
        XCTAssertEqual(closed, Set(ids))
    }

    func testEmptyAndLargeMessages() throws {
        let group = try IPCReceiverGroup()
        let channels = try (0..<2).map { _ in try IPCChannel.makeBytes() }
        let ids = try channels.map { try group.add($0.receiver) }
        try channels[0].sender.send([UInt8]())
        guard case .message(ids[0], let empty) = try group.next() else { return XCTFail() }
        XCTAssertEqual(empty.bytes, [])
        // Of the size that fills a packet; and more than a socket has room for, from two at the same time.
        for size in [FrameHead.maximumPacket - FrameHead.size, 1 << 20] {
            let senders = channels.enumerated().map { number, channel in
                Running { try channel.sender.send([UInt8](repeating: UInt8(number), count: size)) }
            }
            var heard: Set<IPCReceiverGroup.ID> = []
            for _ in ids {
                guard case .message(let id, let message) = try group.next() else { return XCTFail() }
                let number = UInt8(try XCTUnwrap(ids.firstIndex(of: id)))
                XCTAssertTrue(message.bytes == [UInt8](repeating: number, count: size))
                heard.insert(id)
            }
            XCTAssertEqual(heard, Set(ids))
            for sender in senders { try sender.value() }
        }
    }

    /// Five channels of a hundred messages: order and content of each, and closed only after the last.
    func testManyMessagesOfRandomSizes() throws {
        let group = try IPCReceiverGroup()
        let sizes = (0..<5).map { _ in (0..<100).map { _ in Int.random(in: 0...16_381) } }
        let channels = try sizes.map { _ in try IPCChannel.makeBytes() }
        let ids = try channels.map { try group.add($0.receiver) }
        let senders = zip(channels, sizes).map { channel, sizes in
            let sender = channel.sender
            return Running {
                for (number, size) in sizes.enumerated() {
                    try sender.send([UInt8](repeating: UInt8(number), count: size))
                }
                sender.close()
            }
        }
        var received = ids.map { _ in 0 }
        while group.count > 0 {
            switch try group.next() {
            case .message(let id, let message):
                let channel = try XCTUnwrap(ids.firstIndex(of: id))
                let number = received[channel]
                XCTAssertTrue(message.bytes == [UInt8](repeating: UInt8(number), count: sizes[channel][number]))
                received[channel] += 1
            case .closed(let id): XCTAssertEqual(received[try XCTUnwrap(ids.firstIndex(of: id))], 100)
            case .failed(_, let error): XCTFail("\(error)")
            }
        }
        XCTAssertEqual(received, [100, 100, 100, 100, 100])
        for sender in senders { try sender.value() }
    }

    /// A process that is stopped and goes on in the middle of waiting goes on waiting.
    func testStoppedWhileWaiting() throws {
        let child = try SpawnTests.spawn("select-for-parent")
        XCTAssertEqual(try child.stream.readLine(), "waits")
        for _ in 0..<3 {
            try waitUntilAsleep(child.processIdentifier)
            kill(child.processIdentifier, SIGSTOP)
            try waitUntil(child.processIdentifier, isIn: "T")
            kill(child.processIdentifier, SIGCONT)
        }
        try child.stream.writeAll("go\n")
        XCTAssertEqual(try child.stream.readLine(), "message")
        XCTAssertEqual(try child.stream.readLine(), "closed")
        XCTAssertEqual(try child.wait(), .exited(0))
    }

    private func waitUntilAsleep(_ process: Int32) throws { try waitUntil(process, isIn: "S") }

    private func waitUntil(_ process: Int32, isIn state: String) throws {
        #if os(Linux)
        let end = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < end {
            let status = try String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
            if status.split(separator: ")").last?.split(separator: " ").first == Substring(state) { return }
            usleep(500)
        }
        XCTFail("the process did not come into the state \(state)")
        #else
        usleep(50_000)
        #endif
    }

    /// Members that close here, or move to another process, leave the group, which is told though others have the channel.
    func testMembersThatCloseHereOrMove() throws {
        let group = try IPCReceiverGroup()
        let (carrier, carried) = try IPCChannel.make(of: IPCReceiver<Int>.self)
        let channels = try (0..<2).map { _ in try IPCChannel.make(of: Int.self) }
        let ids = try channels.map { try group.add($0.receiver) }
        let waiting = Running { [try group.next(), try group.next()] }
        waiting.waitUntilBlocked()
        try carrier.send(channels[0].receiver)
        // Somebody else has the second one, too, and does not receive what is in it.
        let copy = try channels[1].receiver.withUnsafeDescriptor { dup($0) }
        defer { close(copy) }
        channels[1].receiver.close()
        let closed = try waiting.value().map { event in
            if case .closed(let id) = event { return id }
            XCTFail("\(event)")
            return ids[0]
        }
        XCTAssertEqual(Set(closed), Set(ids))
        for channel in channels { try channel.sender.send(7) }
        XCTAssertEqual(try carried.receive().receive(), 7)
        assertThrows(.timedOut) { try group.next(timeout: .milliseconds(1)) }
        // The kernel has nothing to tell any more, over and over.
        XCTAssertFalse(isReadable(try group.withUnsafeDescriptor { $0 }))
        XCTAssertEqual(group.count, 0)
    }

    private func isReadable(_ descriptor: Int32) -> Bool {
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&request, 1, 0) > 0
    }

    func testOneGroupAtATime() throws {
        let (group, other) = (try IPCReceiverGroup(), try IPCReceiverGroup())
        let (sender, receiver) = try IPCChannel.make(of: Int.self)
        let id = try group.add(receiver)
        assertThrows(.alreadyExists) { try other.add(receiver) }
        assertThrows(.alreadyExists) { try group.add(receiver.erased) }
        XCTAssertTrue(group.remove(id) === receiver)
        try other.add(receiver)
        other.close()
        let last = try group.add(receiver)
        XCTAssertNotEqual(last, id)
        try sender.send(1)
        guard case .message(last, _) = try group.next() else { return XCTFail() }
    }
}
