// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

/// Messages over connections: what keeps their boundaries, and what does not.
final class UnixMessageTests: InterprocessTestCase {
    func testStreamHasNoBoundaries() throws {
        let (one, other) = try UnixStream.pair()
        XCTAssertEqual(try one.send([1, 2]), 2)
        XCTAssertEqual(try one.send([3, 4]), 2)
        let (bytes, message) = try other.receive(upTo: 3)
        XCTAssertEqual(bytes, [1, 2, 3])
        XCTAssertEqual(message.size, 3)
        XCTAssertFalse(message.isTruncated || message.isEnd)
        XCTAssertNil(message.sender)
        XCTAssertNil(message.credentials)
        XCTAssertEqual(try other.receive(upTo: 3).bytes, [4])
        XCTAssertEqual(try one.send([]), 0)
        one.close()
        XCTAssertTrue(try other.receive(upTo: 3).message.isEnd)
        XCTAssertFalse(try other.receive(upTo: 0).message.isEnd, "there was no room to find that out")
    }

    /// Bytes that were read ahead come first, and those that follow with their descriptors.
    func testReadAheadComesFirst() throws {
        let (one, other) = try UnixStream.pair()
        try one.writeAll("line\nrest")
        XCTAssertEqual(try other.readLine(), "line")
        try one.send([7], with: .descriptors(one))
        XCTAssertEqual(try other.peek(upTo: 100), Array("rest".utf8))
        let first = try other.receive(upTo: 100, maximumDescriptors: 1)
        XCTAssertEqual(first.bytes, Array("rest".utf8))
        XCTAssertEqual(first.message.size, 4)
        XCTAssertEqual(first.message.descriptors.count, 0)
        let second = try other.receive(upTo: 100, maximumDescriptors: 1)
        XCTAssertEqual(second.bytes, [7])
        XCTAssertEqual(second.message.descriptors.count, 1)
    }

    /// A deferred connection is made by the first message.
    func testDeferredConnection() throws {
        let address = try UnixSocketAddress.path(path())
        let (listener, waiting) = try fullListener(try pathName())
        let streams = [
            try UnixStream.connect(toAddress: address, options: self.waiting(.deferred)),
            try UnixStream.connect(toAddress: address, options: self.waiting(.deferred)),
        ]
        let sender = Running { try streams[0].send([1], with: .descriptors(streams[0])) }
        let asker = Running { try streams[1].peerAddress() }
        let accepted = try (0..<3).map { _ in try listener.accept() }
        for stream in accepted { try stream.send([2]) }
        XCTAssertEqual(try sender.value(), 1)
        XCTAssertEqual(try asker.value(), address)
        XCTAssertEqual(try waiting.receive(upTo: 1).bytes, [2])
        XCTAssertEqual(try streams[0].receive(upTo: 1).bytes, [2])
    }

    /// What does not fit goes on after the attachments, which are sent once.
    func testSendAll() throws {
        let (one, other) = try UnixStream.pair()
        let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        let sender = Running { try one.sendAll(bytes, with: .descriptors(one)) }
        var received: [UInt8] = []
        var descriptors = 0
        while received.count < bytes.count {
            let (part, message) = try other.receive(upTo: 100_000, maximumDescriptors: 10)
            if received.isEmpty { XCTAssertEqual(message.descriptors.count, 1, "not with the first byte") }
            descriptors += message.descriptors.count
            received += part
        }
        try sender.value()
        XCTAssertEqual(received, bytes)
        XCTAssertEqual(descriptors, 1)
        // A limit of time for the whole call; what was sent is told.
        let error = assertThrows(.timedOut, .write) {
            try one.sendAll(bytes, with: .descriptors(one), timeout: .milliseconds(20))
        }
        XCTAssertGreaterThan(error!.bytesTransferred, 0)
    }

    func testAttachmentsNeedAByteOfAStream() throws {
        let (one, other) = try UnixStream.pair()
        assertThrows(.invalidArgument, .write) { try one.send([], with: .descriptors(one)) }
        assertThrows(.timedOut) { try other.receive(upTo: 1, timeout: .zero) }
    }

    func testGatherAndScatter() throws {
        let (one, other) = try UnixStream.pair()
        var bytes: [UInt8] = [1, 2, 3, 4, 5]
        try bytes.withUnsafeMutableBytes { memory in
            let pieces = [0..<2, 2..<2, 2..<5].map { UnsafeRawBufferPointer(rebasing: memory[$0]) }
            XCTAssertEqual(try one.send(gathering: pieces, with: .descriptors(other)), 5)
        }
        var room = [UInt8](repeating: 0, count: 9)
        try room.withUnsafeMutableBytes { memory in
            let pieces = [0..<1, 4..<9].map { UnsafeMutableRawBufferPointer(rebasing: memory[$0]) }
            let message = try other.receive(scattering: pieces, maximumDescriptors: 1)
            XCTAssertEqual(message.byteCount, 5)
            XCTAssertEqual(message.descriptors.count, 1)
        }
        XCTAssertEqual(room, [1, 0, 0, 0, 2, 3, 4, 5, 0])
    }

