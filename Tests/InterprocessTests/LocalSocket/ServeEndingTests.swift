// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// The listener is closed while it is served, and other ends.
final class ServeEndingTests: InterprocessTestCase {
    override var timeLimit: TimeInterval { 60 }

    func testClosing() async throws {
        let listener = try LocalSocketListener(try namespacedName())
        let wasCancelled = Seen<Bool>()
        let serving = Task {
            try await listener.serve(options: serveOptions { $0.gracePeriod = .zero }) { stream in
                try await stream.sendBack()
                wasCancelled.append(Task.isCancelled)
            }
        }
        let clients = [try await listener.newClient(), try await listener.newClient()]
        for client in clients { try await client.assertEcho("before") }
        listener.close()
        await assertThrows(.connectionRefused) { try await listener.newClient() }
        // They end when they like.
        for number in 0..<100 { try await clients[number % 2].assertEcho("\(number)") }
        clients[0].close()
        try await clients[1].assertEcho("the last one")
        clients[1].close()
        try await serving.value
        XCTAssertEqual(wasCancelled.values, [false, false])
    }

    func testClosingWhileThereAreTheMost() async throws {
        let listener = try LocalSocketListener(try namespacedName())
        let serving = Task {
            try await listener.serve(options: serveOptions { $0.maximumClients = 1 }) { try await $0.sendBack() }
        }
        let client = try await listener.newClient()
        try await client.assertEcho("before")
        let waiting = try await listener.newClient()
        listener.close()
        await assertEnds(waiting)
        try await client.assertEcho("afterwards")
        client.close()
        try await serving.value
    }

    /// Once it is closed, cancelling gives those who are left the same time as before.
    func testCancelledAfterClosing() async throws {
        let listener = try LocalSocketListener(try namespacedName())
        let options = serveOptions {
            $0.gracePeriod = .milliseconds(50)
            $0.onFailure = { XCTFail("\($0)") }
        }
        let serving = Task { try await listener.serve(options: options) { try await $0.sendBack() } }
        let client = try await listener.newClient()
        try await client.assertEcho("before")
        listener.close()
        try await client.assertEcho("closed")
        let start = ContinuousClock.now
        serving.cancel()
        try await serving.value
        XCTAssertGreaterThanOrEqual(ContinuousClock.now - start, .milliseconds(50))
        await assertEnds(client)
    }

    /// A handler may end the serving that it is part of.
    func testHandlersThatClose() async throws {
        let listener = try LocalSocketListener(try namespacedName())
        async let serving: Void = listener.serve { stream in
            while let line = try await stream.readLine() {
                if line == "stop" { listener.close() }
                try await stream.writeAll(line + "\n")
            }
        }
        let client = try await listener.newClient()
        try await client.assertEcho("go")
        try await client.assertEcho("stop")
        try await client.assertEcho("and go on")
        client.close()
        try await serving
    }

    /// Nobody else holds the listener: serving does.
    func testServingKeepsTheListener() async throws {
        let name = try namespacedName()
        var listener: LocalSocketListener? = try LocalSocketListener(name)
        let serving = Task { [listener] in try await listener?.serve { try await $0.sendBack() } }
        weak let dropped = listener
        listener = nil
        for number in 0..<3 { try await LocalSocketStream.connect(to: name).assertEcho("\(number)") }
        XCTAssertNotNil(dropped)
        serving.cancel()
        try await serving.value
    }

    /// Started and cancelled in a storm, while clients come and go.
    func testStorm() async throws {
        let listener = try LocalSocketListener(try namespacedName())
        let failures = Seen<LocalSocketListener.ServeFailure>()
        let options = serveOptions {
            $0.gracePeriod = .seconds(20)
            $0.onFailure = { failures.append($0) }
        }
        let clients = Task {
            // Those who are accepted get their answer, whatever becomes of the serving; the others wait for the next.
            while !Task.isCancelled {
                do { try await listener.newClient().assertEcho("storm") } catch {
                    XCTAssert(Task.isCancelled, "\(error)")
                    return
                }
            }
        }
        let end = ContinuousClock.now + .seconds(5)
        var rounds = 0
        while rounds < 10_000 && ContinuousClock.now < end {
            rounds += 1
            let serving = Task { try await listener.serve(options: options) { try await $0.sendBack() } }
            for _ in 0..<rounds % 4 { await Task.yield() }
            serving.cancel()
            try await serving.value
        }
        XCTAssertEqual(failures.count, 0, "\(failures.values)")
        XCTAssertGreaterThan(rounds, 100)
        async let last: Void = listener.serve(options: options) { try await $0.sendBack() }
        clients.cancel()
        await clients.value
        // The client that was cancelled may have left in the middle of its echo.
        let codes = failures.values.map { ($0.error as? IPCError)?.code }
        XCTAssert(codes.isEmpty || codes == [.brokenPipe] || codes == [.connectionReset], "\(codes)")
        try await listener.newClient().assertEcho("after the storm")
        listener.close()
        try await last
    }
}
