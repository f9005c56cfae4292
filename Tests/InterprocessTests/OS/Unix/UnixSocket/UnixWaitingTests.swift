// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

/// Calls that block: what they wait for, and what ends them.
final class UnixWaitingTests: InterprocessTestCase {
    func testReceivingWaits() throws {
        for pair in try eachKindOfUnixSocket() {
            let (one, other) = (pair.one, pair.other)
            let forms: [@Sendable () throws -> [UInt8]] = [
                { try one.receive(upTo: 9).bytes },
                { try one.receive(upTo: 9, maximumDescriptors: 3).bytes },
                { try one.receive(upTo: 9, timeout: .seconds(25)).bytes },
            ]
            for form in forms {
                let call = Running(form)
                call.waitUntilBlocked()
                try other.send([5])
                XCTAssertEqual(try call.value(), [5], pair.name)
            }
            pair.close()
        }
    }

    func testPeekingWaits() throws {
        for pair in try eachKindOfUnixSocket() {
            let (one, other) = (pair.one, pair.other)
            let calls = [
                Running { try one.peek(upTo: 9) }, Running { try one.peek(upTo: 9, timeout: .seconds(25)) },
            ]
            for call in calls { call.waitUntilBlocked() }
            try other.send([5, 6])
            for call in calls { XCTAssertEqual(try call.value(), [5, 6], pair.name) }
            pair.close()
        }
    }

    func testSendingWaits() throws {
        for pair in try eachKindOfUnixSocket() {
            let (one, other) = (pair.one, pair.other)
            let count = try fill(one)
            let calls = [Running { try one.send([8]) }, Running { try one.send([8], timeout: .seconds(25)) }]
            for call in calls { call.waitUntilBlocked() }
            var received: [UInt8] = []
            while received.count < count + 2 { received += try other.receive(upTo: 100_000).bytes }
            for call in calls { XCTAssertEqual(try call.value(), 1, pair.name) }
            XCTAssertEqual(received.suffix(2), [8, 8])
            XCTAssertEqual(received.count, count + 2)
            pair.close()
        }
    }

    func testClosing() throws {
        for pair in try eachKindOfUnixSocket() {
            let one = pair.one
            _ = try fill(one)
            var receivers: [Running<Void>] = [
                Running { _ = try one.receive(upTo: 9) },
                Running { _ = try one.receive(upTo: 9, maximumDescriptors: 3) },
                Running { _ = try one.receive(upTo: 9, timeout: .seconds(25)) },
                Running { _ = try one.peek(upTo: 9) },
                Running { _ = try one.peek(upTo: 9, timeout: .seconds(25)) },
            ]
            #if os(Linux)
            if let messages = one as? any UnixMessageSocket {
                receivers.append(Running { _ = try messages.nextMessageSize() })
            }
            if let datagrams = one as? UnixDatagramSocket {
                receivers.append(
                    Running { _ = try datagrams.receiveMany(into: UnixDatagramBatch(capacity: 2, maximumSize: 2)) }
                )
            }
            #endif
            let senders = [
                Running { _ = try one.send([1]) }, Running { _ = try one.send([1], timeout: .seconds(25)) },
            ]
            for call in receivers + senders { call.waitUntilBlocked() }
            one.descriptorCore.close()
            for call in receivers { assertThrows(.closed, .read) { try call.value() } }
            for call in senders { assertThrows(.closed, .write) { try call.value() } }
            assertThrows(.closed, .read) { try one.receive(upTo: 9) }
            assertThrows(.closed, .write) { try one.send([1]) }
            pair.close()
        }
    }

