// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

/// Clients that say nothing, or a byte now and then, or never read.
final class SlowEnemyTests: InterprocessTestCase {
    override var timeLimit: TimeInterval { 120 }

    /// A time limit is one for the whole call, however many bytes come meanwhile; and so is a limit of bytes.
    func testByteByByte() throws {
        let listener = try LocalSocketListener(try namespacedName())
        let enemy = try ChildProcess.enemy("dribble", try XCTUnwrap(listener.name).description, "", "78")
        let stream = try listener.accept()
        let start = ContinuousClock.now
        assertThrows(.timedOut, .read) { try stream.readLine(timeout: .milliseconds(200)) }
        assertThrows(.timedOut, .read) { try stream.readExactly(100_000, timeout: .milliseconds(200)) }
        assertThrows(.timedOut, .read) { try stream.readToEnd(timeout: .milliseconds(200)) }
        stream.receiveTimeout = .milliseconds(200)
        assertThrows(.timedOut, .read) { try stream.readLine() }
        XCTAssertGreaterThanOrEqual(ContinuousClock.now - start, .milliseconds(800))
        XCTAssertLessThan(ContinuousClock.now - start, .seconds(20))
        stream.receiveTimeout = nil
        assertThrows(.messageTooLarge, .read) { try stream.readLine(limit: 100) }
        assertThrows(.messageTooLarge, .read) { try stream.readToEnd(limit: 150) }
        stream.close()
        enemy.expect("ended")
    }

    func testByteByByteAwaited() async throws {
        try await onEachExecutor {
            let listener = try LocalSocketListener(try self.namespacedName())
            let enemy = try ChildProcess.enemy("dribble", try XCTUnwrap(listener.name).description, "", "78")
            let stream = try await listener.accept()
            let start = ContinuousClock.now
            await self.assertThrows(.timedOut, .read) { try await stream.readLine(timeout: .milliseconds(200)) }
            await self.assertThrows(.timedOut, .read) {
                for try await line in stream.lines(timeout: .milliseconds(200)) { XCTFail(line) }
            }
            stream.receiveTimeout = .milliseconds(200)
            await self.assertThrows(.timedOut, .read) { for try await line in stream.lines { XCTFail(line) } }
            XCTAssertGreaterThanOrEqual(ContinuousClock.now - start, .milliseconds(600))
            XCTAssertLessThan(ContinuousClock.now - start, .seconds(20))
            stream.receiveTimeout = nil
            await self.assertThrows(.messageTooLarge, .read) {
                for try await line in stream.lines(limit: 100) { XCTFail(line) }
            }
            stream.close()
            enemy.expect("ended")
        }
    }

    /// Clients that say nothing, and slow ones, take all the places that there are, but not for longer than they are given.
    func testPlacesOfAServer() async throws {
        let failures = Seen<IPCError.Code>()
        let options = serveOptions {
            $0.maximumClients = 2
            $0.onFailure = { failures.append(($0.error as? IPCError)?.code ?? .system) }
        }
        try await withServer(options) { stream in
            stream.receiveTimeout = .milliseconds(500)
            for try await line in stream.lines { try await stream.writeAll(line + "\n") }
        } during: { listener in
            let name = try XCTUnwrap(listener.name).description
            let silent = try ChildProcess.enemy("crowd", name, "5")
            let slow = try ChildProcess.enemy("dribble", name, "", "78")
            try await listener.newClient().assertEcho("in spite of all")
            slow.expect("ended")
            XCTAssertEqual(failures.values.filter { $0 == .timedOut }.count, 6)
            silent.closeInput()
        }
    }

    /// An introduction has to be over in time, and not to have begun.
    func testIntroductions() async throws {
        let failures = Seen<IPCError.Code>()
        let options = serverOptions {
            $0.maximumClients = 3
            $0.connection.handshakeTimeout = .milliseconds(500)
            $0.onFailure = { failures.append(($0 as? IPCError)?.code ?? .system) }
        }
        try await withTextServer(options) { name in
            let silent = try ChildProcess.enemy("crowd", name.description, "5")
            // It would take minutes, however long it has to wait for its place.
            let endless = frame(.hello, [UInt8](repeating: 0, count: 20_000))
            let slow = try ChildProcess.enemy("dribble", name.description, "", endless.hex)
            try await self.assertServed(name)
            slow.expect("ended")
            await eventually("all are reported") { failures.count == 6 }
            XCTAssertEqual(Set(failures.values), [.timedOut])
            silent.closeInput()
        }
    }

    /// The same for a message that does not go on, and for a client that leaves replies unread.
    func testMessages() async throws {
        let failures = Seen<IPCError.Code>()
        let options = serverOptions {
            $0.maximumClients = 2
            $0.idleTimeout = .seconds(1)
            $0.onFailure = { failures.append(($0 as? IPCError)?.code ?? .system) }
        }
        try await withTextServer(options) { name in
            let text = try encoded(String(repeating: "x", count: 10_000))
            let slow = try ChildProcess.enemy(
                "dribble",
                name.description,
                introduction().hex,
                frame(.message, text).hex
            )
            let request = frame(.request, text, request: 1)
            let deaf = try ChildProcess.enemy("pour", name.description, introduction().hex, request.hex)
            try await self.assertServed(name)
            slow.expect("ended")
            deaf.expect("ended")
            await eventually("all are reported") { failures.count == 2 }
            XCTAssertEqual(failures.values, [.timedOut, .timedOut])
        }
    }
}
