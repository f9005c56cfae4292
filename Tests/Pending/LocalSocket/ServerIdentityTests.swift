// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// Clients that say who the server has to be.
final class ServerIdentityTests: InterprocessTestCase {
    private func requiring(_ peer: PeerRequirement?) -> LocalSocketStream.ConnectOptions {
        var options = LocalSocketStream.ConnectOptions()
        options.requiresPeer = peer
        return options
    }

    /// A name in the namespace is whoever's takes it first: a foreign server gets nothing.
    func testForeignServerInTheNamespace() throws {
        try requireRoot()
        let name = try namespacedName()
        let server = try ChildProcess.helper("--uid", "1000", "listen", name.description, "never")
        server.expect("ready")
        for peer in [nil, PeerRequirement.currentUser, .user(1001), .user(geteuid())] {
            let error = assertThrows(.permissionDenied, .connect) {
                try LocalSocketStream.connect(to: name, options: requiring(peer))
            }
            XCTAssertTrue("\(error!)".contains("requiresPeer"), "\(error!)")
            var timed = requiring(peer)
            timed.wait = .timeout(.seconds(5))
            assertThrows(.permissionDenied, .connect) { try LocalSocketStream.connect(to: name, options: timed) }
            timed.wait = .deferred
            assertThrows(.permissionDenied, .connect) { try LocalSocketStream.connect(to: name, options: timed) }
        }
        for peer in [PeerRequirement.anyone, .user(1000)] {
            let stream = try LocalSocketStream.connect(to: name, options: requiring(peer))
            XCTAssertEqual(try stream.peerCredentials().userID, 1000)
            XCTAssertEqual(try stream.peerCredentials().processID, server.pid)
        }
        server.closeInput()
        XCTAssertEqual(server.wait(), 0)
    }

    /// A path stands in a directory whose owner decides, so by default anyone may serve there.
    func testForeignServerAtAPath() throws {
        try requireRoot()
        XCTAssertEqual(chmod(directory, 0o777), 0)
        let server = try ChildProcess.helper("--uid", "1000", "listen", path(), "never")
        server.expect("ready")
        for peer in [nil, PeerRequirement.anyone, .user(1000)] {
            _ = try LocalSocketStream.connect(to: try pathName(), options: requiring(peer))
        }
        for peer in [PeerRequirement.currentUser, .user(1001)] {
            assertThrows(.permissionDenied, .connect) {
                try LocalSocketStream.connect(to: try pathName(), options: requiring(peer))
            }
        }
        server.closeInput()
        XCTAssertEqual(server.wait(), 0)
    }

    /// What the superuser serves is good enough for everyone.
    func testServerOfTheSuperuser() throws {
        try requireRoot()
        let name = try namespacedName()
        var options = LocalSocketListener.Options()
        options.access = .everyone
        let listener = try LocalSocketListener(name, options: options)
        let client = try ChildProcess.helper("--uid", "1000", "connect", name.description)
        client.expect("connected")
        try listener.accept().writeAll("x\n")
        client.expect("line x")
    }

    func testOwnServer() throws {
        for name in try bothNames() {
            let listener = try LocalSocketListener(name)
            for peer in [nil, PeerRequirement.anyone, .currentUser, .user(geteuid())] {
                _ = try LocalSocketStream.connect(to: name, options: requiring(peer))
            }
            listener.close()
        }
    }
}
