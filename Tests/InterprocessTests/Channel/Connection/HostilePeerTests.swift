// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

/// Peers that do not keep to the protocol once a connection is there.
final class HostilePeerTests: InterprocessTestCase {
    private typealias Texts = IPCConnection<String, String>

    private func assertViolation(
        _ said: [UInt8],
        _ options: IPCConnectionOptions = IPCConnectionOptions(),
        file: StaticString = #filePath,
        line: UInt = #line
    ) throws {
        let (connection, peer) = try Texts.withRawPeer(options)
        try peer.writeAll(said)
        assertThrows(.protocolViolation, file: file, line: line) { try connection.receive(timeout: .seconds(20)) }
        // It stays so, for everybody, and the peer is told.
        assertThrows(.protocolViolation, file: file, line: line) { try connection.receive() }
        assertThrows(.protocolViolation, file: file, line: line) { try connection.send("x") }
        assertThrows(.protocolViolation, file: file, line: line) { try connection.request("x") }
        XCTAssertEqual(try? peer.read(upTo: 1), [], file: file, line: line)
    }

    func testWhatIsNoFrame() throws {
        try assertViolation([UInt8](repeating: 0xFF, count: 16))
        try assertViolation(littleEndian(0xFFFF_FFFF) + littleEndian(0))
        try assertViolation(littleEndian(0x0001_0000) + littleEndian(0))
        try assertViolation(littleEndian(9 << 32) + littleEndian(0))
        try assertViolation(littleEndian(1 << 49) + littleEndian(0))
        try assertViolation(littleEndian(1 << 56) + littleEndian(0))
        for kind in [ConnectionFrame.Kind.hello, .proof, .refusal] { try assertViolation(frame(kind, [1])) }
    }

    func testParts() throws {
        try assertViolation(frame(.part, [1]))
        try assertViolation(frame(.abandonment))
        func first(_ total: UInt64, _ kind: ConnectionFrame.Kind = .message) -> [UInt8] {
            frame(kind, littleEndian(total) + [1, 2], isFirstPart: true)
        }
        // No larger than its first part; larger than the limit; of nothing that has parts; two at the same time.
        try assertViolation(first(2))
        try assertViolation(first(0))
        try assertViolation(first(1 << 40))
        try assertViolation(first(.max))
        try assertViolation(first(1001), connectionOptions { $0.maximumMessageSize = 1000 })
        try assertViolation(first(100, .noReply))
        try assertViolation(first(100, .part))
        try assertViolation(first(100) + first(100))
        try assertViolation(frame(.message, [1, 2, 3], isFirstPart: true))
        // More than there was to be, and nothing.
        try assertViolation(first(100) + frame(.part, [UInt8](repeating: 0, count: 99)))
        try assertViolation(first(100) + frame(.part))
        try assertViolation(first(100) + frame(.abandonment, [1]))
        try assertViolation(
            frame(.message, [UInt8](repeating: 0, count: 1001)),
            connectionOptions { $0.maximumMessageSize = 1000 }
        )
    }

    func testRepliesThatNobodyAskedFor() throws {
        try assertViolation(frame(.reply, try encoded("x"), request: 1))
        try assertViolation(frame(.reply, try encoded("x"), request: 0))
        try assertViolation(frame(.noReply, request: 7))
        // To a request that was answered, or given up, there may be another one.
        let (connection, peer) = try Texts.withRawPeer()
        assertThrows(.timedOut) { try connection.request("x", timeout: .milliseconds(5)) }
        try peer.writeAll(frame(.reply, encoded("late"), request: 1) + frame(.message, encoded("y")))
        XCTAssertEqual(try connection.receive(), "y")
        try peer.writeAll(frame(.reply, encoded("early"), request: 2))
        assertThrows(.protocolViolation) { try connection.receive() }
    }

    /// A reply ends the request that it belongs to, and a broken connection all of them.
    func testRequestsEndWithTheConnection() throws {
        let (connection, peer) = try Texts.withRawPeer()
        let requests = (0..<4).map { _ in Running { try connection.request("x", timeout: .seconds(20)) } }
        for request in requests { request.waitUntilBlocked() }
        try peer.writeAll([UInt8](repeating: 0xFF, count: 16))
        for request in requests { assertThrows(.protocolViolation) { try request.value() } }
    }

    func testAMessageThatIsCutOff() throws {
        let whole = frame(.message, try encoded("text"))
        for count in [1, 15, 16, 20, whole.count - 1] {
            let (connection, peer) = try Texts.withRawPeer()
            try peer.writeAll(Array(whole.prefix(count)))
            XCTAssertNil(try connection.tryReceive())
            peer.close()
            assertThrows(.disconnected) { try connection.receive(timeout: .seconds(20)) }
        }
    }

    /// In the middle of a message that does not go on, calls that do not wait, or not for ever, end in time.
    func testAStalledMessage() throws {
        let bytes = try encoded(String(repeating: "x", count: 100_000))
        let whole =
            frame(.message, littleEndian(UInt64(bytes.count)) + bytes[..<60_000], isFirstPart: true)
            + frame(.part, Array(bytes[60_000...]))
        for count in [1, 20, 1000, 60_030, 80_000] {
            let (connection, peer) = try Texts.withRawPeer()
            try peer.writeAll(Array(whole.prefix(count)))
            XCTAssertNil(try connection.tryReceive())
            assertThrows(.timedOut) { try connection.receive(timeout: .milliseconds(5)) }
            assertThrows(.timedOut) { try connection.request("x", timeout: .milliseconds(5)) }
            try peer.writeAll(Array(whole.dropFirst(count)))
            XCTAssertEqual(try connection.receive(timeout: .seconds(20)).utf8.count, 100_000)
        }
    }

