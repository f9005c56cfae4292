// SPDX-License-Identifier: MIT OR Apache-2.0

import CInterprocess
import Foundation
import XCTest

@testable import Interprocess

/// Those who wait for the same thing are served in the order in which they came, and none of them is forgotten.
final class AwaitOrderTests: InterprocessTestCase {
    /// Starts tasks that wait one behind the other, in order: the loop runs each until it waits, and then the next one.
    private func inLine<Value: Sendable>(
        _ count: Int,
        _ body: @escaping @Sendable (Int) async throws -> Value
    ) async -> [Task<Value, any Error>] {
        let loop = EventLoop()
        let tasks = await loop.run {
            (0..<count).map { place in Task(executorPreference: loop) { try await body(place) } }
        }
        await loop.run {}
        return tasks
    }

    func testReaders() async throws {
        for isAtOnce in [false, true] {
            let (near, far) = try LocalSocketStream.pair()
            let tasks = await inLine(20) { _ in try await near.read(upTo: 1) }
            if isAtOnce {
                try await far.writeAll((0..<20).map { UInt8($0) })
            } else {
                for byte in 0..<UInt8(20) { try send(byte, over: far) }
            }
            for (place, task) in tasks.enumerated() {
                let bytes = try await task.value
                XCTAssertEqual(bytes, [UInt8(place)])
            }
        }
    }

    func testReadersOfWhichSomeGiveUp() async throws {
        let (near, far) = try LocalSocketStream.pair()
        let tasks = await inLine(20) { place in
            try await near.read(upTo: 1, timeout: place % 4 == 1 ? .milliseconds(1) : nil)
        }
        for place in stride(from: 1, to: 20, by: 4) { await assertThrows(.timedOut) { try await tasks[place].value } }
        for place in stride(from: 0, to: 20, by: 4) {
            tasks[place].cancel()
            await assertThrows(.cancelled) { try await tasks[place].value }
        }
        try await far.writeAll((0..<10).map { UInt8($0) })
        for (byte, place) in (0..<20).filter({ $0 % 4 > 1 }).enumerated() {
            let bytes = try await tasks[place].value
            XCTAssertEqual(bytes, [UInt8(byte)])
        }
    }

    func testWriters() async throws {
        let (near, far) = try LocalSocketStream.pair()
        near.descriptorCore.setSmallBuffer()
        let filler = try fill(near)
        let tasks = await inLine(20) { place in try await near.writeAll([UInt8(place)]) }
        let bytes = try await far.readExactly(filler + 20)
        XCTAssertEqual(bytes.suffix(20), Array(0..<20))
        for task in tasks { try await task.value }
    }

    func testAcceptors() async throws {
        let name = try namespacedName()
        let listener = try LocalSocketListener(name)
        let tasks = await inLine(10) { _ in try await listener.accept() }
        var clients: [LocalSocketStream] = []
        for place in 0..<UInt8(10) {
            let client = try await LocalSocketStream.connect(to: name)
            try send(place, over: client)
            clients.append(client)
        }
        for (place, task) in tasks.enumerated() {
            let bytes = try await task.value.read(upTo: 1)
            XCTAssertEqual(bytes, [UInt8(place)])
        }
    }

    /// Two readers behind those that wait already, and a byte for each of them.
    private func readersBehind(
        _ near: LocalSocketStream,
        _ far: LocalSocketStream
    ) async throws -> [Task<[UInt8], any Error>] {
        let readers = await inLine(2) { _ in try await near.read(upTo: 1) }
        try send(1, over: far)
        try send(2, over: far)
        return readers
    }

    private func check(_ readers: [Task<[UInt8], any Error>]) async throws {
        for (place, reader) in readers.enumerated() {
            let bytes = try await reader.value
            XCTAssertEqual(bytes, [UInt8(place + 1)])
        }
    }

    /// One that is let go before others, finds nothing, and gives up because of its deadline: the next one is served.
    func testOneThatIsServedInVainIsNotTheLast() async throws {
        let (near, far) = try LocalSocketStream.pair()
        let core = near.descriptorCore
        let first = await inLine(1) { _ in
            let deadline = Deadline(after: .milliseconds(20))
            let result = await core.awaiting(.receive, until: deadline, waitsFirst: true) {
                // It is served in time, and not done in time.
                while !deadline.hasPassed {}
                return -cip_codes.would_block
            }
            return try core.checked(result, .read)
        }
        let others = try await readersBehind(near, far)
        await assertThrows(.timedOut) { try await first[0].value }
        try await check(others)
    }

    /// One that is served, and fails.
    func testOneThatFailsIsNotTheLast() async throws {
        let (near, far) = try LocalSocketStream.pair()
        let core = near.descriptorCore
        let first = await inLine(1) { _ in
            let result = await core.awaiting(.receive, until: .never, waitsFirst: true) { -Int64(ENOBUFS) }
            return try core.checked(result, .read)
        }
        let others = try await readersBehind(near, far)
        await assertThrows(.resourcesExhausted) { try await first[0].value }
        try await check(others)
    }

    /// One that is served is cancelled before it comes back to wait.
    func testOneThatIsCancelledWhileItIsServedIsNotTheLast() async throws {
        let (near, far) = try LocalSocketStream.pair()
        let core = near.descriptorCore
        let first = await inLine(1) { _ in
            let result = await core.awaiting(.receive, until: .never, waitsFirst: true) {
                withUnsafeCurrentTask { $0?.cancel() }
                return -cip_codes.would_block
            }
            return try core.checked(result, .read)
        }
        let others = try await readersBehind(near, far)
        await assertThrows(.cancelled) { try await first[0].value }
        try await check(others)
    }

    /// The first one is let go, finds nothing, and may not go back.
    func testInterruptedOnItsWayBack() async throws {
        let (near, far) = try LocalSocketStream.pair()
        let registration = try near.join(.shared)
        let first = Task {
            let outcomes = [
                await registration.wait(.receive, until: .never, isBack: false),
                await {
                    registration.interrupt(.current)
                    defer { registration.allow(.current) }
                    return await registration.wait(.receive, until: .never, isBack: true)
                }(),
            ]
            return outcomes
        }
        await waitUntilAwaited(near)
        let second = Task(executorPreference: EventLoop.shared) { try await near.read(upTo: 1) }
        await Task(executorPreference: EventLoop.shared) {}.value
        try await far.writeAll("x")
        let outcomes = await first.value
        XCTAssertEqual(outcomes, [.readyBeforeOthers, .cancelled])
        let bytes = try await second.value
        XCTAssertEqual(bytes, Array("x".utf8))
    }

    /// Each task is interrupted for itself, as by two calls of `serve` that end at the same time.
    func testInterruptingSeveral() async throws {
        let (near, far) = try LocalSocketStream.pair()
        let registration = try near.join(.shared)
        let another = TaskIdentity(value: 1)
        registration.interrupt(.current)
        registration.interrupt(another)
        await assertThrows(.cancelled, .read) { try await near.read(upTo: 1) }
        registration.allow(another)
        await assertThrows(.cancelled, .read) { try await near.read(upTo: 1) }
        registration.allow(.current)
        await assertThrows(.timedOut, .read) { try await near.read(upTo: 1, timeout: .zero) }
        far.close()
    }
}
