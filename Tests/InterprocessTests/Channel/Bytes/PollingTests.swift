// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

private func poll(_ receiver: IPCBytesReceiver) throws -> [UInt8] {
    while true {
        if let message = try receiver.tryReceive() { return message }
        sched_yield()
    }
}

/// Ends that look again and again, and that find the other one gone.
final class PollingTests: InterprocessTestCase {
    func testALargeMessage() throws {
        let (sender, receiver) = try IPCChannel.makeBytes()
        let message = (0..<1 << 20).map { UInt8(truncatingIfNeeded: $0 &* 13) }
        let sending = Running { try sender.send(message) }
        XCTAssertEqual(try poll(receiver), message)
        try sending.value()
        XCTAssertNil(try receiver.tryReceive())
    }

    func testTenSenders() throws {
        let (sender, receiver) = try IPCChannel.makeBytes()
        let threads = (0..<10).map { number in
            Running { try sender.send([UInt8](repeating: UInt8(number), count: 512 << 10)) }
        }
        var seen: Set<UInt8> = []
        for _ in 0..<10 {
            let message = try poll(receiver)
            XCTAssertEqual(message, [UInt8](repeating: message[0], count: 512 << 10))
            XCTAssertTrue(seen.insert(message[0]).inserted)
        }
        for thread in threads { try thread.value() }
        XCTAssertNil(try receiver.tryReceive())
    }

    /// Expects a message, and uses the descriptor that has come with it.
    private func assertDescriptor(_ message: IPCRawMessage?, _ output: UnnamedPipeReceiver) throws {
        XCTAssertEqual(message?.bytes, [7])
        XCTAssertEqual(message?.descriptorCount, 1)
        guard let taken = try message?.takeDescriptor(0) else { return XCTFail("no descriptor") }
        assertThrows(.invalidArgument, .adopt) { try message?.takeDescriptor(0) }
        assertThrows(.invalidArgument, .adopt) { try message?.takeDescriptor(1) }
        try UnnamedPipeSender(adopting: taken).writeAll([5])
        XCTAssertEqual(try output.readExactly(1), [5])
    }

    func testDescriptors() throws {
        let (sender, receiver) = try IPCChannel.makeBytes()
        let (input, output) = try UnnamedPipe.create()
        XCTAssertNil(try receiver.tryReceiveMessage())
        try sender.send([7], with: [input])
        try assertDescriptor(try receiver.tryReceiveMessage(), output)
        XCTAssertNil(receiver.receiveTimeout)
        receiver.receiveTimeout = .milliseconds(5)
        XCTAssertEqual(receiver.receiveTimeout, .milliseconds(5))
        assertThrows(.timedOut, .read) { try receiver.receive() }
    }

    func testAwaitedDescriptors() async throws {
        let (sender, receiver) = try IPCChannel.makeBytes()
        let (input, output) = try UnnamedPipe.create()
        let waiting = Task { try await receiver.receiveMessage() }
        try await sender.send([7], with: [input])
        try assertDescriptor(try await waiting.value, output)
        sender.close()
        do {
            _ = try await receiver.receiveMessage()
            XCTFail("nobody can send any more")
        } catch { XCTAssertEqual(error.code, .disconnected) }
    }

    func testTheSenderGoes() throws {
        let (sender, receiver) = try IPCChannel.makeBytes()
        XCTAssertNil(try receiver.tryReceive())
        let polling = Running {
            let message = try poll(receiver)
            XCTAssertEqual(message, [1])
            _ = try poll(receiver)
        }
        try sender.send([1])
        sender.close()
        assertThrows(.disconnected, .read) { try polling.value() }
        let (other, waiting) = try IPCChannel.makeBytes()
        let blocked = Running { try waiting.receive() }
        blocked.waitUntilBlocked()
        other.close()
        assertThrows(.disconnected, .read) { try blocked.value() }
    }

    /// With what it had not received, or without: the same error, also for those who send at that moment.
    func testTheReceiverGoes() throws {
        for pending in [0, 3] {
            let (sender, receiver) = try IPCChannel.makeBytes()
            for _ in 0..<pending { try sender.send([1]) }
            receiver.close()
            for _ in 0..<3 { assertThrows(.disconnected, .write) { try sender.send([2]) } }
        }
        let (sender, receiver) = try IPCChannel.makeBytes()
        let sending = Running { while true { try sender.send([1, 2, 3]) } }
        for _ in 0..<100 { _ = try receiver.receive() }
        receiver.close()
        assertThrows(.disconnected, .write) { try sending.value() }
    }
}
