// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

/// Calls that suspend: what they wait for, and what ends them.
final class UnixWaitingAsyncTests: InterprocessTestCase {
    private func receivers(_ one: any UnixSocket, _ executor: (any TaskExecutor)?) -> [RunningTask<Void>] {
        var calls: [RunningTask<Void>] = [
            RunningTask(on: executor) { _ = try await one.receive(upTo: 9) },
            RunningTask(on: executor) { _ = try await one.receive(upTo: 9, maximumDescriptors: 3) },
            RunningTask(on: executor) { _ = try await one.receive(upTo: 9, timeout: .seconds(25)) },
            RunningTask(on: executor) { _ = try await one.peek(upTo: 9) },
            RunningTask(on: executor) { _ = try await one.peek(upTo: 9, timeout: .seconds(25)) },
        ]
        #if os(Linux)
        if let messages = one as? any UnixMessageSocket {
            calls.append(RunningTask(on: executor) { _ = try await messages.nextMessageSize() })
        }
        if let datagrams = one as? UnixDatagramSocket {
            calls.append(
                RunningTask(on: executor) {
                    let batch = UnixDatagramBatch(capacity: 2, maximumSize: 2)
                    _ = try await datagrams.receiveMany(into: batch)
                }
            )
        }
        #endif
        return calls
    }

    private func senders(_ one: any UnixSocket, _ executor: (any TaskExecutor)?) -> [RunningTask<Void>] {
        [
            RunningTask(on: executor) { _ = try await one.send([1]) },
            RunningTask(on: executor) { _ = try await one.send([1], timeout: .seconds(25)) },
        ]
    }

    func testReceivingWaits() async throws {
        for executor in Self.executors {
            for pair in try eachKindOfUnixSocket() {
                let (one, other) = (pair.one, pair.other)
                let forms: [@Sendable () async throws -> [UInt8]] = [
                    { try await one.receive(upTo: 9).bytes },
                    { try await one.receive(upTo: 9, maximumDescriptors: 3).bytes },
                    { try await one.receive(upTo: 9, timeout: .seconds(25)).bytes },
                ]
                for form in forms {
                    let call = RunningTask(on: executor, form)
                    await waitUntilAwaited(one)
                    try await other.send([5])
                    try await assertEqual([5], pair.name) { try await call.value() }
                }
                let peeks = [RunningTask(on: executor) { try await one.peek(upTo: 9) }]
                await waitUntilAwaited(one)
                try await other.send([6])
                for peek in peeks { try await assertEqual([6], pair.name) { try await peek.value() } }
                pair.close()
            }
        }
    }

    func testSendingWaits() async throws {
        for executor in Self.executors {
            for pair in try eachKindOfUnixSocket() {
                let (one, other) = (pair.one, pair.other)
                let count = try fill(one)
                let calls = senders(one, executor)
                await waitUntilAwaited(one, by: 2)
                var received = 0
                while received < count + 2 { received += try await other.receive(upTo: 100_000).bytes.count }
                for call in calls { try await call.value() }
                XCTAssertEqual(received, count + 2)
                pair.close()
            }
        }
    }

    func testClosing() async throws {
        for executor in Self.executors {
            for pair in try eachKindOfUnixSocket() {
                let one = pair.one
                _ = try fill(one)
                let (receivers, senders) = (receivers(one, executor), senders(one, executor))
                await waitUntilAwaited(one, by: receivers.count + senders.count)
                one.descriptorCore.close()
                for call in receivers { await assertThrows(.closed, .read) { try await call.value() } }
                for call in senders { await assertThrows(.closed, .write) { try await call.value() } }
                await assertThrows(.closed, .read) { try await one.receive(upTo: 9) }
                await assertThrows(.closed, .read) { try await one.peek(upTo: 9) }
                await assertThrows(.closed, .write) { try await one.send([1]) }
                pair.close()
            }
        }
    }

    /// Cancelling ends one call and disturbs no other one.
    func testCancelling() async throws {
        for executor in Self.executors {
            for pair in try eachKindOfUnixSocket() {
                let (one, other) = (pair.one, pair.other)
                let count = try fill(one)
                let calls = (receivers(one, executor) + senders(one, executor)).shuffled()
                var left = calls.count
                await waitUntilAwaited(one, by: left)
                for call in calls {
                    call.cancel()
                    await assertThrows(.cancelled) { try await call.value() }
                    left -= 1
                    await waitUntilAwaited(one, by: left)
                }
                var received = 0
                while received < count { received += try await other.receive(upTo: 100_000).bytes.count }
                XCTAssertEqual(received, count)
                try await other.send([1])
                try await assertEqual([1], pair.name) { try await one.receive(upTo: 9).bytes }
                pair.close()
            }
        }
    }

    func testTimeouts() async throws {
        try await onEachExecutor {
            for pair in try eachKindOfUnixSocket() {
                let one = pair.one
                _ = try fill(one)
                // Suspends in nonblocking mode too.
                one.setNonblockingForTest(true)
                for limit in [Duration.zero, .milliseconds(3)] {
                    await assertThrows(.timedOut, .read) { try await one.receive(upTo: 9, timeout: limit) }
                    await assertThrows(.timedOut, .read) { try await one.peek(upTo: 9, timeout: limit) }
                    await assertThrows(.timedOut, .write) { try await one.send([1], timeout: limit) }
                }
                one.receivingSide.settings.timeout = .milliseconds(1)
                one.sendingSide.settings.timeout = .milliseconds(1)
                await assertThrows(.timedOut, .read) { try await one.receive(upTo: 9) }
                await assertThrows(.timedOut, .write) { try await one.send([1]) }
                pair.close()
            }
        }
    }

    /// Room in the queue of one that the socket is not connected to.
    func testFullQueue() async throws {
        for executor in Self.executors {
            for isConnected in [false, true] {
                let path = path("\(UInt32.random(in: 0...UInt32.max))")
                let server = try UnixDatagramSocket(address: .path(path))
                let client = try UnixDatagramSocket()
                if isConnected { try client.connect(to: .path(path)) }
                let address = try server.localAddress()
                let send = { @Sendable (limit: Duration?) async throws in
                    if isConnected {
                        _ = try await client.send([1], timeout: limit)
                    } else {
                        _ = try await client.send([1], to: address, timeout: limit)
                    }
                }
                var count = 0
                while (try? await send(.zero)) != nil { count += 1 }
                XCTAssertGreaterThan(count, 0)
                await assertThrows(.timedOut, .write) { try await send(.milliseconds(5)) }
                let sendMany = { @Sendable (limit: Duration?) async throws in
                    let batch = UnixDatagramBatch(capacity: 1, maximumSize: 1)
                    try batch.add([1], to: isConnected ? nil : address)
                    _ = try await client.sendMany(batch, timeout: limit)
                }
                await assertThrows(.timedOut, .write) { try await sendMany(.milliseconds(5)) }
                for form in [send, sendMany] {
                    let cancelled = RunningTask(on: executor) { try await form(nil) }
                    await waitUntilAwaited()
                    cancelled.cancel()
                    await assertThrows(.cancelled, .write) { try await cancelled.value() }
                }
                let sender = RunningTask(on: executor) { try await send(nil) }
                await waitUntilAwaited()
                for _ in 0...count { try await assertEqual([1]) { try await server.receive(upTo: 9).bytes } }
                try await sender.value()
                while (try? await send(.zero)) != nil {}
                let closed = RunningTask(on: executor) { try await send(nil) }
                await waitUntilAwaited()
                client.close()
                await assertThrows(.closed, .write) { try await closed.value() }
                server.close()
            }
        }
    }
}
