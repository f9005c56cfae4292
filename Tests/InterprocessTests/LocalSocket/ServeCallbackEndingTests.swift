// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

/// Serving by a function ends, is limited, is spread over loops, and fails.
final class ServeCallbackEndingTests: InterprocessTestCase {
    override var timeLimit: TimeInterval { 60 }

    private func serve(
        _ options: ServeOptions,
        _ listener: LocalSocketListener
    ) -> Task<Void, any Error> {
        Task { try await listener.serve(options: options) { client in { client.send($0) } } }
    }

    /// Clients that leave in time do not notice that the task was cancelled.
    func testClientsMayFinish() async throws {
        let listener = try LocalSocketListener(try namespacedName())
        let options = serveOptions {
            $0.gracePeriod = .seconds(50)
            $0.onFailure = { XCTFail("\($0)") }
        }
        let serving = serve(options, listener)
        let clients = [try await listener.newClient(), try await listener.newClient()]
        for client in clients { try await client.assertEcho("before") }
        serving.cancel()
        // The listener is free again.
        let other = try await listener.newClient()
        let accepted = try await listener.accept(timeout: .seconds(10))
        accepted.close()
        await assertEnds(other)
        for client in clients {
            try await client.assertEcho("afterwards")
            client.close()
        }
        try await serving.value
    }

    /// The others are disconnected when their time is over, whatever they are about, and that is no failure.
    func testClientsThatDoNotFinish() async throws {
        let listener = try LocalSocketListener(try namespacedName())
        let options = serveOptions {
            $0.gracePeriod = .milliseconds(60)
            $0.onFailure = { XCTFail("\($0)") }
        }
        let serving = Task {
            try await listener.serve(options: options) { client in
                { bytes in client.send([UInt8](repeating: 1, count: bytes.array[0] == 1 ? 4 << 20 : 1)) }
            }
        }
        let (quiet, deaf) = (try await listener.newClient(), try await listener.newClient())
        try await quiet.writeAll([2])
        try await deaf.writeAll([1])
        for client in [quiet, deaf] { _ = try await client.readExactly(1) }
        let start = ContinuousClock.now
        serving.cancel()
        try await serving.value
        XCTAssertGreaterThanOrEqual(ContinuousClock.now - start, .milliseconds(60))
        await assertEnds(quiet)
        var received = 1
        while let bytes = try? await deaf.read(upTo: 1 << 20), !bytes.isEmpty { received += bytes.count }
        XCTAssertLessThan(received, 4 << 20)
    }

    func testClosingTheListener() async throws {
        let listener = try LocalSocketListener(try namespacedName())
        let serving = serve(serveOptions { $0.gracePeriod = .zero }, listener)
        let client = try await listener.newClient()
        try await client.assertEcho("before")
        listener.close()
        for number in 0..<100 { try await client.assertEcho("\(number)") }
        client.close()
        try await serving.value
    }

    /// Cancelled over and over, at any moment, while clients come and go.
    func testStorm() async throws {
        let listener = try LocalSocketListener(try namespacedName())
        let options = serveOptions {
            $0.gracePeriod = .seconds(20)
            $0.onFailure = { XCTFail("\($0)") }
        }
        let stop = StopFlag()
        let clients = Task {
            while !stop.isSet { try await listener.newClient().assertEcho("storm") }
        }
        let end = ContinuousClock.now + .seconds(3)
        var rounds = 0
        while rounds < 5000 && ContinuousClock.now < end {
            rounds += 1
            let serving = serve(options, listener)
            for _ in 0..<rounds % 4 { await Task.yield() }
            serving.cancel()
            try await serving.value
        }
        XCTAssertGreaterThan(rounds, 50)
        let last = serve(options, listener)
        stop.set()
        try await clients.value
        listener.close()
        try await last.value
    }

    func testTheMost() async throws {
        let listener = try LocalSocketListener(try namespacedName())
        let serving = serve(serveOptions { $0.maximumClients = 2 }, listener)
        let clients = [try await listener.newClient(), try await listener.newClient()]
        for client in clients { try await client.assertEcho("x") }
        let third = try await listener.newClient()
        try await third.writeAll("third\n")
        await assertThrows(.timedOut) { try await third.readLine(timeout: .milliseconds(50)) }
        clients[0].close()
        let line = try await third.readLine(timeout: .seconds(10))
        XCTAssertEqual(line, "third")
        listener.close()
        for client in [clients[1], third] { client.close() }
        try await serving.value
    }

