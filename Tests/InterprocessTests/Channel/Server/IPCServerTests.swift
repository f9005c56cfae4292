// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

private typealias TextServer = IPCServer<String, String>
private typealias TextClient = IPCConnection<String, String>

/// Options for a server, with some of them changed.
func serverOptions(_ change: (inout IPCServerOptions) -> Void) -> IPCServerOptions {
    var options = IPCServerOptions()
    change(&options)
    return options
}

/// Servers whose clients are in the same process.
final class IPCServerTests: InterprocessTestCase {
    /// Serves while the body runs; then closes the server, and waits until serving has ended.
    private func withServer(
        _ options: IPCServerOptions = IPCServerOptions(),
        replying reply: @escaping @Sendable (String, TextClient) async throws -> String,
        during body: (LocalSocketName) async throws -> Void
    ) async throws {
        let server = try TextServer(try namespacedName(), options: options)
        async let serving: Void = server.serve(replying: reply)
        try await body(try XCTUnwrap(server.name))
        server.close()
        try await serving
    }

    func testReplying() async throws {
        for name in try bothNames() {
            let server = try TextServer(name)
            async let serving: Void = server.serve { text, _ in text.uppercased() }
            let clients = (0..<10).map { client in
                start {
                    let connection = try await TextClient.connect(to: name)
                    for number in 0..<50 {
                        let reply = try await connection.request("client \(client) \(number)")
                        XCTAssertEqual(reply, "CLIENT \(client) \(number)")
                    }
                }
            }
            for client in clients { try await client.value }
            server.close()
            try await serving
        }
    }

    func testBlockingClients() async throws {
        try await withServer(replying: { text, _ in text.uppercased() }) { name in
            try await onThread {
                let connection = try TextClient.connect(to: name)
                XCTAssertEqual(try connection.request("text", timeout: .seconds(20)), "TEXT")
                XCTAssertEqual(try connection.peerCredentials().processID, getpid())
            }
        }
    }

    /// The handler has the connection, and so can send as it likes.
    func testServingConnections() async throws {
        let server = try TextServer(try namespacedName())
        async let serving: Void = server.serve { connection in
            for try await text in connection {
                for character in text { try await connection.send(String(character)) }
            }
            // What it sends at last arrives.
            for number in 0..<100 { try? await connection.send("\(number)") }
        }
        let client = try await TextClient.connect(to: try XCTUnwrap(server.name))
        try await client.send("abc")
        for expected in ["a", "b", "c"] {
            let text = try await client.receive(timeout: .seconds(20))
            XCTAssertEqual(text, expected)
        }
        client.close()
        server.close()
        try await serving
    }

    /// What a handler sends last arrives, although the connection is closed after it.
    func testTheLastWordArrives() async throws {
        let server = try IPCServer<Int, [UInt8]>(try namespacedName())
        async let serving: Void = server.serve { connection in
            let count = try await connection.receive()
            for _ in 0..<count { try await connection.send(pattern(10_000)) }
        }
        for count in [1, 50] {
            let client = try await IPCConnection<[UInt8], Int>.connect(to: try XCTUnwrap(server.name))
            try await client.send(count)
            for _ in 0..<count {
                let bytes = try await client.receive(timeout: .seconds(20))
                XCTAssertEqual(bytes, pattern(10_000))
            }
            await assertThrows(.disconnected) { try await client.receive(timeout: .seconds(20)) }
        }
        server.close()
        try await serving
    }

    /// What goes wrong with one client or one request is reported, and nobody else's concern.
    func testErrorsStayWithOneClient() async throws {
        let failures = Seen<String>()
        let options = serverOptions { $0.onFailure = { failures.append("\($0)") } }
        try await withServer(options) { text, client in
            if text == "fail" { throw HandlerError() }
            if text == "leave" { client.close() }
            return text.uppercased()
        } during: { name in
            let quiet = try await TextClient.connect(to: name)
            let client = try await TextClient.connect(to: name)
            await assertThrows(.noReply) { try await client.request("fail", timeout: .seconds(20)) }
            try await assertEqual("GO ON") { try await client.request("go on", timeout: .seconds(20)) }
            await assertThrows(.disconnected) { try await client.request("leave", timeout: .seconds(20)) }
            // One that talks nonsense, and one that leaves in the middle of a word.
            for bytes in [[UInt8](repeating: 0xFF, count: 100), [1, 2, 3]] {
                let stream = try await LocalSocketStream.connect(to: name)
                try await stream.writeAll(bytes)
                stream.close()
            }
            await eventually("all is reported") { failures.count >= 4 }
            try await assertEqual("STILL THERE") { try await quiet.request("still there", timeout: .seconds(20)) }
        }
        XCTAssertEqual(failures.values.filter { $0.contains("HandlerError") }.count, 1)
    }

