// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

/// A task for each client: where it runs, and that every client is served.
final class ServeTests: InterprocessTestCase {
    override var timeLimit: TimeInterval { 60 }

    func testProcesses() async throws {
        try await withServer {
            try await $0.sendBack()
        } during: { listener in
            let name = try XCTUnwrap(listener.name).description
            let clients = try (0..<20).map { _ in try ChildProcess.helper("echo", name, "100") }
            try await onThread {
                for client in clients {
                    client.expect("echoed 100")
                    XCTAssertEqual(client.wait(), 0)
                }
            }
        }
    }

    /// A thousand connections at once, each with its own conversation.
    func testThousandConnections() async throws {
        try await withDescriptors(4096) {
            let attendance = Attendance()
            try await withServer { stream in
                attendance.come()
                try await stream.sendBack()
                attendance.leave()
            } during: { listener in
                var clients: [LocalSocketStream] = []
                for _ in 0..<1000 { clients.append(try await listener.newClient()) }
                try await withThrowingTaskGroup { group in
                    for (number, client) in clients.enumerated() {
                        group.addTask { for round in 0..<3 { try await client.assertEcho("\(number) \(round)") } }
                    }
                    try await group.waitForAll()
                }
                XCTAssertEqual(attendance.most, 1000)
            }
            XCTAssertEqual(attendance.now, 0)
        }
    }

    /// Where a handler and its child tasks run, before and after a wait.
    private func reactors(_ options: ServeOptions) async throws -> [Reactor?] {
        let seen = Seen<Reactor?>()
        try await withServer(options) { stream in
            seen.append(.current)
            async let child: Void = seen.append(.current)
            await child
            seen.append(.current)
            try await stream.writeAll(stream.readExactly(2))
            seen.append(.current)
        } during: { listener in
            let client = try await listener.newClient()
            try await client.assertEcho("x")
        }
        return seen.values
    }

    func testHandlersRunOnTheLoop() async throws {
        let shared = try await reactors(ServeOptions())
        XCTAssertEqual(shared.count, 4)
        XCTAssert(shared.allSatisfy { $0 === EventLoop.shared.reactor })

        let loop = EventLoop()
        let own = try await reactors(serveOptions { $0.eventLoops = [loop] })
        XCTAssert(own.allSatisfy { $0 === loop.reactor })
    }

    func testHandlersRunOnTheDefaultPool() async throws {
        let options = serveOptions { $0.handlerExecutor = .defaultPool }
        let pool = try await reactors(options)
        XCTAssertEqual(pool.count, 4)
        XCTAssert(pool.allSatisfy { $0 == nil })
        // It is not where the caller runs that decides.
        let fromLoop = try await withTaskExecutorPreference(EventLoop.shared) { try await reactors(options) }
        XCTAssert(fromLoop.allSatisfy { $0 == nil })
    }

    @MainActor
    func testHandlersDoNotRunOnTheCallersActor() async throws {
        let seen = Seen<Bool>()
        let listener = try LocalSocketListener(try namespacedName())
        let serving = Task { @MainActor in
            try await listener.serve { stream in
                seen.append(Reactor.current === EventLoop.shared.reactor && !Thread.isMainThread)
                try await stream.sendBack()
            }
        }
        try await listener.newClient().assertEcho("x")
        XCTAssertEqual(seen.values, [true])
        listener.close()
        try await serving.value
    }

    func testClientsAreSpreadOverLoops() async throws {
        for executor in [LocalSocketListener.HandlerExecutor.eventLoop, .defaultPool] {
            let options = serveOptions {
                $0.eventLoops = [EventLoop(), EventLoop()]
                $0.handlerExecutor = executor
            }
            let seen = Seen<Int?>()
            try await withServer(options) { stream in
                // The connection belongs to a loop in any case; the handler runs there if it is to.
                let registration = try XCTUnwrap(stream.descriptorCore.attached as? Registration)
                if executor == .eventLoop { XCTAssert(Reactor.current === registration.reactor) }
                seen.append(options.eventLoops.firstIndex { $0.reactor === registration.reactor })
                try await stream.sendBack()
            } during: { listener in
                var clients: [LocalSocketStream] = []
                for number in 0..<10 {
                    clients.append(try await listener.newClient())
                    try await clients[number].assertEcho("\(number)")
                }
                for client in clients { try await client.assertEcho("again") }
            }
            XCTAssertEqual(seen.values, [0, 1, 0, 1, 0, 1, 0, 1, 0, 1])
        }
    }

    private enum Marks {
        @TaskLocal static var mark = "none"
    }

    func testTaskLocalsAndPriorityAreTheCallers() async throws {
        let seen = Seen<(mark: String, priority: TaskPriority)>()
        let listener = try LocalSocketListener(try namespacedName())
        // Nobody awaits it while the handler looks, which would raise its priority.
        let serving = Marks.$mark.withValue("the caller's") {
            Task(priority: .background) {
                try await listener.serve { _ in seen.append((Marks.mark, Task.currentPriority)) }
            }
        }
        let client = try await listener.newClient()
        await eventually("a client is served") { seen.count == 1 }
        XCTAssertEqual(seen.values.first?.mark, "the caller's")
        XCTAssertEqual(seen.values.first?.priority, .background)
        await assertEnds(client)
        listener.close()
        try await serving.value
    }
}
