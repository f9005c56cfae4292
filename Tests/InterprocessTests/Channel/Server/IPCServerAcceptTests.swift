// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

private typealias TextServer = IPCServer<String, String>
private typealias TextClient = IPCConnection<String, String>

/// Servers that accept clients one by one, and servers for one.
final class IPCServerAcceptTests: InterprocessTestCase {
    func testAccepting() throws {
        let server = try TextServer(try namespacedName())
        let name = try XCTUnwrap(server.name)
        assertThrows(.timedOut) { try server.accept(timeout: .milliseconds(5)) }
        for _ in 0..<3 {
            let client = Running { try TextClient.connect(to: name) }
            let connection = try server.accept(timeout: .seconds(20))
            try connection.send("hello")
            XCTAssertEqual(try client.value().receive(timeout: .seconds(20)), "hello")
            try client.value().send("goodbye")
            XCTAssertEqual(try connection.receive(timeout: .seconds(20)), "goodbye")
        }
        server.close()
        assertThrows(.closed) { try server.accept() }
    }

    func testAcceptingAwaited() async throws {
        try await onEachExecutor {
            let server = try TextServer(try self.namespacedName())
            let name = try XCTUnwrap(server.name)
            await self.assertThrows(.timedOut) { try await server.accept(timeout: .milliseconds(5)) }
            let cancelled = start { _ = try await server.accept() }
            cancelled.cancel()
            await self.assertThrows(.cancelled) { try await cancelled.value }
            let serving = start {
                for try await connection in server.connections {
                    try await connection.send("hello")
                    while (try? await connection.receive(timeout: .seconds(20))) != nil {}
                }
            }
            for _ in 0..<3 {
                let client = try await TextClient.connect(to: name)
                let text = try await client.receive(timeout: .seconds(20))
                XCTAssertEqual(text, "hello")
            }
            server.close()
            try await serving.value
        }
    }

    /// Neither silence nor nonsense before it keeps a client from being accepted.
    func testOthersBeforeIt() throws {
        let server = try TextServer(try namespacedName())
        let name = try XCTUnwrap(server.name)
        let silent = try (0..<5).map { _ in try LocalSocketStream.connect(to: name) }
        let talking = try LocalSocketStream.connect(to: name)
        try talking.writeAll([UInt8](repeating: 0xFF, count: 100))
        let client = Running { try TextClient.connect(to: name) }
        try server.accept(timeout: .seconds(20)).send("hello")
        XCTAssertEqual(try client.value().receive(timeout: .seconds(20)), "hello")
        for stream in silent { stream.close() }
    }

    /// Closing ends blocked calls, and connections that nobody has accepted, and no others.
    func testClosing() throws {
        let server = try TextServer(try namespacedName())
        let name = try XCTUnwrap(server.name)
        let client = Running { try TextClient.connect(to: name) }
        let accepted = try server.accept(timeout: .seconds(20))
        let waiting = Running { try server.accept() }
        waiting.waitUntilBlocked()
        let task = RunningTask { try await server.accept() }
        server.close()
        assertThrows(.closed) { try waiting.value() }
        assertThrows(.closed) { try task.value() as TextServer.Connection }
        try accepted.send("still there")
        XCTAssertEqual(try client.value().receive(timeout: .seconds(20)), "still there")

        let other = try TextServer(try namespacedName())
        let otherName = try XCTUnwrap(other.name)
        assertThrows(.timedOut) { try other.accept(timeout: .milliseconds(5)) }
        let unaccepted = try TextClient.connect(to: otherName)
        other.close()
        assertThrows(.disconnected) { try unaccepted.receive(timeout: .seconds(20)) }
    }

    /// What keeps a server from serving is told, and the server stays open.
    func testOptionsThatMakeNoSense() async throws {
        let server = try TextServer(try namespacedName(), options: serverOptions { $0.maximumClients = 0 })
        for _ in 0..<2 {
            await assertThrows(.invalidArgument) { try await onThread { try server.accept() } }
            await assertThrows(.invalidArgument) { try await server.accept() }
            await assertThrows(.invalidArgument) { try await server.serve { _ in } }
        }
        server.close()
        await assertThrows(.closed) { try await server.accept() }
    }

    func testAServerForOne() throws {
        let server = try IPCOneShotServer<String, Int>()
        assertThrows(.timedOut) { try server.accept(timeout: .milliseconds(5)) }
        let name = try LocalSocketName.namespaced(server.name)
        let client = Running {
            let connection = try IPCConnection<Int, String>.connect(to: name)
            try connection.send("first message")
            return try connection.receive(timeout: .seconds(20))
        }
        let connection = try server.accept(timeout: .seconds(20))
        XCTAssertEqual(try connection.receive(timeout: .seconds(20)), "first message")
        try connection.send(7)
        XCTAssertEqual(try client.value(), 7)
        // A second one is refused, and so is a second look.
        do {
            _ = try IPCConnection<Int, String>.connect(to: name)
            XCTFail("a second client has come in")
        } catch { XCTAssertTrue([.connectionRefused, .notFound].contains(error.code), "\(error)") }
        assertThrows(.closed) { try server.accept() }
    }

    /// Two that have both come before anybody accepts.
    func testOneOfTwo() throws {
        let server = try IPCOneShotServer<String, Int>()
        let name = try LocalSocketName.namespaced(server.name)
        let accepting = (0..<2).map { _ in Running { try server.accept(timeout: .seconds(20)) } }
        for call in accepting { call.waitUntilBlocked() }
        let clients = (0..<2).map { _ in Running { try IPCConnection<Int, String>.connect(to: name) } }
        let accepted = accepting.map { call in Result { try call.value() } }
        XCTAssertEqual(accepted.filter { (try? $0.get()) != nil }.count, 1)
        for case .failure(let error as IPCError) in accepted { XCTAssertEqual(error.code, .closed) }
        for client in clients { _ = try? client.value() }
    }

    func testAServerForOneAwaited() async throws {
        let chosen = "interprocess-test-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
        let server = try IPCOneShotServer<String, Int>(name: chosen)
        XCTAssertEqual(server.name, chosen)
        let client = start { try await IPCConnection<Int, String>.connect(to: .namespaced(chosen)) }
        let connection = try await server.accept(timeout: .seconds(20))
        try await connection.send(7)
        let value = try await client.value.receive(timeout: .seconds(20))
        XCTAssertEqual(value, 7)
        await assertThrows(.closed) { try await server.accept() }
        // The name is free.
        _ = try IPCOneShotServer<String, Int>(name: chosen)
    }

    /// The name goes with the server, and the names of two are not the same.
    func testNames() throws {
        let one = try IPCOneShotServer<String, String>()
        let other = try IPCOneShotServer<String, String>()
        XCTAssertNotEqual(one.name, other.name)
        assertThrows(.addressInUse) { try IPCOneShotServer<String, String>(name: one.name) }
        one.close()
        _ = try IPCOneShotServer<String, String>(name: one.name)
    }
}
