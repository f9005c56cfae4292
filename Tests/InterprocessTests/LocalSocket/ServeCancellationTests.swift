// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import Synchronization
import XCTest

/// The task that serves is cancelled.
final class ServeCancellationTests: InterprocessTestCase {
    override var timeLimit: TimeInterval { 60 }

    /// Expects the listener to be as usable as before.
    private func assertAccepts(_ listener: LocalSocketListener, line: UInt = #line) async throws {
        let client = try await listener.newClient()
        try await client.writeAll("still there\n")
        let text = try await listener.accept(timeout: .seconds(10)).readLine()
        XCTAssertEqual(text, "still there", line: line)
    }

    func testBeforeTheStart() async throws {
        let listener = try LocalSocketListener(try namespacedName())
        let waiting = try await listener.newClient()
        let attendance = Attendance()
        let serving = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await listener.serve { _ in attendance.come() }
        }
        try await serving.value
        XCTAssertEqual(attendance.ever, 0)
        try await waiting.writeAll("patient\n")
        let text = try await listener.accept(timeout: .seconds(10)).readLine()
        XCTAssertEqual(text, "patient")
    }

    func testWhileNobodyComes() async throws {
        let listener = try LocalSocketListener(try namespacedName())
        for executor in [LocalSocketListener.HandlerExecutor.eventLoop, .defaultPool] {
            let options = serveOptions { $0.handlerExecutor = executor }
            let serving = Task { try await listener.serve(options: options) { _ in } }
            await waitUntilAccepted(listener)
            serving.cancel()
            try await serving.value
            try await assertAccepts(listener)
        }
    }

    private func waitUntilAccepted(_ listener: LocalSocketListener) async {
        // A handler that ends at once shows that accepting has begun.
        if let client = try? await listener.newClient() { await assertEnds(client) }
    }

    /// Of those who come meanwhile none is lost: either a handler has it, or the next one who accepts.
    func testWhileManyCome() async throws {
        let listener = try LocalSocketListener(try namespacedName())
        let served = Attendance()
        let serving = Task {
            try await listener.serve { stream in
                served.come()
                try await stream.writeAll("served\n")
            }
        }
        let clients = Task {
            try await withThrowingTaskGroup { group in
                for _ in 0..<300 {
                    group.addTask { try await listener.newClient().readLine(timeout: .seconds(20)) }
                }
                return try await group.reduce(into: [:]) { $0[$1 ?? "none", default: 0] += 1 }
            }
        }
        await eventually("some have come") { served.ever >= 30 }
        serving.cancel()
        try await serving.value
        let servedBefore = served.ever
        let rest = Task {
            for try await client in listener.connections { try await client.writeAll("accepted\n") }
        }
        let answers = try await clients.value
        XCTAssertEqual(answers["served"], servedBefore)
        XCTAssertEqual(answers["accepted", default: 0], 300 - servedBefore)
        listener.close()
        try await rest.value
    }

    func testWhileThereAreTheMost() async throws {
        let listener = try LocalSocketListener(try namespacedName())
        let serving = Task {
            try await listener.serve(options: serveOptions { $0.maximumClients = 1 }) { try await $0.sendBack() }
        }
        let client = try await listener.newClient()
        try await client.assertEcho("one")
        serving.cancel()
        try await assertAccepts(listener)
        try await client.assertEcho("goes on")
        client.close()
        try await serving.value
    }

    /// A server that waits for one of them to leave notices, too, and gives them no longer than it should.
    func testWhileTheMostStay() async throws {
        let listener = try LocalSocketListener(try namespacedName())
        let options = serveOptions {
            $0.maximumClients = 1
            $0.gracePeriod = .milliseconds(20)
        }
        let serving = Task { try await listener.serve(options: options) { try await $0.sendBack() } }
        let client = try await listener.newClient()
        try await client.assertEcho("one")
        serving.cancel()
        await assertEnds(client)
        try await serving.value
    }

    /// Handlers that end in time do not notice anything.
    func testHandlersMayFinish() async throws {
        for executor in [LocalSocketListener.HandlerExecutor.eventLoop, .defaultPool] {
            let listener = try LocalSocketListener(try namespacedName())
            let wasCancelled = Seen<Bool>()
            let options = serveOptions {
                $0.gracePeriod = .seconds(50)
                $0.handlerExecutor = executor
                $0.onFailure = { XCTFail("\($0)") }
            }
            let serving = Task {
                try await listener.serve(options: options) { stream in
                    while let line = try await stream.readLine() {
                        async let child = Task.isCancelled
                        wasCancelled.append(await child)
                        wasCancelled.append(Task.isCancelled)
                        try await stream.writeAll(line + "\n")
                    }
                }
            }
            let clients = [try await listener.newClient(), try await listener.newClient()]
            for client in clients { try await client.assertEcho("before") }
            serving.cancel()
            try await assertAccepts(listener)
            for client in clients { try await client.assertEcho("afterwards") }
            clients[0].close()
            try await clients[1].assertEcho("the last one")
            clients[1].close()
            try await serving.value
            XCTAssertEqual(wasCancelled.values, [Bool](repeating: false, count: 10))
        }
    }

    /// Those that do not are cancelled, wherever they wait, and that is no failure.
    func testHandlersThatDoNotFinish() async throws {
        for executor in [LocalSocketListener.HandlerExecutor.eventLoop, .defaultPool] {
            let listener = try LocalSocketListener(try namespacedName())
            let (near, far) = try LocalSocketStream.pair()
            let outcomes = Seen<IPCError.Code?>()
            let options = serveOptions {
                $0.gracePeriod = .milliseconds(60)
                $0.handlerExecutor = executor
                $0.onFailure = { XCTFail("\($0)") }
            }
            let waits: [@Sendable (LocalSocketStream) async throws -> Void] = [
                { _ = try await $0.readLine() },
                { try await $0.writeAll([UInt8](repeating: 1, count: 4 << 20)) },
                { _ in _ = try await near.read(upTo: 1) },
                { stream in
                    async let child = stream.read(upTo: 1)
                    _ = try await child
                },
                { _ in _ = try await listener.accept() },
            ]
            let next = Atomic<Int>(0)
            let serving = Task {
                try await listener.serve(options: options) { stream in
                    let number = next.add(1, ordering: .relaxed).oldValue
                    try await stream.writeAll("\(number)\n")
                    do { try await waits[number](stream) } catch {
                        outcomes.append((error as? IPCError)?.code)
                        XCTAssert(Task.isCancelled)
                        throw error
                    }
                }
            }
            var clients: [LocalSocketStream] = []
            for number in waits.indices {
                clients.append(try await listener.newClient())
                let line = try await clients[number].readLine()
                XCTAssertEqual(line, "\(number)")
            }
            let start = ContinuousClock.now
            serving.cancel()
            try await serving.value
            XCTAssertGreaterThanOrEqual(ContinuousClock.now - start, .milliseconds(60))
            XCTAssertEqual(outcomes.values, [IPCError.Code?](repeating: .cancelled, count: waits.count))
            try await assertAccepts(listener)
            withExtendedLifetime(far) {}
        }
    }
}