    func testSpans() throws {
        let (one, other) = try UnixStream.pair()
        let bytes: [UInt8] = [1, 2, 3]
        XCTAssertEqual(try one.send(bytes.span.bytes), 3)
        var room = [UInt8](repeating: 0, count: 5)
        var span = room.mutableSpan
        var raw = span.mutableBytes
        XCTAssertEqual(try other.receive(into: &raw).byteCount, 3)
        XCTAssertEqual(room, [1, 2, 3, 0, 0])
    }

    /// A mistake in counting costs no message.
    func testNegativeCounts() throws {
        for pair in try eachKindOfUnixSocket() {
            try pair.other.send([1])
            assertThrows(.invalidArgument, .read) { try pair.one.receive(upTo: -1) }
            assertThrows(.invalidArgument, .read) { try pair.one.peek(upTo: -1) }
            XCTAssertEqual(try pair.one.receive(upTo: 9).bytes, [1], pair.name)
            pair.close()
        }
    }

    func testPeekLeavesEverything() throws {
        let (one, other) = try UnixStream.pair()
        try one.send([1, 2, 3], with: .descriptors(other))
        for _ in 0..<2 { XCTAssertEqual(try other.peek(upTo: 2), [1, 2]) }
        let (bytes, message) = try other.receive(upTo: 5, maximumDescriptors: 1)
        XCTAssertEqual(bytes, [1, 2, 3])
        XCTAssertEqual(message.descriptors.count, 1)
        XCTAssertEqual(try other.peek(upTo: 0), [])
        one.close()
        XCTAssertEqual(try other.peek(upTo: 2), [])
        other.close()
        assertThrows(.closed, .read) { try other.peek(upTo: 2) }
    }

    #if os(Linux)
    func testPeekOffset() throws {
        let (one, other) = try UnixStream.pair()
        XCTAssertNil(try other.peekOffset())
        try one.send([1, 2, 3, 4])
        try other.setPeekOffset(1)
        XCTAssertEqual(try other.peek(upTo: 2), [2, 3])
        XCTAssertEqual(try other.peekOffset(), 3)
        XCTAssertEqual(try other.peek(upTo: 2), [4])
        XCTAssertEqual(try other.receive(upTo: 2).bytes, [1, 2])
        XCTAssertEqual(try other.peekOffset(), 2)
        try other.setPeekOffset(nil)
        XCTAssertEqual(try other.peek(upTo: 9), [3, 4])
    }

    /// What is there before the offset is no reason to look again and again, nor to do so for ever.
    func testPeekingBehindWhatIsThere() throws {
        for kind in 0..<2 {
            let pairs = try eachKindOfUnixSocket()
            let (one, other) = (pairs[kind].one, pairs[kind].other)
            try other.send([1, 2])
            try one.setPeekOffset(2)
            #if INTERPROCESS_FAULT_INJECTION
            FaultInjection.startRecording()
            assertThrows(.timedOut, .read) { try one.peek(upTo: 2, timeout: .milliseconds(400)) }
            let looks = FaultInjection.endRecording().calls.count { $0 == .message }
            XCTAssertLessThan(looks, 100, "it keeps the processor busy")
            #endif
            let peeking = Running { try one.peek(upTo: 2, timeout: .seconds(50)) }
            peeking.waitUntilBlocked()
            try other.send([3])
            XCTAssertEqual(try peeking.value(), [3])
            let closed = Running { try one.peek(upTo: 2) }
            closed.waitUntilBlocked()
            one.descriptorCore.close()
            assertThrows(.closed, .read) { try closed.value() }
            for pair in pairs { pair.close() }
        }
    }
    #endif

    func testBufferSizes() throws {
        let (one, other) = try UnixStream.pair()
        try one.setSendBufferSize(20_000)
        let size = try one.sendBufferSize()
        #if os(Linux)
        XCTAssertEqual(size, 40_000)
        #endif
        XCTAssertGreaterThanOrEqual(size, 20_000)
        try other.setReceiveBufferSize(20_000)
        XCTAssertGreaterThanOrEqual(try other.receiveBufferSize(), 20_000)
        let small = try fill(one)
        let (wide, far) = try UnixStream.pair()
        try wide.setSendBufferSize(150_000)
        XCTAssertFalse(far.isClosed)
        XCTAssertGreaterThan(try fill(wide), small)
        one.close()
        assertThrows(.closed, .configure) { try one.sendBufferSize() }
        assertThrows(.closed, .configure) { try one.setSendBufferSize(1) }
    }
}
