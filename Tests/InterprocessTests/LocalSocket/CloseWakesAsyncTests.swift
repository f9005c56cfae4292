// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// Closing and cancelling end every awaited call, on every kind of stream.
final class CloseWakesAsyncTests: InterprocessTestCase {
    /// Tasks that wait for something to come, or for room.
    private func readersAndWriters(
        _ stream: LocalSocketStream,
        _ executor: (any TaskExecutor)?
    ) -> (readers: [RunningTask<Void>], writers: [RunningTask<Void>]) {
        (
            readers: [
                RunningTask(on: executor) { _ = try await stream.read(upTo: 1) },
                RunningTask(on: executor) { _ = try await stream.read(upTo: 1, timeout: .seconds(25)) },
                RunningTask(on: executor) { _ = try await stream.readExactly(9) },
                RunningTask(on: executor) { _ = try await stream.readLine() },
                RunningTask(on: executor) { _ = try await stream.readToEnd(timeout: .seconds(25)) },
                RunningTask(on: executor) { for try await _ in stream.chunks {} },
                RunningTask(on: executor) { for try await _ in stream.lines {} },
            ],
            writers: [
                RunningTask(on: executor) { _ = try await stream.write([1]) },
                RunningTask(on: executor) { try await stream.writeAll("text") },
                RunningTask(on: executor) { try await stream.writeAll([1, 2, 3], timeout: .seconds(25)) },
            ]
        )
    }

    func testClosing() async throws {
        for executor in Self.executors {
            for (kind, make) in eachKindOfStream() {
                let (stream, peer) = try make()
                _ = try fill(stream)
                let (readers, writers) = readersAndWriters(stream, executor)
                await waitUntilAwaited(stream, by: 10)
                stream.close()
                for reader in readers { await assertThrows(.closed, .read) { try await reader.value() } }
                for writer in writers { await assertThrows(.closed, .write) { try await writer.value() } }
                await assertThrows(.closed, .read) { try await stream.read(upTo: 1) }
                await assertThrows(.closed, .read) { try await stream.readLine() }
                await assertThrows(.closed, .write) { try await stream.write([1]) }
                await assertThrows(.closed) { try await stream.duplicate() }
                await assertThrows(.closed) { try await stream.detach() }
                await assertThrows(.closed) { try await stream.shutdown(.both) }
                await assertThrows(.closed) { try await stream.peerCredentials() }
                await assertThrows(.closed) { try await stream.peerProcess() }
                XCTAssertTrue(stream.isClosed, kind)
                peer.close()
            }
        }
    }

    /// Cancelling ends one call and disturbs no other one.
    func testCancelling() async throws {
        for executor in Self.executors {
            for (kind, make) in eachKindOfStream() {
                let (stream, peer) = try make()
                let filled = try fill(stream)
                let (readers, writers) = readersAndWriters(stream, executor)
                await waitUntilAwaited(stream, by: 10)
                var left = 10
                for call in (readers + writers).shuffled() {
                    call.cancel()
                    await assertThrows(.cancelled) { try await call.value() }
                    left -= 1
                    await waitUntilAwaited(stream, by: left)
                }
                // The stream is as it was.
                try await assertEqual(filled) { try await peer.readExactly(filled).count }
                try await stream.writeAll("there\n")
                try await assertEqual("there") { try await peer.readLine() }
                try await peer.writeAll("back\n")
                try await assertEqual("back") { try await stream.readLine() }
                XCTAssertFalse(stream.isClosed, kind)
            }
        }
    }

    func testHalves() async throws {
        for executor in Self.executors {
            for closesStream in [false, true] {
                let (one, other) = try LocalSocketStream.pair()
                let (receiver, sender) = try one.split()
                _ = try fill(one)
                let reader = RunningTask(on: executor) { try await receiver.read(upTo: 1) }
                let limited = RunningTask(on: executor) { try await receiver.readExactly(5, timeout: .seconds(25)) }
                let writer = RunningTask(on: executor) { try await sender.writeAll("x") }
                await waitUntilAwaited(one, by: 3)
                if closesStream {
                    one.close()
                } else {
                    receiver.close()
                    await assertThrows(.closed, .read) { try await reader.value() }
                    await waitUntilAwaited(one, by: 1)
                    XCTAssertFalse(writer.hasEnded, "the other direction was disturbed")
                    sender.close()
                }
                await assertThrows(.closed, .read) { try await reader.value() }
                await assertThrows(.closed, .read) { try await limited.value() }
                await assertThrows(.closed, .write) { try await writer.value() }
                XCTAssertTrue(one.isClosed)
                other.close()
            }
        }
    }

    /// What was sent before closing reaches the peer, also when tasks had to be woken for it.
    func testSentDataSurvivesClosing() async throws {
        for executor in Self.executors {
            for (_, make) in eachKindOfStream() {
                let (stream, peer) = try make()
                try await stream.writeAll("last words")
                let reader = RunningTask(on: executor) { try await stream.read(upTo: 1) }
                await waitUntilAwaited(stream)
                stream.close()
                await assertThrows(.closed) { try await reader.value() }
                try await assertEqual(Array("last words".utf8)) { try await peer.readToEnd() }
            }
        }
    }

    /// Bytes that come while the stream is being closed are not passed off as the end of the stream.
    func testClosingAgainstTraffic() async throws {
        for executor in Self.executors {
            for round in 0..<100 {
                let (one, other) = try LocalSocketStream.pair()
                let reader = RunningTask(on: executor) {
                    while true {
                        let bytes = try await round % 2 == 0 ? one.read(upTo: 100) : one.readExactly(3)
                        if bytes.isEmpty { return }
                    }
                }
                let writer = RunningTask(on: executor) { while true { try await other.writeAll("some bytes") } }
                // A little later each time.
                for _ in 0..<round { await Task.yield() }
                one.close()
                await assertThrows(.closed, .read) { try await reader.value() }
                // A reset comes first where bytes were left unread.
                do {
                    try await writer.value()
                } catch let error as IPCError {
                    XCTAssertTrue([.brokenPipe, .connectionReset].contains(error.code), "\(error)")
                }
            }
        }
    }

    /// An event loop does not keep a stream open that nobody refers to.
    func testDroppingTheLastReferenceCloses() async throws {
        for executor in Self.executors {
            let (one, other) = try LocalSocketStream.pair()
            try await awaitAndDrop(one.detach(), executor)
            try await assertEqual([]) { try await other.read(upTo: 1, timeout: .seconds(10)) }
        }
    }

    private func awaitAndDrop(_ descriptor: RawDescriptor, _ executor: (any TaskExecutor)?) async throws {
        let stream = try LocalSocketStream(adopting: descriptor)
        await assertThrows(.timedOut) {
            try await on(executor) { try await stream.read(upTo: 1, timeout: .milliseconds(1)) }
        }
    }
}
