// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

/// Channels between processes.
final class ChannelProcessTests: InterprocessTestCase {
    private func start(_ role: String, _ end: any DescriptorOwner, _ arguments: String...) throws -> ChildProcess {
        let number = try end.withUnsafeDescriptor { $0 }
        return try ChildProcess.built("test-helper", [role, "5"] + arguments, keeping: [(number, 5)])
    }

    func testEndpointsTravel() throws {
        let (sender, theirs) = try IPCChannel.makeBytes()
        let (answers, receiver) = try IPCChannel.makeBytes()
        let child = try start("echo-messages", theirs)
        theirs.close()
        XCTAssertEqual(child.readLine(), "ready")
        try sender.send([1], with: [answers])
        answers.close()
        XCTAssertEqual(try receiver.receive(timeout: .seconds(10)), [1])
        for size in [0, 1, 1000, 65_528, 65_529, 1 << 20] {
            let message = [UInt8](repeating: UInt8(size % 255), count: size)
            try sender.send(message)
            XCTAssertEqual(try receiver.receive(timeout: .seconds(20)), message)
        }
        sender.close()
        // The child is told, ends, and takes the last sender with it.
        XCTAssertEqual(child.readLine(), "disconnected")
        assertThrows(.disconnected) { try receiver.receive(timeout: .seconds(10)) }
    }

    func testSendersInSeveralProcesses() throws {
        let (sender, receiver) = try IPCChannel.makeBytes()
        let sizes = [10, 2000, 100_000, 300_000]
        let children = try sizes.map { try start("send-messages", sender, "50", "\($0)") }
        sender.close()
        var next = [Int: UInt8]()
        for _ in 0..<50 * sizes.count {
            let message = try receiver.receive(timeout: .seconds(20))
            let number = next[message.count, default: 0]
            XCTAssertEqual(message, [UInt8](repeating: number, count: message.count))
            next[message.count] = number + 1
        }
        assertThrows(.disconnected) { try receiver.receive(timeout: .seconds(10)) }
        XCTAssertEqual(next.keys.sorted(), sizes)
        for child in children { XCTAssertEqual(child.wait(), 0) }
    }

    /// A sender that is killed in the middle of a message takes that along, and nothing else.
    func testASenderIsKilled() throws {
        let (sender, receiver) = try IPCChannel.makeBytes()
        let child = try start("send-messages", sender, "1", "\(32 << 20)")
        while try receiver.withUnsafeDescriptor({ poll($0) }) == false {}
        child.kill()
        child.wait()
        // There may be no room before what was sent of it is received.
        let sending = Running { try sender.send([1]) }
        XCTAssertEqual(try receiver.receive(timeout: .seconds(10)), [1])
        try sending.value()
        XCTAssertNil(try receiver.tryReceive())
        sender.close()
        assertThrows(.disconnected) { try receiver.receive(timeout: .seconds(10)) }
    }

    func testTheReceiverIsKilled() throws {
        let (sender, theirs) = try IPCChannel.makeBytes()
        let child = try start("echo-messages", theirs)
        theirs.close()
        XCTAssertEqual(child.readLine(), "ready")
        child.kill(SIGSTOP)
        let sending = Running { try sender.send([UInt8](repeating: 1, count: 64 << 20)) }
        sending.waitUntilBlocked()
        child.kill()
        assertThrows(.disconnected) { try sending.value() }
    }

    func testDescriptorsOfAllKinds() throws {
        let (sender, receiver) = try IPCChannel.makeBytes()
        let region = try SharedRegion(copying: Array("in memory".utf8).span.bytes)
        let (pipe, end) = try UnnamedPipe.create()
        try sender.send([UInt8](repeating: 9, count: 200_000), with: [region, end, sender])
        region.close()
        end.close()
        let message = try receiver.receiveMessage()
        XCTAssertEqual(message.bytes.count, 200_000)
        XCTAssertEqual(message.descriptorCount, 3)
        let arrived = try SharedRegion(adopting: message.takeDescriptor(0).detach())
        XCTAssertEqual(arrived.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }, "in memory")
        try pipe.writeAll("through the pipe\n")
        XCTAssertEqual(try UnnamedPipeReceiver(adopting: message.takeDescriptor(1)).readLine(), "through the pipe")
        assertThrows(.invalidArgument) { try message.takeDescriptor(1) }
        assertThrows(.invalidArgument) { try message.takeDescriptor(3) }
        // The third one is closed with the message, as the end of the test finds out.
        assertThrows(.invalidArgument) { try IPCBytesSender(adopting: IPCDescriptor(adopting: dup(0))) }
    }

    func testAsManyDescriptorsAsThereCanBe() throws {
        let (sender, receiver) = try IPCChannel.makeBytes()
        let (_, end) = try UnnamedPipe.create()
        try sender.send([1], with: Array(repeating: end, count: 253))
        XCTAssertEqual(try receiver.receiveMessage().descriptorCount, 253)
        assertThrows(.messageTooLarge) { try sender.send([2], with: Array(repeating: end, count: 254)) }
        XCTAssertNil(try receiver.tryReceive())
    }

    func testAReceiverWithoutRoomForDescriptors() throws {
        let (sender, receiver) = try IPCChannel.makeBytes()
        let (_, end) = try UnnamedPipe.create()
        try sender.send([1], with: [end, end, end])
        try sender.send([2])
        _ = withoutDescriptors { assertThrows(.resourcesExhausted) { try receiver.receiveMessage() } }
        XCTAssertEqual(try receiver.receive(), [2])
    }
}

/// Whether a descriptor is readable now.
private func poll(_ descriptor: Int32) -> Bool {
    var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&request, 1, 10) > 0
}
