// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

/// How the two sides of a connection introduce themselves.
final class HandshakeTests: InterprocessTestCase {
    private typealias Texts = IPCConnection<String, String>

    private func secret(_ text: String) -> IPCConnectionOptions { connectionOptions { $0.secret = Array(text.utf8) } }

    func testOverAStream() throws {
        let (one, other) = try Texts.introduced(IPCConnectionOptions(), IPCConnectionOptions())
        try one.value().send("hello")
        XCTAssertEqual(try other.value().receive(), "hello")
    }

    func testOverAStreamAwaited() async throws {
        try await onEachExecutor {
            let (one, other) = try LocalSocketStream.pair()
            let options = self.secret("s")
            let far = start { try await IPCConnection<Int, String>(over: other, options: options) }
            let near = try await IPCConnection<String, Int>(over: one, options: options)
            try await near.send(5)
            let value = try await far.value.receive()
            XCTAssertEqual(value, 5)
        }
    }

    func testSecrets() throws {
        let (one, other) = try Texts.introduced(secret("the same"), secret("the same"))
        try one.value().send("hello")
        XCTAssertEqual(try other.value().receive(), "hello")
        for (ours, theirs) in [
            (secret("the same"), secret("another")), (secret("one side's"), IPCConnectionOptions()),
            (IPCConnectionOptions(), secret("other side's")), (secret("long"), secret("longer")),
        ] {
            let (one, other) = try Texts.introduced(ours, theirs)
            assertThrows(.permissionDenied, .connect) { try one.value() }
            assertThrows(.permissionDenied, .connect) { try other.value() }
        }
        let (stream, _) = try LocalSocketStream.pair()
        assertThrows(.invalidArgument) { try Texts(over: stream, options: self.secret("")) }
        XCTAssertFalse(stream.isClosed)
    }

    /// The secret itself is nowhere in what is said, nor is the same thing said twice.
    func testNothingIsToldOrRepeated() throws {
        func said() throws -> [UInt8] {
            let (one, other) = try LocalSocketStream.pair()
            let options = secret("a secret to be found")
            let near = Running { try Texts(over: one, options: options, timeout: .seconds(20)) }
            let hello = Hello(
                .peer,
                options,
                receives: Hello.fingerprint(String.self, options),
                sends: Hello.fingerprint(String.self, options)
            )
            try other.writeAll(frame(.hello, hello.bytes))
            let said = try other.readExactly(ConnectionFrame.headSize * 2 + Hello.size + SHA256.size)
            try other.writeAll(frame(.proof, hello.proof(to: hello, options.secret ?? [])))
            assertThrows(.permissionDenied) { try near.value() }
            return said
        }
        let (first, second) = (try said(), try said())
        XCTAssertNotEqual(first, second)
        XCTAssertNil(String(decoding: first, as: UTF8.self).range(of: "secret"))
    }

    func testTypes() throws {
        let (one, other) = try LocalSocketStream.pair()
        let near = Running { try IPCConnection<String, Int>(over: one, timeout: .seconds(20)) }
        let far = Running { try IPCConnection<String, Int>(over: other, timeout: .seconds(20)) }
        assertThrows(.protocolViolation, .connect) { try near.value() }
        assertThrows(.protocolViolation, .connect) { try far.value() }
    }

    func testProtocolNames() throws {
        let (one, other) = try LocalSocketStream.pair()
        struct Renamed: Codable, Sendable { var text: String }
        struct Original: Codable, Sendable { var text: String }
        let options = connectionOptions { $0.protocolName = "texts 1" }
        let near = Running { try IPCConnection<Original, Renamed>(over: one, options: options, timeout: .seconds(20)) }
        let far = Running { try IPCConnection<Original, Renamed>(over: other, options: options, timeout: .seconds(20)) }
        try near.value().send(Renamed(text: "x"))
        XCTAssertEqual(try far.value().receive().text, "x")
        let (third, fourth) = try Texts.introduced(options, connectionOptions { $0.protocolName = "texts 2" })
        assertThrows(.protocolViolation) { try third.value() }
        assertThrows(.protocolViolation) { try fourth.value() }
    }

    /// What is too large for either side is told by an error where it is sent.
    func testTheSmallerLimitHolds() throws {
        let (one, other) = try Texts.introduced(
            IPCConnectionOptions(),
            connectionOptions { $0.maximumMessageSize = 50 }
        )
        let long = String(repeating: "x", count: 100)
        assertThrows(.messageTooLarge) { try one.value().send(long) }
        assertThrows(.messageTooLarge) { try other.value().send(long) }
        try one.value().send("short")
        XCTAssertEqual(try other.value().receive(), "short")
    }

    func testASilentPeer() throws {
        let (one, other) = try LocalSocketStream.pair()
        assertThrows(.timedOut, .connect) { try Texts(over: one, timeout: .milliseconds(20)) }
        // Its stream is closed, after its own hello.
        XCTAssertEqual(try other.readToEnd(limit: 1000).count, ConnectionFrame.headSize + Hello.size)
    }

    func testASilentPeerAwaited() async throws {
        try await onEachExecutor {
            let (one, other) = try LocalSocketStream.pair()
            let options = connectionOptions { $0.handshakeTimeout = .milliseconds(20) }
            await self.assertThrows(.timedOut, .connect) { try await Texts(over: one, options: options) }
            let (third, fourth) = try LocalSocketStream.pair()
            let connecting = start { _ = try await Texts(over: third) }
            await self.waitUntilAwaited(third)
            connecting.cancel()
            await self.assertThrows(.cancelled, .connect) { try await connecting.value }
            withExtendedLifetime((other, fourth)) {}
        }
    }

