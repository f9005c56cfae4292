// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// Several objects for one connection, with tasks that await something on each.
final class SharingAsyncTests: InterprocessTestCase {
    func testDuplicateSurvivesTheOriginal() async throws {
        for (name, executor) in try eachNameAndExecutor() {
            let (server, client) = try connected(name)
            let copy = try await client.duplicate()
            let original = RunningTask(on: executor) { try await client.readExactly(5) }
            await waitUntilAwaited(client)
            let reader = RunningTask(on: executor) { try await copy.readExactly(5) }
            await waitUntilAwaited(copy)
            client.close()
            await assertThrows(.closed, .read) { try await original.value() }
            await waitUntilAwaited(copy)
            try await server.writeAll("still")
            try await assertEqual(Array("still".utf8)) { try await reader.value() }
            try await on(executor) { try await copy.writeAll("here") }
            try await assertEqual(Array("here".utf8)) { try await server.readExactly(4) }
            copy.close()
            try await assertEqual([]) { try await server.read(upTo: 1) }
        }
    }

    func testOriginalSurvivesTheDuplicate() async throws {
        for executor in Self.executors {
            let (one, other) = try LocalSocketStream.pair()
            let copy = try await one.duplicate()
            let reader = RunningTask(on: executor) { try await one.readExactly(1) }
            let copyReader = RunningTask(on: executor) { try await copy.readExactly(1) }
            await waitUntilAwaited(one)
            await waitUntilAwaited(copy)
            copy.close()
            await assertThrows(.closed) { try await copyReader.value() }
            await waitUntilAwaited(one)
            try await other.writeAll("x")
            try await assertEqual([UInt8(ascii: "x")]) { try await reader.value() }
        }
    }

    /// Tasks that wait are no obstacle to sharing, as threads that are blocked in a call are, save to giving the socket
    /// away.
    func testSharingWhileATaskWaits() async throws {
        for executor in Self.executors {
            for isWriter in [false, true] {
                let (one, other) = try LocalSocketStream.pair()
                let filled = isWriter ? try fill(one) : 0
                let call = RunningTask(on: executor) {
                    if isWriter { return try await one.writeAll("x") }
                    _ = try await one.read(upTo: 1)
                }
                await waitUntilAwaited(one)
                assertThrows(.busy, .detach) { try one.detach() }
                await assertThrows(.busy, .detach) { try await one.detach() }
                let (receiver, sender) = try one.split()
                let copy = try await one.duplicate()
                try one.setInheritable(false)
                XCTAssertGreaterThanOrEqual(try one.withUnsafeDescriptor { $0 }, 0)
                await waitUntilAwaited(one)
                if isWriter {
                    try await assertEqual(filled) { try await other.readExactly(filled).count }
                } else {
                    try await other.writeAll("x")
                }
                try await call.value()
                withExtendedLifetime((receiver, sender)) {}
                // Now that nobody waits any more it can go; the duplicate stays.
                let descriptor = try await one.detach()
                close(descriptor)
                try await copy.writeAll("y")
                try await assertEqual(isWriter ? Array("xy".utf8) : Array("y".utf8)) {
                    try await other.readExactly(isWriter ? 2 : 1)
                }
            }
        }
    }

    /// A thread that is blocked keeps the awaited forms of sharing from their work, too.
    func testSharingWhileAThreadIsBlocked() async throws {
        let (one, other) = try LocalSocketStream.pair()
        let call = Running { try one.read(upTo: 1) }
        call.waitUntilBlocked()
        let task = RunningTask { try await one.read(upTo: 1) }
        await waitUntilAwaited(one)
        await assertThrows(.busy, .duplicate) { try await one.duplicate() }
        await assertThrows(.busy, .detach) { try await one.detach() }
        one.close()
        await assertThrows(.closed, .read) { try await task.value() }
        assertThrows(.closed, .read) { try call.value() }
        other.close()
    }

    func testHalvesAreClosedSeparately() async throws {
        for executor in Self.executors {
            for receiverFirst in [true, false] {
                let (one, other) = try LocalSocketStream.pair()
                let (receiver, sender) = try one.split()
                let filled = try fill(one)
                let reader = RunningTask(on: executor) { try await receiver.readLine() }
                let writer = RunningTask(on: executor) { try await sender.writeAll("x") }
                await waitUntilAwaited(one, by: 2)
                if receiverFirst { receiver.close() } else { sender.close() }
                await waitUntilAwaited(one, by: 1)
                if receiverFirst {
                    await assertThrows(.closed, .read) { try await reader.value() }
                    await assertThrows(.closed, .read) { try await one.read(upTo: 1) }
                    try await assertEqual(filled) { try await other.readExactly(filled).count }
                    try await writer.value()
                    try await assertEqual([UInt8(ascii: "x")]) { try await other.readExactly(1) }
                } else {
                    await assertThrows(.closed, .write) { try await writer.value() }
                    await assertThrows(.closed, .write) { try await one.writeAll("x") }
                    // The peer is not told: the connection lives on.
                    try await other.writeAll("line\n")
                    try await assertEqual("line") { try await reader.value() }
                    try await assertEqual(filled) { try await other.readExactly(filled).count }
                    await assertThrows(.timedOut) { try await other.read(upTo: 1, timeout: .zero) }
                }
                XCTAssertFalse(one.isClosed)
                await assertThrows(.closed, .detach) { try await one.detach() }
                if receiverFirst { sender.close() } else { receiver.close() }
                XCTAssertTrue(one.isClosed)
                try await assertEqual([]) { try await other.read(upTo: 1) }
                await assertThrows(.brokenPipe) { try await other.writeAll("x") }
            }
        }
    }

    /// Halves and what is made of them again read on where the others have got to.
    func testHalvesShareReadAhead() async throws {
        for executor in Self.executors {
            let (one, other) = try LocalSocketStream.pair()
            let first = RunningTask(on: executor) { try await one.readLine() }
            await waitUntilAwaited(one)
            let (receiver, sender) = try one.split()
            let others = (0..<2).map { _ in RunningTask(on: executor) { try await receiver.readLine() } }
            await waitUntilAwaited(one, by: 3)
            try await other.writeAll("a\nb\nc\nd\ne")
            try await assertEqual("a") { try await first.value() }
            let lines = try await [others[0].value(), others[1].value()].compactMap(\.self)
            XCTAssertEqual(lines.sorted(), ["b", "c"])
            let whole = try LocalSocketStream.reunite(receiver, sender)
            try await assertEqual("d") { try await on(executor) { try await whole.readLine() } }
            await assertThrows(.busy, .detach) { try await whole.detach() }
            XCTAssertEqual(whole.takeBuffered(), Array("e".utf8))
        }
    }

    func testReunited() async throws {
        for executor in Self.executors {
            let (one, other) = try LocalSocketStream.pair()
            let (receiver, sender) = try one.split()
            let whole = try LocalSocketStream.reunite(receiver, sender)
            // They are all the same to those who wait.
            let readers = [
                RunningTask(on: executor) { try await whole.readExactly(1) },
                RunningTask(on: executor) { try await receiver.readExactly(1) },
                RunningTask(on: executor) { try await one.readExactly(1) },
            ]
            await waitUntilAwaited(whole, by: 3)
            try await other.writeAll("xyz")
            var bytes: [UInt8] = []
            for reader in readers { bytes += try await reader.value() }
            XCTAssertEqual(bytes.sorted(), Array("xyz".utf8))
            let last = RunningTask(on: executor) { try await receiver.read(upTo: 1) }
            await waitUntilAwaited(one)
            whole.close()
            await assertThrows(.closed) { try await last.value() }
        }
    }
}