    /// Clients that say nothing keep nobody waiting, and are let go after a time.
    func testSilentClients() async throws {
        let failures = Seen<IPCError.Code>()
        let options = serverOptions {
            $0.connection.handshakeTimeout = .milliseconds(200)
            $0.onFailure = { failures.append(($0 as? IPCError)?.code ?? .system) }
        }
        try await withServer(options, replying: { text, _ in text.uppercased() }) { name in
            var silent: [LocalSocketStream] = []
            for _ in 0..<20 { silent.append(try await .connect(to: name)) }
            let client = try await TextClient.connect(to: name)
            try await assertEqual("TEXT") { try await client.request("text", timeout: .seconds(20)) }
            for stream in silent { await self.assertEnds(after: Hello.size + ConnectionFrame.headSize, stream) }
            await eventually("all are reported") { failures.count == 20 }
            XCTAssertEqual(Set(failures.values), [.timedOut])
            try await assertEqual("TEXT") { try await client.request("text", timeout: .seconds(20)) }
        }
    }

    private func assertEnds(after count: Int, _ stream: LocalSocketStream) async {
        let said = try? await stream.readExactly(count, timeout: .seconds(20))
        XCTAssertEqual(said?.count, count)
        await assertEnds(stream)
    }

    func testIdleClients() async throws {
        let failures = Seen<IPCError.Code>()
        let options = serverOptions {
            $0.idleTimeout = .milliseconds(50)
            $0.onFailure = { failures.append(($0 as? IPCError)?.code ?? .system) }
        }
        try await withServer(options, replying: { text, _ in text }) { name in
            let client = try await TextClient.connect(to: name)
            await assertThrows(.disconnected) { try await client.receive(timeout: .seconds(20)) }
        }
        XCTAssertEqual(failures.values, [.timedOut])
    }

    func testThePolicyDecides() async throws {
        let asked = Seen<Int32?>()
        for admits in [true, false] {
            let options = serverOptions {
                $0.accepts = { peer in
                    asked.append(peer.processID)
                    return admits && peer.isCurrentUser
                }
            }
            try await withServer(options, replying: { text, _ in text }) { name in
                if admits {
                    let client = try await TextClient.connect(to: name)
                    try await assertEqual("x") { try await client.request("x", timeout: .seconds(20)) }
                } else {
                    await assertThrows(.permissionDenied) { try await TextClient.connect(to: name) }
                }
            }
        }
        XCTAssertEqual(asked.values, [getpid(), getpid()])
    }

    func testSecretsAndTypes() async throws {
        let options = serverOptions { $0.connection.secret = [1, 2, 3] }
        try await withServer(options, replying: { text, _ in text }) { name in
            await assertThrows(.permissionDenied) { try await TextClient.connect(to: name) }
            let wrong = connectionOptions { $0.secret = [1, 2, 4] }
            await assertThrows(.permissionDenied) { try await TextClient.connect(to: name, options: wrong) }
            let right = connectionOptions { $0.secret = [1, 2, 3] }
            await assertThrows(.protocolViolation) {
                try await IPCConnection<Int, String>.connect(to: name, options: right)
            }
            let client = try await TextClient.connect(to: name, options: right)
            try await assertEqual("x") { try await client.request("x", timeout: .seconds(20)) }
        }
    }

    /// As many as may be there at a time are, and others come when one of them leaves.
    func testMaximumClients() async throws {
        let attendance = Attendance()
        let server = try TextServer(try namespacedName(), options: serverOptions { $0.maximumClients = 2 })
        async let serving: Void = server.serve { connection in
            attendance.come()
            defer { attendance.leave() }
            for try await message in connection.messages { try await message.reply("") }
        }
        let name = try XCTUnwrap(server.name)
        let clients = (0..<10).map { _ in
            start {
                let client = try await TextClient.connect(to: name)
                _ = try await client.request("x")
            }
        }
        for client in clients { try await client.value }
        server.close()
        try await serving
        XCTAssertEqual(attendance.most, 2)
        XCTAssertEqual(attendance.ever, 10)
    }

    /// Several requests of one client at a time, where the options say so.
    func testRequestsAtOnce() async throws {
        let attendance = Attendance()
        let options = serverOptions { $0.requestsAtOnce = 3 }
        try await withServer(options) { text, _ in
            attendance.come()
            defer { attendance.leave() }
            if text == "wait" { while attendance.most < 3 { try await Task.sleep(for: .milliseconds(1)) } }
            return text
        } during: { name in
            let client = try await TextClient.connect(to: name)
            let requests = (0..<9).map { _ in start { try await client.request("wait") } }
            for request in requests {
                let reply = try await request.value
                XCTAssertEqual(reply, "wait")
            }
        }
        XCTAssertEqual(attendance.most, 3)
    }

