// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

private typealias TextServer = IPCServer<String, String>
private typealias TextClient = IPCConnection<String, String>

/// Servers and clients in processes of their own, some of which are killed.
final class IPCServerProcessTests: InterprocessTestCase {
    override var timeLimit: TimeInterval { 120 }

    private func startServer(_ name: LocalSocketName) throws -> ChildProcess {
        let server = try ChildProcess.helper("serve-connections", name.description)
        XCTAssertEqual(server.readLine(), "ready")
        return server
    }

    func testClientsInProcesses() throws {
        for name in try bothNames() {
            let server = try startServer(name)
            let clients = try (0..<3).map { _ in try ChildProcess.helper("make-requests", name.description, "30") }
            let connection = try TextClient.connect(to: name)
            XCTAssertEqual(try connection.peerCredentials().processID, server.pid)
            XCTAssertEqual(try connection.request("text", timeout: .seconds(30)), "TEXT")
            connection.close()
            for client in clients { XCTAssertEqual(client.readLine(), "done 30") }
            for client in clients { XCTAssertEqual(client.wait(), 0) }
            server.closeInput()
            XCTAssertEqual(server.readLine(), "closed")
            XCTAssertEqual(server.wait(), 0)
        }
    }

    /// A server that is killed ends all requests at once, of both forms.
    func testTheServerIsKilledDuringRequests() throws {
        let name = try namespacedName()
        let server = try startServer(name)
        let connection = try TextClient.connect(to: name)
        let threads = (0..<3).map { _ in Running { try connection.request("wait") } }
        let task = RunningTask { try await connection.request("wait") }
        let receiving = Running { try connection.receive() }
        for thread in threads { thread.waitUntilBlocked() }
        receiving.waitUntilBlocked()
        server.kill()
        for thread in threads { assertThrows(.disconnected) { try thread.value() } }
        assertThrows(.disconnected) { try task.value() as String }
        assertThrows(.disconnected) { try receiving.value() }
        assertThrows(.disconnected) { try connection.request("x") }
    }

    /// A client that is killed in the middle of a large value takes that along, and nothing else.
    func testAClientIsKilledInTheMiddle() throws {
        let server = try IPCServer<[UInt8], String>(try namespacedName())
        let name = try XCTUnwrap(server.name)
        let child = try ChildProcess.helper("send-large-values", name.description)
        let connection = try server.accept(timeout: .seconds(30))
        // Some of it has come when the time is over.
        assertThrows(.timedOut) { while true { _ = try connection.receive(timeout: .milliseconds(1)) } }
        child.kill()
        XCTAssertEqual(child.wait(), -SIGKILL)
        assertThrows(.disconnected) { while true { _ = try connection.receive(timeout: .seconds(30)) } }
        let next = Running { try IPCConnection<String, [UInt8]>.connect(to: name) }
        let other = try server.accept(timeout: .seconds(30))
        try next.value().send([1])
        XCTAssertEqual(try other.receive(timeout: .seconds(30)), [1])
    }

    /// A thousand clients come and talk, and half of them are killed in the middle of that: the server serves the others,
    /// and has as many descriptors as before when they have left.
    func testAThousandClients() async throws {
        let (processes, each) = (10, 100)
        try await withDescriptors(2048) {
            let server = try TextServer(try namespacedName(), options: serverOptions { $0.maximumClients = 2000 })
            let name = try XCTUnwrap(server.name)
            async let serving: Void = server.serve { text, _ in text.uppercased() }
            let quiet = try await TextClient.connect(to: name)
            try await assertEqual("X") { try await quiet.request("x", timeout: .seconds(30)) }
            let before = OpenDescriptors.count
            try await onThread {
                let clients = try (0..<processes).map { _ in
                    try ChildProcess.helper("be-many-clients", name.description, "\(each)")
                }
                for client in clients { XCTAssertEqual(client.readLine(), "connected") }
                XCTAssertGreaterThanOrEqual(OpenDescriptors.count, before + processes * each)
                for client in clients { client.write("\n") }
                for client in clients { XCTAssertEqual(client.readLine(), "served") }
                // Half of the processes die while all ask again.
                for client in clients { client.write("\n\n\n\n") }
                for client in clients.prefix(processes / 2) {
                    client.kill()
                    client.wait()
                }
                for client in clients.dropFirst(processes / 2) {
                    for _ in 0..<4 { XCTAssertEqual(client.readLine(), "served") }
                    client.closeInput()
                    XCTAssertEqual(client.wait(), 0)
                }
            }
            await eventually("all have left", within: .seconds(30)) { OpenDescriptors.count <= before }
            try await assertEqual("STILL THERE") { try await quiet.request("still there", timeout: .seconds(30)) }
            quiet.close()
            server.close()
            try await serving
        }
    }

    func testAChildOfAServerForOne() throws {
        let server = try IPCOneShotServer<Int32, String>()
        let child = try ChildProcess.helper("come-alone", "@" + server.name)
        let connection = try server.accept(timeout: .seconds(30))
        XCTAssertEqual(try connection.receive(timeout: .seconds(30)), child.pid)
        try connection.send("something")
        XCTAssertEqual(child.readLine(), "told something")
        // Its end is a disconnect.
        assertThrows(.disconnected) { try connection.receive(timeout: .seconds(30)) }
        XCTAssertEqual(child.wait(), 0)
    }

    /// A child that dies before it connects, or before it says anything, does not keep its parent for ever.
    func testAChildThatDoesNotCome() throws {
        let server = try IPCOneShotServer<Int32, String>()
        let child = try ChildProcess.helper("come-alone", "@no-such-server-\(getpid())")
        XCTAssertEqual(child.wait(), 1)
        assertThrows(.timedOut) { try server.accept(timeout: .milliseconds(20)) }
        let other = try ChildProcess.helper("hold", "@" + server.name)
        XCTAssertEqual(other.readLine(), "connected")
        assertThrows(.timedOut) { try server.accept(timeout: .milliseconds(20)) }
        other.kill()
        other.wait()
        let late = try ChildProcess.helper("come-alone", "@" + server.name)
        XCTAssertEqual(try server.accept(timeout: .seconds(30)).receive(timeout: .seconds(30)), late.pid)
    }
}
