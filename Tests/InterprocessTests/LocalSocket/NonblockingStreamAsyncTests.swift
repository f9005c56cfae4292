// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// Nonblocking mode, of the object or of the descriptor, is nothing to awaited calls: they suspend all the same.
final class NonblockingStreamAsyncTests: InterprocessTestCase {
    func testReadAndWrite() async throws {
        for (name, executor) in try eachNameAndExecutor() {
            let listener = try LocalSocketListener(name)
            var options = LocalSocketStream.ConnectOptions()
            options.nonblocking = true
            let nonblocking = options
            let client = try await on(executor) { try await LocalSocketStream.connect(to: name, options: nonblocking) }
            let server = try await listener.accept()
            for read: @Sendable (LocalSocketStream) async throws -> String in [
                { String(decoding: try await $0.read(upTo: 2), as: UTF8.self) },
                { String(decoding: try await $0.readExactly(2), as: UTF8.self) },
                { try await $0.readLine().map { $0 + "\n" } ?? "" },
            ] {
                let reader = RunningTask(on: executor) { try await read(client) }
                await waitUntilAwaited(client)
                // A thread is still told at once.
                assertThrows(.wouldBlock, .read) { try client.read(upTo: 1) }
                try await server.writeAll("x\n")
                try await assertEqual("x\n") { try await reader.value() }
                await assertThrows(.timedOut, .read) {
                    try await on(executor) { try await client.read(upTo: 1, timeout: .milliseconds(5)) }
                }
            }
            let writer = RunningTask(on: executor) { try await client.writeAll([UInt8](repeating: 1, count: 4 << 20)) }
            await waitUntilAwaited(client)
            assertThrows(.wouldBlock, .write) { try client.write([1]) }
            try await assertEqual(4 << 20) { try await server.readExactly(4 << 20).count }
            try await writer.value()
            server.close()
            try await assertEqual([]) { try await client.read(upTo: 1) }
        }
    }

    func testPartialReadExactlyKeepsTheBytes() async throws {
        for executor in Self.executors {
            let (server, client) = try connected(try uniquePathName())
            server.setNonblocking(true)
            let reader = RunningTask(on: executor) { try await server.readExactly(5) }
            await waitUntilAwaited(server)
            try await client.writeAll("abc")
            try await waitUntilAwaitedForMore(server)
            reader.cancel()
            let error = await assertThrows(.cancelled, .read) { try await reader.value() }
            XCTAssertEqual(error?.bytesTransferred, 3)
            try await client.writeAll("de")
            try await assertEqual(Array("abcde".utf8)) { try await on(executor) { try await server.readExactly(5) } }
        }
    }

    func testPartialWriteAllTellsHowFarItCame() async throws {
        let bytes = (0..<(8 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        for executor in Self.executors {
            let (server, client) = try connected(try uniquePathName())
            client.setNonblocking(true)
            let writer = RunningTask(on: executor) { try await client.writeAll(bytes) }
            await waitUntilAwaited(client)
            writer.cancel()
            let error = await assertThrows(.cancelled, .write) { try await writer.value() }
            let sent = try XCTUnwrap(error).bytesTransferred
            XCTAssertGreaterThan(sent, 0)
            XCTAssertLessThan(sent, bytes.count)

            // Going on from there completes the message.
            let reader = RunningTask(on: executor) { try await server.readToEnd() }
            try await on(executor) {
                try await client.writeAll(Array(bytes[sent...]))
                client.close()
            }
            let received = try await reader.value()
            XCTAssertTrue(received == bytes)
        }
    }

    /// The open file description, which others may share, is left alone, in whichever mode it is.
    func testDescriptorsMode() async throws {
        for executor in Self.executors {
            for flags in [0, O_NONBLOCK] {
                let (one, other) = try LocalSocketStream.pair()
                _ = try one.withUnsafeDescriptor { fcntl($0, F_SETFL, flags) }
                let reader = RunningTask(on: executor) { try await one.read(upTo: 1) }
                await waitUntilAwaited(one)
                try await other.writeAll("x")
                try await assertEqual([UInt8(ascii: "x")]) { try await reader.value() }
                let filled = try fill(one)
                let writer = RunningTask(on: executor) { try await one.writeAll("y") }
                await waitUntilAwaited(one)
                XCTAssertEqual(try one.withUnsafeDescriptor { fcntl($0, F_GETFL) } & O_NONBLOCK, flags)
                try await assertEqual(filled) { try await other.readExactly(filled).count }
                try await writer.value()
                try await assertEqual([UInt8(ascii: "y")]) { try await other.readExactly(1) }
            }
        }
    }

    func testHalves() async throws {
        for executor in Self.executors {
            let (one, other) = try LocalSocketStream.pair()
            let (receiver, sender) = try one.split()
            receiver.setNonblocking(true)
            sender.setNonblocking(true)
            let reader = RunningTask(on: executor) { try await receiver.read(upTo: 1) }
            let writer = RunningTask(on: executor) { try await sender.writeAll([UInt8](repeating: 1, count: 4 << 20)) }
            await waitUntilAwaited(one, by: 2)
            try await assertEqual(4 << 20) { try await other.readExactly(4 << 20).count }
            try await writer.value()
            try await other.writeAll("x")
            try await assertEqual([UInt8(ascii: "x")]) { try await reader.value() }
        }
    }
}