    /// And no more of them than they say, though more have come.
    func testNoMoreRequestsAtOnce() async throws {
        let attendance = Attendance()
        let goOn = Flag()
        let options = serverOptions { $0.requestsAtOnce = 3 }
        try await withServer(options) { text, _ in
            if text == "other" { return "" }
            attendance.come()
            defer { attendance.leave() }
            while !goOn.isSet { try await Task.sleep(for: .milliseconds(1)) }
            return ""
        } during: { name in
            let (client, other) = (try await TextClient.connect(to: name), try await TextClient.connect(to: name))
            for _ in 0..<5 { try await client.send("wait") }
            await eventually("three are worked on") { attendance.now >= 3 }
            // Served by the same thread, which has had the time to begin a fourth.
            for _ in 0..<10 { _ = try await other.request("other", timeout: .seconds(20)) }
            goOn.set()
            await eventually("all are done") { attendance.ever == 5 && attendance.now == 0 }
        }
        XCTAssertEqual(attendance.most, 3)
    }

    /// When it is closed, the clients that are there may finish.
    func testClosingLetsClientsFinish() async throws {
        let server = try TextServer(try namespacedName())
        let name = try XCTUnwrap(server.name)
        let serving = start { try await server.serve { text, _ in text.uppercased() } }
        let client = try await TextClient.connect(to: name)
        try await assertEqual("X") { try await client.request("x", timeout: .seconds(20)) }
        server.close()
        do {
            _ = try await TextClient.connect(to: name)
            XCTFail("connected to a server that is closed")
        } catch { XCTAssertTrue([.connectionRefused, .notFound].contains(error.code), "\(error)") }
        try await assertEqual("Y") { try await client.request("y", timeout: .seconds(20)) }
        client.close()
        try await serving.value
    }

    /// Cancelling the task that serves closes the server, and ends its clients.
    func testCancellingEndsClients() async throws {
        let server = try TextServer(try namespacedName(), options: serverOptions { $0.gracePeriod = .milliseconds(50) })
        let name = try XCTUnwrap(server.name)
        let serving = start { try await server.serve { text, _ in text.uppercased() } }
        let client = try await TextClient.connect(to: name)
        try await assertEqual("X") { try await client.request("x", timeout: .seconds(20)) }
        serving.cancel()
        try await serving.value
        await assertThrows(.disconnected) { try await client.receive(timeout: .seconds(20)) }
        XCTAssertTrue(server.isClosed)
    }

    /// Clients that flood the server are served in turns with a quiet one: what is served of theirs before its request is
    /// counted from when all of them have something to be received, on the thread that serves them.
    func testAFloodDoesNotStarveAQuietClient() async throws {
        let (flood, gate) = (Counter(), Gate())
        let server = try IPCServer<String, Int>(try namespacedName())
        async let serving: Void = server.serve { connection in
            // The quiet one, which has come last, lets the others begin.
            if await gate.pass() == 3 { for _ in 0..<2 { await Task.yield() } }
            for try await message in connection.messages {
                if message.expectsReply { try await message.reply(flood.value) } else { flood.increment() }
            }
        }
        let name = try XCTUnwrap(server.name)
        var floods: [(IPCConnection<Int, String>, Running<Void>)] = []
        for count in 1...3 {
            let client = try await IPCConnection<Int, String>.connect(to: name)
            await eventually("it is served") { gate.count == count }
            floods.append((client, Running { while (try? client.send("flood")) != nil {} }))
        }
        let quiet = try await IPCConnection<Int, String>.connect(to: name)
        await eventually("it is served, too") { gate.count == 4 }
        let requests = Running { try (0..<50).map { _ in try quiet.request("quiet", timeout: .seconds(20)) } }
        for call in floods.map(\.1) { call.waitUntilBlocked() }
        requests.waitUntilBlocked()
        Task(executorPreference: EventLoop.shared) {
            await Task.yield()
            gate.open()
        }
        let served = try await onThread { try requests.value() }
        // A few turns of 64 messages each, and not all that had come of one (some 280), and still comes.
        XCTAssertLessThan(served[0], 3 * 64 * 4)
        for (client, flood) in floods {
            client.close()
            _ = try await onThread { try flood.value() }
        }
        quiet.close()
        server.close()
        try await serving
    }
}

/// Tasks that all go on at the same time.
private final class Gate: Sendable {
    private let waiting = Locked<[CheckedContinuation<Void, Never>]>([])

    var count: Int { waiting.withLock { $0.count } }

    /// Waits until it is open; returns how many have come before.
    func pass() async -> Int {
        let before = count
        await withCheckedContinuation { continuation in waiting.withLock { $0.append(continuation) } }
        return before
    }

    /// Lets them go, in the order in which they have come.
    func open() { for continuation in waiting.withLock({ $0 }) { continuation.resume() } }
}