    func testTimeouts() throws {
        for pair in try eachKindOfUnixSocket() {
            let one = pair.one
            _ = try fill(one)
            for limit in [Duration.zero, .milliseconds(3)] {
                assertThrows(.timedOut, .read) { try one.receive(upTo: 9, timeout: limit) }
                assertThrows(.timedOut, .read) { try one.receive(upTo: 9, maximumDescriptors: 2, timeout: limit) }
                assertThrows(.timedOut, .read) { try one.peek(upTo: 9, timeout: limit) }
                assertThrows(.timedOut, .write) { try one.send([1], timeout: limit) }
            }
            one.receivingSide.settings.timeout = .milliseconds(1)
            one.sendingSide.settings.timeout = .milliseconds(1)
            assertThrows(.timedOut, .read) { try one.receive(upTo: 9) }
            assertThrows(.timedOut, .write) { try one.send([1]) }
            if let messages = one as? any UnixMessageSocket {
                XCTAssertEqual(messages.receiveTimeout, .milliseconds(1))
                XCTAssertEqual(messages.sendTimeout, .milliseconds(1))
                #if os(Linux)
                assertThrows(.timedOut, .read) { try messages.nextMessageSize() }
                #endif
            }
            pair.close()
        }
    }

    func testNonblocking() throws {
        for pair in try eachKindOfUnixSocket() {
            let (one, other) = (pair.one, pair.other)
            let count = try fill(one)
            if let stream = one as? UnixStream { stream.setNonblocking(true) }
            if let messages = one as? any UnixMessageSocket { messages.setNonblocking(true) }
            assertThrows(.wouldBlock, .read) { try one.receive(upTo: 9) }
            assertThrows(.wouldBlock, .read) { try one.receive(upTo: 9, maximumDescriptors: 2) }
            assertThrows(.wouldBlock, .read) { try one.peek(upTo: 9) }
            assertThrows(.wouldBlock, .write) { try one.send([1]) }
            var received = 0
            while received < count { received += try other.receive(upTo: 100_000).bytes.count }
            try one.send([1])
            try other.send([2])
            XCTAssertEqual(try one.receive(upTo: 9).bytes, [2])
            XCTAssertEqual(try other.receive(upTo: 9).bytes, [1])
            pair.close()
        }
    }

    func testSpinning() throws {
        let (one, other) = try UnixDatagramSocket.pair()
        one.spinTime = .milliseconds(50)
        XCTAssertEqual(one.spinTime, .milliseconds(50))
        for round in UInt8(0)..<50 {
            let answer = Running { try one.receive(upTo: 9).bytes }
            try other.send([round])
            XCTAssertEqual(try answer.value(), [round])
        }
        let closed = Running { try one.receive(upTo: 9) }
        one.close()
        assertThrows(.closed) { try closed.value() }
    }

    #if !canImport(Darwin)
    func testAccepting() throws {
        let listener = try UnixPacketListener(address: .path(path()))
        assertThrows(.timedOut, .accept) { try listener.accept(timeout: .milliseconds(1)) }
        listener.setNonblocking(.both)
        assertThrows(.wouldBlock, .accept) { try listener.accept() }
        let client = try UnixPacketSocket.connect(to: .path(path()))
        let server = try listener.accept()
        assertThrows(.wouldBlock, .read) { try server.receive(upTo: 9) }
        listener.setNonblocking(.neither)
        let waiting = Running { try listener.accept() }
        waiting.waitUntilBlocked()
        listener.close()
        assertThrows(.closed, .accept) { try waiting.value() }
        client.close()
    }
    #endif

    #if os(Linux)
    /// The limit by which closing ends a call that sends is gone before anybody else has the socket.
    func testDatagramSocketsAreGivenAwayWithoutALimit() throws {
        for socket in [try UnixDatagramSocket(), try UnixDatagramSocket.pair().0] {
            XCTAssertGreaterThan(sendLimit(Int32(socket.descriptorCore.descriptor)).tv_usec, 0)
            try socket.withUnsafeDescriptor { descriptor in
                let limit = sendLimit(descriptor)
                XCTAssertEqual(limit.tv_sec, 0)
                XCTAssertEqual(limit.tv_usec, 0)
            }
        }
        let descriptor = try UnixDatagramSocket().detach()
        XCTAssertEqual(sendLimit(descriptor).tv_sec, 0)
        XCTAssertEqual(sendLimit(descriptor).tv_usec, 0)
        close(descriptor)
    }

    private func sendLimit(_ descriptor: Int32) -> timeval {
        var limit = timeval(tv_sec: -1, tv_usec: -1)
        var size = socklen_t(MemoryLayout<timeval>.size)
        XCTAssertEqual(getsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, &size), 0)
        return limit
    }
    #endif
}
