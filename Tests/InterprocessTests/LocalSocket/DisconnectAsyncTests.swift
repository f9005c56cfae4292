// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// Peers that go away while tasks await something of them.
final class DisconnectAsyncTests: InterprocessTestCase {
    /// Each way of reading that waits ends when the peer does, and finds the end again and again.
    func testPeerLeavesWhileReading() async throws {
        let reads: [@Sendable (LocalSocketStream) async throws -> String] = [
            { "\(try await $0.read(upTo: 10).count)" },
            { "\(try await $0.read(upTo: 10, timeout: .seconds(20)).count)" },
            { "\(try await $0.readToEnd().count)" },
            { try await $0.readLine() ?? "0" },
            { try await $0.lines.next(isolation: nil) ?? "0" },
            { "\(try await $0.chunks.next(isolation: nil)?.count ?? 0)" },
        ]
        for executor in Self.executors {
            for read in reads {
                let (server, client) = try connected(try uniquePathName())
                let reader = RunningTask(on: executor) { try await read(server) }
                await waitUntilAwaited(server)
                client.close()
                try await assertEqual("0") { try await reader.value() }
                for _ in 0..<3 { try await assertEqual("0") { try await on(executor) { try await read(server) } } }
            }
            let (server, client) = try connected(try uniquePathName())
            let reader = RunningTask(on: executor) { try await server.readExactly(10) }
            await waitUntilAwaited(server)
            try await client.writeAll("four")
            try await waitUntilAwaitedForMore(server)
            client.close()
            let error = await assertThrows(.endOfStream, .read) { try await reader.value() }
            XCTAssertEqual(error?.bytesTransferred, 4)
            // What had come is not lost.
            try await assertEqual(Array("four".utf8)) { try await server.read(upTo: 10) }
        }
    }

    func testPeerLeavesWhileWriting() async throws {
        for executor in Self.executors {
            for timeout in [nil, Duration.seconds(20)] {
                let (server, client) = try connected(try uniquePathName())
                let sent = try fill(server)
                let writer = RunningTask(on: executor) {
                    try await server.writeAll([UInt8](repeating: 1, count: 1 << 20), timeout: timeout)
                }
                await waitUntilAwaited(server)
                try await assertEqual(sent) { try await client.readExactly(sent).count }
                client.close()
                let error = await assertThrows(.brokenPipe, .write) { try await writer.value() }
                XCTAssertLessThan(try XCTUnwrap(error).bytesTransferred, 1 << 20)
                await assertThrows(.brokenPipe, .write) { try await on(executor) { try await server.write([1]) } }
            }
        }
    }

    /// One direction's end does not hide the other one's news: both tasks learn of it.
    func testPeerLeavesWhileReadingAndWriting() async throws {
        for executor in Self.executors {
            let (server, client) = try connected(try uniquePathName())
            _ = try fill(server)
            let reader = RunningTask(on: executor) { try await server.read(upTo: 1) }
            let writer = RunningTask(on: executor) { try await server.writeAll("x") }
            await waitUntilAwaited(server, by: 2)
            client.close()
            // It has left unread what was sent to it.
            await assertThrows(.connectionReset, .read) { try await reader.value() }
            await assertThrows(.brokenPipe, .write) { try await writer.value() }
            try await assertEqual([]) { try await on(executor) { try await server.read(upTo: 1) } }
            await assertThrows(.brokenPipe, .write) { try await on(executor) { try await server.write([1]) } }
        }
    }

    func testKilledPeer() throws {
        for (name, executor) in try eachNameAndExecutor() {
            let listener = try LocalSocketListener(name)
            for isWriting in [false, true] {
                let peer = try ChildProcess.helper("hold", name.description)
                peer.expect("connected")
                let server = try listener.accept()
                let call = RunningTask(on: executor) {
                    guard isWriting else { return try await server.read(upTo: 1).count }
                    try await server.writeAll([UInt8](repeating: 1, count: 4 << 20))
                    return 1
                }
                waitUntilAwaited(server)
                peer.crash()
                if isWriting {
                    let error = assertThrows(.brokenPipe, .write) { try call.value() }
                    XCTAssertGreaterThan(try XCTUnwrap(error).bytesTransferred, 0)
                } else {
                    XCTAssertEqual(try call.value(), 0)
                    assertThrows(.brokenPipe, .write) { try server.writeAll("x") }
                }
            }
        }
    }

    func testKilledServer() throws {
        for (name, executor) in try eachNameAndExecutor() {
            let server = try ChildProcess.helper("serve", name.description, "2")
            server.expect("ready")
            let client = try LocalSocketStream.connect(to: name)
            let echo = RunningTask(on: executor) {
                try await client.writeAll("x\n")
                return try await client.readLine()
            }
            XCTAssertEqual(try echo.value(), "x")
            let reader = RunningTask(on: executor) { try await client.readLine() }
            waitUntilAwaited(client)
            server.crash()
            XCTAssertNil(try reader.value())
            let again = RunningTask(on: executor) { try await LocalSocketStream.connect(to: name) }
            assertThrows(.connectionRefused) { try again.value() }
        }
    }

    /// A peer that closes with data unread: what it had sent comes first, then the error, once, and then the end.
    func testUnreadDataAtClose() async throws {
        for (name, executor) in try eachNameAndExecutor() {
            let (server, client) = try connected(name)
            try await server.writeAll("you will not read this")
            let reader = RunningTask(on: executor) { try await server.readExactly(13) }
            await waitUntilAwaited(server)
            try await client.writeAll("but you this")
            try await waitUntilAwaitedForMore(server)
            client.close()
            let error = await assertThrows(.connectionReset, .read) { try await reader.value() }
            XCTAssertEqual(error?.bytesTransferred, 12)
            try await assertEqual(Array("but you this".utf8)) { try await server.readExactly(12) }
            try await assertEqual([]) { try await on(executor) { try await server.read(upTo: 1) } }
        }
    }

    /// Connecting and leaving at every stage, many times, disturbs nobody.
    func testManyWhoLeaveAtEveryStage() async throws {
        for executor in Self.executors {
            let name = try uniquePathName()
            let listener = try LocalSocketListener(name)
            let server = RunningTask(on: executor) {
                var complete = 0
                while let stream = try? await listener.accept() {
                    do {
                        try await stream.writeAll(stream.readExactly(4))
                        try await stream.writeAll([UInt8](repeating: 3, count: 100_000))
                        complete += 1
                    } catch let error as IPCError {
                        XCTAssertTrue([.endOfStream, .brokenPipe, .connectionReset].contains(error.code), "\(error)")
                    }
                }
                return complete
            }
            for round in 0..<120 {
                let client = try await LocalSocketStream.connect(to: name)
                if round % 6 >= 1 { try await client.writeAll([1, 2]) }
                if round % 6 >= 2 { try await client.writeAll([3, 4]) }
                if round % 6 >= 3 { try await assertEqual([1, 2, 3, 4]) { try await client.readExactly(4) } }
                if round % 6 >= 4 { try await assertEqual(10) { try await client.readExactly(10).count } }
                if round % 6 == 5 { try await assertEqual(99_990) { try await client.readToEnd().count } }
                client.close()
            }
            listener.close()
            let complete = try await server.value()
            XCTAssertGreaterThanOrEqual(complete, 20)
        }
    }
}
