// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

/// Clients and servers of values where the other side is another user, or somebody else.
final class ImpostorTests: InterprocessTestCase {
    private typealias Texts = IPCConnection<String, String>

    /// A server of another user is told nothing at a name that anybody can take; at a path, if the client says so.
    func testForeignServers() throws {
        try requireRoot()
        XCTAssertEqual(chmod(directory, 0o777), 0)
        for name in try bothNames() {
            let impostor = try ChildProcess.helper("--uid", "65534", "pose", name.description)
            impostor.expect("ready")
            var connecting = LocalSocketStream.ConnectOptions()
            if !name.isNamespaced { connecting.requiresPeer = .currentUser }
            assertThrows(.permissionDenied, .connect) { try Texts.connect(to: name, connecting: connecting) }
            impostor.expect("told 0")
            impostor.closeInput()
        }
    }

    /// One of the same user, or of any that the client puts up with, is told who the client is, and nothing more.
    func testAServerThatIsSomethingElse() throws {
        let name = try pathName()
        let impostor = try ChildProcess.helper("pose", name.description)
        impostor.expect("ready")
        let options = connectionOptions {
            $0.handshakeTimeout = .milliseconds(100)
            $0.secret = Array("a secret".utf8)
        }
        assertThrows(.timedOut, .connect) { try Texts.connect(to: name, options: options) }
        impostor.expect("told \(ConnectionFrame.headSize + Hello.size)")
        impostor.closeInput()
    }

    /// The limit of a secret: one that passes on what both sides say is not found out by it.
    func testOneInBetween() async throws {
        let options = serverOptions { $0.connection.secret = Array("a secret".utf8) }
        try await withTextServer(options) { name in
            let between = try LocalSocketListener(try namespacedName())
            let betweenName = try XCTUnwrap(between.name)
            let passing = RunningTask {
                let client = try await between.accept()
                let server = try await LocalSocketStream.connect(to: name)
                async let replies: Void = Self.passOn(from: server, to: client)
                try await Self.passOn(from: client, to: server)
                try await replies
            }
            let client = try await Texts.connect(to: betweenName, options: options.connection)
            let reply = try await client.request("text", timeout: .seconds(20))
            XCTAssertEqual(reply, "TEXT")
            client.close()
            try await onThread { try passing.value() }
        }
    }

    private static func passOn(from one: LocalSocketStream, to other: LocalSocketStream) async throws {
        for try await bytes in one.chunks { try await other.writeAll(bytes) }
        try? await other.shutdown(.send)
    }

    /// Clients of another user are not let in by default, and where they are, the policy decides before they are heard.
    func testForeignClients() async throws {
        try requireRoot()
        XCTAssertEqual(chmod(directory, 0o755), 0)
        let asked = Seen<UInt32?>()
        func enemy(_ name: LocalSocketName) throws -> ChildProcess {
            let said = introduction() + frame(.message, try encoded("x"))
            return try ChildProcess.helper("--uid", "65534", "say", name.description, said.hex)
        }
        var options = serverOptions {
            $0.accepts = { peer in
                asked.append(peer.userID)
                return peer.isCurrentUser
            }
        }
        for name in try bothNames() {
            try await withTextServer(options, at: name) { name in
                let enemy = try enemy(name)
                if name.isNamespaced {
                    enemy.expect("connected")
                    XCTAssertEqual(enemy.readLine()?.hasPrefix("ended"), true)
                } else {
                    enemy.expect("error permissionDenied")
                }
                try await self.assertServed(name)
            }
        }
        XCTAssertEqual(Set(asked.values), [getuid()])

        options.listening.access = .everyone
        try await withTextServer(options, at: try pathName("open")) { name in
            let enemy = try enemy(name)
            enemy.expect("connected")
            // Nothing but that it is not let in.
            let answer = try XCTUnwrap(enemy.readLine())
            let refusal = "ended after \(ConnectionFrame.headSize + 1)"
            XCTAssertTrue([refusal, "ended by connectionReset", "ended by brokenPipe"].contains(answer), answer)
            try await self.assertServed(name)
        }
        XCTAssertTrue(asked.values.contains(65534))
    }
}
