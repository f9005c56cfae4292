// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// Ending one direction of a connection, where tasks await the other, or the same.
final class HalfCloseAsyncTests: InterprocessTestCase {
    func testEndOfSending() async throws {
        for (name, executor) in try eachNameAndExecutor() {
            let (server, client) = try connected(name)
            let reader = RunningTask(on: executor) { try await server.readToEnd() }
            await waitUntilAwaited(server)
            try await client.writeAll("question")
            try await on(executor) { try await client.shutdown(.send) }
            try await assertEqual(Array("question".utf8)) { try await reader.value() }
            // The other direction goes on, from where it waited already, too.
            let answer = RunningTask(on: executor) { try await client.readExactly(6) }
            await waitUntilAwaited(client)
            try await on(executor) { try await server.writeAll("answer") }
            try await assertEqual(Array("answer".utf8)) { try await answer.value() }
            await assertThrows(.brokenPipe, .write) { try await on(executor) { try await client.writeAll("more") } }
            try await server.shutdown(.send)
            try await assertEqual([]) { try await on(executor) { try await client.read(upTo: 1) } }
        }
    }

    /// Each awaited form of reading finds the end, again and again.
    func testEndOfSendingEndsEveryRead() async throws {
        for executor in Self.executors {
            let (server, client) = try connected(try uniquePathName())
            let plain = (0..<3).map { _ in RunningTask(on: executor) { try await server.read(upTo: 1).count } }
            let lines = (0..<3).map { _ in RunningTask(on: executor) { try await server.readLine() } }
            let exact = RunningTask(on: executor) { try await server.readExactly(1) }
            let chunks = RunningTask(on: executor) {
                for try await _ in server.chunks { XCTFail("a chunk of nothing") }
            }
            await waitUntilAwaited(server, by: 8)
            try await client.shutdown(.send)
            for task in plain { try await assertEqual(0) { try await task.value() } }
            for task in lines { try await assertEqual(nil) { try await task.value() } }
            await assertThrows(.endOfStream, .read) { try await exact.value() }
            try await chunks.value()
            for _ in 0..<3 { try await assertEqual([]) { try await on(executor) { try await server.read(upTo: 1) } } }
        }
    }

    /// The system does not tell those who wait for room; the library does.
    func testEndOfSendingEndsEveryWrite() async throws {
        for executor in Self.executors {
            let (server, client) = try connected(try uniquePathName())
            _ = try fill(client)
            let writers = (0..<3).map { _ in RunningTask(on: executor) { try await client.writeAll("x") } }
            await waitUntilAwaited(client, by: 3)
            try await client.shutdown(.send)
            for writer in writers { await assertThrows(.brokenPipe, .write) { try await writer.value() } }
            server.close()
        }
    }

    func testEndOfReceiving() async throws {
        for (name, executor) in try eachNameAndExecutor() {
            let (server, client) = try connected(name)
            try await server.writeAll("before")
            try await on(executor) { try await client.shutdown(.receive) }
            // What had come is there, then it ends; the peer cannot send any more, and can receive.
            try await assertEqual(Array("before".utf8)) { try await on(executor) { try await client.readToEnd() } }
            await assertThrows(.brokenPipe, .write) { try await on(executor) { try await server.writeAll("after") } }
            let reader = RunningTask(on: executor) { try await server.readExactly(6) }
            await waitUntilAwaited(server)
            try await on(executor) { try await client.writeAll("onward") }
            try await assertEqual(Array("onward".utf8)) { try await reader.value() }
        }
    }

    func testEndOfReceivingWakesTheReaderAndThePeersWriter() async throws {
        for executor in Self.executors {
            let (server, client) = try connected(try uniquePathName())
            let reader = RunningTask(on: executor) { try await client.read(upTo: 1) }
            await waitUntilAwaited(client)
            try await client.shutdown(.receive)
            // It was not closed: to the reader it is the end of the stream.
            try await assertEqual([]) { try await reader.value() }

            let (second, other) = try connected(try uniquePathName())
            let filled = try fill(second)
            let writer = RunningTask(on: executor) { try await second.writeAll("x") }
            await waitUntilAwaited(second)
            try await other.shutdown(.receive)
            // Linux tells those who wait for room of it when there is some.
            try await assertEqual(filled) { try await other.readToEnd().count }
            await assertThrows(.brokenPipe, .write) { try await writer.value() }
            server.close()
        }
    }

    func testBoth() async throws {
        for executor in Self.executors {
            let (server, client) = try connected(try namespacedName())
            let readers = [client, server].map { stream in
                RunningTask(on: executor) { try await stream.read(upTo: 1) }
            }
            await waitUntilAwaited(client)
            await waitUntilAwaited(server)
            try await client.shutdown(.both)
            for reader in readers { try await assertEqual([]) { try await reader.value() } }
            await assertThrows(.brokenPipe, .write) { try await on(executor) { try await server.writeAll("x") } }
            await assertThrows(.brokenPipe, .write) { try await on(executor) { try await client.writeAll("x") } }
            XCTAssertFalse(client.isClosed)
            // Again is harmless.
            try await client.shutdown(.both)
            client.close()
            await assertThrows(.closed, .shutdown) { try await client.shutdown(.send) }
        }
    }

    func testHalfAndDuplicateEndItForAll() async throws {
        for executor in Self.executors {
            let (server, client) = try connected(try uniquePathName())
            let other = try await client.duplicate()
            let (_, sender) = try client.split()
            let answer = RunningTask(on: executor) { try await other.readExactly(1) }
            let filled = try fill(client)
            let writers = [client, other].map { stream in
                RunningTask(on: executor) { try await stream.writeAll([1]) }
            }
            await waitUntilAwaited(client)
            await waitUntilAwaited(other, by: 2)
            try sender.shutdown()
            // Linux tells those who wait for room of it when there is some.
            try await assertEqual(filled) { try await server.readToEnd().count }
            for writer in writers { await assertThrows(.brokenPipe, .write) { try await writer.value() } }
            try await server.writeAll("z")
            try await assertEqual([UInt8(ascii: "z")]) { try await answer.value() }
        }
    }

    func testPair() async throws {
        for executor in Self.executors {
            let (one, other) = try LocalSocketStream.pair()
            try await on(executor) {
                async let there: Void = one.writeAll("there")
                async let back: Void = other.writeAll("back")
                _ = try await (there, back)
            }
            try await assertEqual(Array("there".utf8)) { try await other.readExactly(5) }
            try await assertEqual(Array("back".utf8)) { try await one.readExactly(4) }
            try await assertEqual(getpid()) { try await one.peerCredentials().processID }
            try await one.shutdown(.send)
            try await assertEqual([]) { try await other.read(upTo: 1) }
            other.close()
            await assertThrows(.brokenPipe) { try await one.writeAll("x") }
        }
    }
}
