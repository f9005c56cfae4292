// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// Who may connect, with clients of other users.
final class StrangerTests: InterprocessTestCase {
    override func setUpWithError() throws {
        try super.setUpWithError()
        try requireRoot()
        // Other users get to the files in it, if these let them.
        XCTAssertEqual(chmod(directory, 0o755), 0)
    }

    private func options(_ access: LocalSocketListener.Access) -> LocalSocketListener.Options {
        var options = LocalSocketListener.Options()
        options.access = access
        return options
    }

    func testPathKeepsStrangersOut() throws {
        for access in [LocalSocketListener.Access.currentUser, .group] {
            let listener = try LocalSocketListener(try pathName(), options: options(access))
            let stranger = try ChildProcess.helper("--uid", "1000", "connect", path())
            stranger.expect("error permissionDenied")
            assertThrows(.timedOut, .accept) { try listener.accept(timeout: .zero) }
            listener.close()
        }
    }

    func testPathLetsEveryoneIn() throws {
        let listener = try LocalSocketListener(try pathName(), options: options(.everyone))
        let stranger = try ChildProcess.helper("--uid", "1000", "connect", path())
        stranger.expect("connected")
        let stream = try listener.accept()
        XCTAssertEqual(try stream.peerCredentials().userID, 1000)
        XCTAssertFalse(try stream.peerCredentials().isCurrentUser)
        try stream.writeAll("welcome\n")
        stranger.expect("line welcome")
    }

    func testPathLetsTheGroupIn() throws {
        let listener = try LocalSocketListener(try pathName(), options: options(.group))
        let member = try ChildProcess.helper("--groups", "\(getegid())", "--uid", "1000", "connect", path())
        member.expect("connected")
        try listener.accept().writeAll("welcome\n")
        member.expect("line welcome")
    }

    /// An abstract name has no mode: the stranger connects, and is turned away before a byte is exchanged.
    func testAbstractNameTurnsStrangersAway() throws {
        let name = try namespacedName()
        let modes: [(LocalSocketListener.Access, UInt16?)] = [
            (.currentUser, nil), (.group, nil), (.everyone, 0o600), (.custom, 0o660),
        ]
        for (access, mode) in modes {
            var options = options(access)
            options.mode = mode
            let listener = try LocalSocketListener(name, options: options)
            let server = Running { try listener.accept() }
            server.waitUntilBlocked()
            let stranger = try ChildProcess.helper(
                "--uid",
                "1000",
                "connect",
                name.description
            )
            stranger.expect("connected")
            stranger.expect("line none")
            XCTAssertFalse(server.hasEnded, "the stranger was let in")
            // A friend behind it is found by the same call.
            let friend = try LocalSocketStream.connect(to: name)
            try friend.writeAll("friend\n")
            XCTAssertEqual(try server.value().readLine(), "friend")
            listener.close()
        }
    }

    func testAbstractNameLetsEveryoneIn() throws {
        let name = try namespacedName()
        let modes: [(LocalSocketListener.Access, UInt16?)] = [
            (.everyone, nil), (.custom, nil), (.currentUser, 0o666),
        ]
        for (access, mode) in modes {
            var options = options(access)
            options.mode = mode
            let listener = try LocalSocketListener(name, options: options)
            let stranger = try ChildProcess.helper("--uid", "1000", "connect", name.description)
            stranger.expect("connected")
            try listener.accept().writeAll("welcome\n")
            stranger.expect("line welcome")
            listener.close()
        }
    }

    func testAbstractNameLetsTheGroupIn() throws {
        let name = try namespacedName()
        let listener = try LocalSocketListener(name, options: options(.group))
        let member = try ChildProcess.helper("--groups", "7,\(getegid())", "--uid", "1000", "connect", name.description)
        member.expect("connected")
        try listener.accept(timeout: .seconds(10)).writeAll("welcome\n")
        member.expect("line welcome")

        // Being in a group is not enough for the user's own listener.
        listener.close()
        let own = try LocalSocketListener(name)
        let other = try ChildProcess.helper("--groups", "\(getegid())", "--uid", "1000", "connect", name.description)
        other.expect("connected")
        assertThrows(.timedOut) { try own.accept(timeout: .milliseconds(100)) }
        other.expect("line none")
    }

    /// The superuser, which these tests run as, is let in by everybody.
    func testSuperuserIsLetIn() throws {
        let name = try namespacedName()
        let server = try ChildProcess.helper("--uid", "1000", "serve", name.description, "1")
        server.expect("ready")
        var options = LocalSocketStream.ConnectOptions()
        options.requiresPeer = .anyone
        let client = try LocalSocketStream.connect(to: name, options: options)
        try client.writeAll("root\n")
        XCTAssertEqual(try client.readLine(), "root")
        client.close()
        XCTAssertEqual(server.wait(), 0)
    }

    /// Strangers who keep coming do not keep an accept from ending, at its deadline or when the listener is closed.
    func testStrangersDoNotHoldUpTheEndOfAccept() throws {
        let name = try namespacedName()
        let listener = try LocalSocketListener(name)
        let flood = try (0..<2).map { _ in
            try ChildProcess.helper("--uid", "1000", "flood", name.description)
        }
        for process in flood { process.expect("flooding") }
        for _ in 0..<5 {
            let elapsed = ContinuousClock().measure {
                assertThrows(.timedOut) { try listener.accept(timeout: .milliseconds(50)) }
            }
            XCTAssertGreaterThanOrEqual(elapsed, .milliseconds(50))
            XCTAssertLessThan(elapsed, .seconds(5))
        }
        let server = Running { try listener.accept() }
        listener.close()
        assertThrows(.closed) { try server.value() }
    }
}