    /// What is said to be large takes no memory before it comes.
    func testMemoryIsTakenAsBytesCome() throws {
        let (connection, peer) = try Texts.withRawPeer(connectionOptions { $0.maximumMessageSize = 1 << 40 })
        try peer.writeAll(frame(.message, littleEndian(1 << 40) + [1], isFirstPart: true))
        XCTAssertNil(try connection.tryReceive())
        try peer.writeAll(frame(.abandonment) + frame(.message, encoded("next")))
        XCTAssertEqual(try connection.receive(), "next")
    }

    /// Values that no encoder makes are refused one by one, and the connection goes on.
    func testValuesThatNoEncoderMakes() throws {
        let (connection, peer) = try Texts.withRawPeer()
        for garbage in [[], [1], [UInt8](repeating: 0xFF, count: 1000), try encoded(5)] as [[UInt8]] {
            try peer.writeAll(frame(.message, garbage))
            assertThrows(.decodingFailed) { try connection.receive() }
            try peer.writeAll(frame(.request, garbage, request: 5))
            assertThrows(.decodingFailed) { try connection.receive() }
            XCTAssertEqual(try peer.readExactly(ConnectionFrame.headSize), frame(.noReply, request: 5))
        }
        try peer.writeAll(frame(.message, encoded("text")))
        XCTAssertEqual(try connection.receive(), "text")
    }

    /// One that goes on asking, and never reads an answer, loses the connection before that takes too much memory.
    func testAPeerThatDoesNotReadAnswers() throws {
        let (connection, peer) = try Texts.withRawPeer()
        let asking = Running {
            let requests = (1...1000).flatMap { frame(.request, [], request: UInt64($0)) }
            while (try? peer.writeAll(requests)) != nil {}
        }
        var count = 0
        do throws(IPCError) {
            while true {
                do throws(IPCError) { _ = try connection.receive(timeout: .seconds(20)) } catch {
                    if error.code != .decodingFailed { throw error }
                }
                count += 1
            }
        } catch { XCTAssertEqual(error.code, .protocolViolation, "\(error)") }
        XCTAssertGreaterThan(count, 10_000)
        XCTAssertLessThan(count, 200_000)
        try asking.value()
    }

    /// One that says without end what is no message keeps no call longer than it may wait.
    func testAPeerThatNeverStops() async throws {
        let (connection, peer) = try Texts.withRawPeer()
        assertThrows(.timedOut) { try connection.request("x", timeout: .milliseconds(5)) }
        let late = Array(repeatElement(frame(.reply, request: 1), count: 20_000).joined())
        let flooding = Running { while (try? peer.writeAll(late)) != nil {} }
        flooding.waitUntilBlocked()
        XCTAssertNil(try connection.tryReceive())
        assertThrows(.timedOut) { try connection.receive(timeout: .milliseconds(20)) }
        assertThrows(.timedOut) { try connection.request("x", timeout: .milliseconds(20)) }
        await assertThrows(.timedOut) { try await connection.receive(timeout: .milliseconds(20)) }
        connection.close()
        try await onThread { try flooding.value() }
    }

    /// Everything in pieces of one byte.
    func testOneByteAtATime() throws {
        let (connection, peer) = try Texts.withRawPeer()
        let sending = Running {
            for byte in frame(.message, try encoded("one")) + frame(.message, try encoded("two")) {
                try peer.writeAll([byte])
            }
        }
        XCTAssertEqual(try connection.receive(timeout: .seconds(20)), "one")
        XCTAssertEqual(try connection.receive(timeout: .seconds(20)), "two")
        try sending.value()
    }

    func testDescriptorsThatBelongToNothing() throws {
        let file = try IPCDescriptor(adopting: dup(0))
        @Sendable func attachments(_ count: Int) -> UnixAttachments {
            var attachments = UnixAttachments()
            for _ in 0..<count { attachments.add(file) }
            return attachments
        }
        // None announced; fewer than came; more than came; of a frame that takes none along.
        for (said, count) in [
            (frame(.message, try encoded("x")), 1), (frame(.message, try encoded("x"), attachments: 1), 2),
            (frame(.message, try encoded("x"), attachments: 2), 1),
            (frame(.message, try encoded("x"), attachments: 1), 0),
            (frame(.message, try encoded("x")), 253),
        ] {
            let (connection, peer) = try Texts.withRawPeer()
            if count > 0 {
                try peer.sendAll(said, with: attachments(count))
            } else {
                try peer.writeAll(said)
            }
            if case .some(let first) = try? connection.receive(timeout: .seconds(20)) {
                // What came with it is found when there is nothing else.
                XCTAssertEqual(first, "x")
            }
            assertThrows(.protocolViolation) { try connection.receive(timeout: .seconds(20)) }
        }
        // With every byte of a frame that never ends.
        let (connection, peer) = try Texts.withRawPeer()
        let said = frame(.message, try encoded("some text"))
        let sending = Running {
            for byte in said.dropLast() { _ = try? peer.sendAll([byte], with: attachments(2)) }
        }
        assertThrows(.protocolViolation) { try connection.receive(timeout: .seconds(20)) }
        try sending.value()
    }

    /// Descriptors that the value makes no use of are closed with it; the tests' own count sees to that.
    func testDescriptorsThatNobodyTakes() throws {
        let file = try IPCDescriptor(adopting: dup(0))
        let (connection, peer) = try Texts.withRawPeer()
        var attachments = UnixAttachments()
        for _ in 0..<100 { attachments.add(file) }
        for _ in 0..<20 {
            try peer.sendAll(frame(.message, encoded("x"), attachments: 100), with: attachments)
            XCTAssertEqual(try connection.receive(timeout: .seconds(20)), "x")
        }
    }
}