    /// A client's function is made and called on the loop that it belongs to, and that is each in turn.
    func testManyLoops() async throws {
        // Where handlers run is not the caller's to choose here.
        let options = serveOptions {
            $0.eventLoops = [EventLoop(), EventLoop(), EventLoop()]
            $0.handlerExecutor = .defaultPool
        }
        let seen = Seen<Int?>()
        try await withCallbackServer(options) { client in
            let reactor = Reactor.current
            seen.append(options.eventLoops.firstIndex { $0.reactor === reactor })
            return { bytes in
                XCTAssertNotNil(reactor)
                XCTAssert(Reactor.current === reactor)
                client.send(bytes)
            }
        } during: { listener in
            var clients: [LocalSocketStream] = []
            for number in 0..<9 {
                clients.append(try await listener.newClient())
                try await clients[number].assertEcho("\(number)")
            }
            XCTAssertEqual(seen.values, [0, 1, 2, 0, 1, 2, 0, 1, 2])
            try await withThrowingTaskGroup { group in
                for client in clients {
                    group.addTask { for number in 0..<200 { try await client.assertEcho("\(number)") } }
                }
                try await group.waitForAll()
            }
        }
    }

    func testRefusals() async throws {
        let listener = try LocalSocketListener(try namespacedName())
        for options in [serveOptions { $0.eventLoops = [] }, serveOptions { $0.maximumClients = 0 }] {
            await assertThrows(.invalidArgument, .accept) {
                try await listener.serve(options: options, eachPiece: { _ in { _ in } })
            }
        }
    }

    #if INTERPROCESS_FAULT_INJECTION
    override func tearDownWithError() throws {
        FaultInjection.clear()
        try super.tearDownWithError()
    }

    /// A call that fails ends that connection, and is told with the error and the client; the others go on.
    func testCallsThatFail() async throws {
        for (call, operation) in [(System.Call.receive, IPCError.Operation.read), (.send, .write)] {
            let failures = Seen<IPCError?>()
            let streams = Seen<Bool?>()
            let options = serveOptions {
                $0.onFailure = {
                    failures.append($0.error as? IPCError)
                    streams.append($0.stream?.isClosed)
                }
            }
            try await withCallbackServer(options) { client in
                { client.send($0) }
            } during: { listener in
                let (bystander, client) = (try await listener.newClient(), try await listener.newClient())
                for stream in [bystander, client] { try await stream.assertEcho("before") }
                // The client's own call has to be let through, where it is of the same kind.
                FaultInjection.inject(.result(-Int64(EIO)), into: call, after: call == .send ? 1 : 0)
                try await client.writeAll("x\n")
                await eventually("it is told") { failures.count == 1 }
                XCTAssertEqual(FaultInjection.clear(), 0)
                await assertEnds(client)
                try await bystander.assertEcho("still here")
            }
            XCTAssertEqual(failures.values.map { $0?.systemCode }, [Int64(EIO)])
            XCTAssertEqual(failures.values.map { $0?.operation }, [operation])
            XCTAssertEqual(streams.values, [false])
        }
    }

    /// Calls that come up short, or are interrupted, change nothing.
    func testShortCalls() async throws {
        let bytes = pattern(50_000)
        try await withCallbackServer(serveOptions { $0.onFailure = { XCTFail("\($0)") } }) { client in
            { client.send($0) }
        } during: { listener in
            let client = try await listener.newClient()
            FaultInjection.inject(.short(7), into: .send, times: 500)
            FaultInjection.inject(.short(3), into: .receive, times: 500)
            FaultInjection.inject(.result(-Int64(EINTR)), into: .send, after: 10, times: 20)
            FaultInjection.inject(.result(-Int64(EAGAIN)), into: .receive, after: 10, times: 20)
            async let sending: Void = client.writeAll(bytes)
            let received = try await client.readExactly(bytes.count)
            XCTAssertEqual(received, bytes)
            try await sending
        }
    }
    #endif
}
