// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// Awaiting something on descriptors that come from outside, and giving away those on which something was awaited.
final class AdoptAsyncTests: InterprocessTestCase {
    func testStream() async throws {
        for executor in Self.executors {
            var ends: [Int32] = [0, 0]
            XCTAssertEqual(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends), 0)
            let one = try LocalSocketStream(adopting: ends[0])
            let other = try LocalSocketStream(adopting: ends[1])
            let echo = RunningTask(on: executor) {
                for try await line in other.lines { try await other.writeAll(line + "\n") }
            }
            for number in 0..<100 {
                try await on(executor) { try await one.writeAll("\(number)\n") }
                try await assertEqual("\(number)") { try await on(executor) { try await one.readLine() } }
            }
            // Its open file description was not changed for that.
            XCTAssertEqual(fcntl(ends[0], F_GETFL) & O_NONBLOCK, 0)
            one.close()
            try await echo.value()
        }
    }

    /// Closing or cancelling here must not end the connection of others who hold the socket.
    func testOtherHoldersAreNotDisturbed() async throws {
        for executor in Self.executors {
            var ends: [Int32] = [0, 0]
            XCTAssertEqual(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends), 0)
            let holder = try LocalSocketStream(adopting: dup(ends[0]))
            let stream = try LocalSocketStream(adopting: ends[0])
            let peer = try LocalSocketStream(adopting: ends[1])
            let cancelled = RunningTask(on: executor) { try await stream.read(upTo: 1) }
            let closed = RunningTask(on: executor) { try await stream.read(upTo: 1) }
            let kept = RunningTask(on: executor) { try await holder.readLine() }
            await waitUntilAwaited(stream, by: 2)
            await waitUntilAwaited(holder)
            cancelled.cancel()
            await assertThrows(.cancelled) { try await cancelled.value() }
            stream.close()
            await assertThrows(.closed) { try await closed.value() }
            // A number that comes to mean something else, on the same loop, does not mix them up.
            let (new, newPeer) = try LocalSocketStream.pair()
            let reading = RunningTask(on: executor) { try await new.readLine() }
            await waitUntilAwaited(new)
            try await peer.writeAll("kept\n")
            try await assertEqual("kept") { try await kept.value() }
            try await newPeer.writeAll("new\n")
            try await assertEqual("new") { try await reading.value() }
            try await on(executor) { try await holder.writeAll("x\n") }
            try await assertEqual("x") { try await peer.readLine() }
        }
    }

    /// Two listeners for one socket: each client comes to one of those who wait at either.
    func testListener() async throws {
        for (name, executor) in try eachNameAndExecutor() {
            let descriptor = try LocalSocketListener(name).detach()
            let holder = try LocalSocketListener(adopting: dup(descriptor))
            let listener = try LocalSocketListener(adopting: descriptor)
            let servers = [listener, holder, listener, holder].map { listener in
                RunningTask(on: executor) { try await listener.accept().readLine() }
            }
            await waitUntilAwaited(listener, by: 2)
            await waitUntilAwaited(holder, by: 2)
            for number in 0..<4 {
                let client = try await LocalSocketStream.connect(to: name)
                try await client.writeAll("\(number)\n")
            }
            var lines: [String] = []
            for server in servers { lines.append(try await server.value() ?? "none") }
            XCTAssertEqual(lines.sorted(), ["0", "1", "2", "3"])

            let (ended, going) = (
                RunningTask(on: executor) { try await listener.accept() },
                RunningTask(on: executor) { try await holder.accept() }
            )
            await waitUntilAwaited(by: 2)
            listener.close()
            await assertThrows(.closed) { try await ended.value() }
            // Whoever else holds it goes on serving.
            _ = try await LocalSocketStream.connect(to: name)
            _ = try await going.value()
        }
    }

    func testDetach() async throws {
        for (name, executor) in try eachNameAndExecutor() {
            let (server, client) = try connected(name)
            try await server.writeAll("line\nmore")
            try await assertEqual("line") { try await on(executor) { try await client.readLine() } }
            await assertThrows(.busy, .detach) { try await client.detach() }
            XCTAssertEqual(client.takeBuffered(), Array("more".utf8))
            let reader = RunningTask(on: executor) { try await client.read(upTo: 1) }
            await waitUntilAwaited(client)
            await assertThrows(.busy, .detach) { try await client.detach() }
            reader.cancel()
            await assertThrows(.cancelled) { try await reader.value() }

            let descriptor = try await client.detach()
            XCTAssertTrue(client.isClosed)
            await assertThrows(.closed, .read) { try await client.read(upTo: 1) }
            await assertThrows(.closed, .detach) { try await client.detach() }
            // The loop knows nothing of it any more, and can learn of it anew.
            let again = try LocalSocketStream(adopting: descriptor)
            let reading = RunningTask(on: executor) { try await again.readLine() }
            await waitUntilAwaited(again)
            try await server.writeAll("x\n")
            try await assertEqual("x") { try await reading.value() }
            again.close()
            try await assertEqual([]) { try await server.read(upTo: 1) }
        }
    }

    /// What a cancelled or late call had got is not lost with the socket either.
    func testDetachRefusesWhileBytesAreBuffered() async throws {
        for executor in Self.executors {
            let (one, other) = try LocalSocketStream.pair()
            let reader = RunningTask(on: executor) { try await one.readExactly(5) }
            await waitUntilAwaited(one)
            try await other.writeAll("ab")
            try await waitUntilAwaitedForMore(one)
            reader.cancel()
            let error = await assertThrows(.cancelled, .read) { try await reader.value() }
            XCTAssertEqual(error?.bytesTransferred, 2)
            await assertThrows(.busy, .detach) { try await one.detach() }
            try await assertEqual(Array("ab".utf8)) { try await one.readExactly(2) }
            close(try await one.detach())
            try await assertEqual([]) { try await other.read(upTo: 1) }
        }
    }
}