    func testHostilePeers() throws {
        let options = IPCConnectionOptions()
        let text = Hello.fingerprint(String.self, options)
        let hello = Hello(.peer, options, receives: text, sends: text).bytes
        func changed(_ index: Int) -> [UInt8] {
            var bytes = hello
            bytes[index] ^= 0xFF
            return bytes
        }
        let said: [[UInt8]] = [
            [UInt8](repeating: 0xFF, count: 100), Array("GET / HTTP/1.1\r\nHost: example\r\n\r\n".utf8),
            frame(.message, hello), frame(.hello, Array(hello.dropLast())), frame(.hello, hello + [0]), frame(.hello),
            frame(.hello, changed(0)), frame(.hello, changed(9)), frame(.hello, changed(10)),
            frame(.hello, changed(12)),
            frame(.proof, hello), frame(.refusal), frame(.refusal, [99]), frame(.request, [], request: 1),
            frame(.hello, littleEndian(1 << 60) + hello, isFirstPart: true), frame(.abandonment), frame(.part, [1]),
            frame(.hello, changed(8)), frame(.hello, changed(16)), frame(.hello, changed(24)),
        ]
        for bytes in said {
            let (one, other) = try LocalSocketStream.pair()
            try other.writeAll(bytes)
            assertThrows(.protocolViolation, .connect) { try Texts(over: one, timeout: .seconds(20)) }
            other.close()
        }
        // Half of it, and the end.
        for count in [0, 1, 15, 16, 40, 87] {
            let (one, other) = try LocalSocketStream.pair()
            try other.writeAll(Array(frame(.hello, hello).prefix(count)))
            other.close()
            assertThrows(.disconnected, .connect) { try Texts(over: one, timeout: .seconds(20)) }
        }
    }

    /// Before it is known who the other side is, none of its messages takes memory.
    func testMessagesBeforeTheIntroduction() throws {
        let options = secret("s")
        let text = Hello.fingerprint(String.self, options)
        let hello = frame(.hello, Hello(.peer, options, receives: text, sends: text).bytes)
        for said in [[], hello] {
            for message in [
                frame(.message, littleEndian(1 << 20) + [1], isFirstPart: true),
                frame(.reply, [UInt8](repeating: 0, count: 1000)),
            ] {
                let (one, other) = try LocalSocketStream.pair()
                try other.writeAll(said + message)
                assertThrows(.protocolViolation, .connect) {
                    try Texts(over: one, options: options, timeout: .seconds(5))
                }
                XCTAssertTrue(one.isClosed)
            }
        }
    }

    /// The time that it may take is that of the connection too, where that was deferred.
    func testADeferredConnection() async throws {
        let name = try pathName()
        let (listener, waiting) = try fullListener(name)
        let stream = try await LocalSocketStream.connect(to: name, options: self.waiting(.deferred))
        let running = Running { try Texts(over: stream, timeout: .milliseconds(20)) }
        await assertThrows(.timedOut, .connect) { try await onThread { _ = try running.value() } }
        XCTAssertTrue(stream.isClosed)
        let another = try await LocalSocketStream.connect(to: name, options: self.waiting(.deferred))
        await assertThrows(.timedOut, .connect) { try await Texts(over: another, timeout: .milliseconds(20)) }
        XCTAssertTrue(another.isClosed)
        // And where there is room in time, it is made.
        let third = try await LocalSocketStream.connect(to: name, options: self.waiting(.deferred))
        let connecting = Running { try Texts(over: third, timeout: .seconds(20)) }
        connecting.waitUntilBlocked()
        _ = try await listener.accept()
        let server = try await Texts(over: listener.accept(timeout: .seconds(10)))
        try await server.send("hello")
        await assertEqual("hello") { try? await onThread { try connecting.value().receive(timeout: .seconds(10)) } }
        waiting.close()
    }

    /// Somebody who says back whatever is said is nobody to talk to, secret or not.
    func testAnEcho() throws {
        for options in [IPCConnectionOptions(), secret("s")] {
            let (one, other) = try LocalSocketStream.pair()
            let echo = Running {
                while let bytes = try? other.read(upTo: 100), !bytes.isEmpty { try other.writeAll(bytes) }
            }
            assertThrows(.protocolViolation, .connect) { try Texts(over: one, options: options, timeout: .seconds(20)) }
            _ = try? echo.value()
        }
    }

    /// A server that passes on what two clients say is none.
    func testTwoClientsDoNotTakeEachOtherForAServer() throws {
        let (one, other) = try LocalSocketStream.pair()
        let options = secret("s")
        let near = Running { try Texts(one, .client, options, .seconds(20)) }
        let far = Running { try Texts(other, .client, options, .seconds(20)) }
        assertThrows(.protocolViolation, .connect) { try near.value() }
        assertThrows(.protocolViolation, .connect) { try far.value() }
    }

    /// A stream from which something was read ahead is refused, and stays as it is.
    func testAStreamThatWasReadAhead() throws {
        let (one, other) = try LocalSocketStream.pair()
        try other.writeAll("a\nb\n")
        XCTAssertEqual(try one.readLine(), "a")
        assertThrows(.busy) { try Texts(over: one) }
        XCTAssertEqual(try one.readLine(), "b")
    }
}
