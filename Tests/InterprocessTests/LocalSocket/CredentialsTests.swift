// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// Who the peer is.
final class CredentialsTests: InterprocessTestCase {
    func testClientProcess() throws {
        for name in try bothNames() {
            let listener = try LocalSocketListener(name)
            let client = try ChildProcess.helper("hold", name.description)
            let stream = try listener.accept()
            let peer = try stream.peerCredentials()
            XCTAssertEqual(peer.processID, client.pid)
            XCTAssertEqual(peer.userID, geteuid())
            XCTAssertEqual(peer.groupID, getegid())
            XCTAssertTrue(peer.isCurrentUser)
            XCTAssertEqual(Set(try XCTUnwrap(peer.groups)), Set(Self.ownGroups))
            listener.close()
        }
    }

    private static var ownGroups: [UInt32] {
        var groups = [gid_t](repeating: 0, count: Int(getgroups(0, nil)))
        getgroups(Int32(groups.count), &groups)
        return groups
    }

    func testServerProcess() throws {
        for name in try bothNames() {
            let server = try ChildProcess.helper("listen", name.description, "never")
            server.expect("ready")
            let peer = try LocalSocketStream.connect(to: name).peerCredentials()
            XCTAssertEqual(peer.processID, server.pid)
            XCTAssertEqual(peer.userID, geteuid())
            XCTAssertEqual(peer.groupID, getegid())
            XCTAssertTrue(peer.isCurrentUser)
            XCTAssertEqual(Set(try XCTUnwrap(peer.groups)), Set(Self.ownGroups))
            server.closeInput()
            XCTAssertEqual(server.wait(), 0)
        }
    }

    func testOtherUserAndGroups() throws {
        try requireRoot()
        let name = try namespacedName()
        var options = LocalSocketListener.Options()
        options.access = .everyone
        let listener = try LocalSocketListener(name, options: options)
        let client = try ChildProcess.helper("--groups", "7,1234,70000", "--uid", "1000", "hold", name.description)
        client.expect("connected")
        let peer = try listener.accept().peerCredentials()
        XCTAssertEqual(peer.userID, 1000)
        XCTAssertEqual(peer.groupID, 1000)
        XCTAssertEqual(peer.groups?.sorted(), [7, 1234, 70000])
        XCTAssertFalse(peer.isCurrentUser)

        // More groups than fit at the first attempt.
        let many = (2000..<2200).map { "\($0)" }.joined(separator: ",")
        let member = try ChildProcess.helper("--groups", many, "--uid", "1000", "hold", name.description)
        member.expect("connected")
        XCTAssertEqual(try listener.accept().peerCredentials().groups?.sorted(), Array(2000..<2200))

        let alone = try ChildProcess.helper("--uid", "1000", "hold", name.description)
        alone.expect("connected")
        XCTAssertEqual(try listener.accept().peerCredentials().groups, [])
    }

    func testAsSeenByTheClient() throws {
        let name = try pathName()
        let listener = try LocalSocketListener(name)
        let client = try ChildProcess.helper("identify", name.description)
        client.expect("peer \(getpid()) \(geteuid()) \(getegid())")
        listener.close()
    }

    /// They are those of the moment of connecting, and stay when the peer is gone.
    func testCredentialsOutliveThePeer() throws {
        let name = try pathName()
        let listener = try LocalSocketListener(name)
        let client = try ChildProcess.helper("hold", name.description)
        client.expect("connected")
        let stream = try listener.accept()
        client.crash()
        XCTAssertEqual(try stream.read(upTo: 1), [])
        XCTAssertEqual(try stream.peerCredentials().processID, client.pid)
    }

    func testPeerProcess() throws {
        let name = try pathName()
        let listener = try LocalSocketListener(name)
        let client = try ChildProcess.helper("hold", name.description)
        client.expect("connected")
        let process = try listener.accept().peerProcess()
        XCTAssertTrue(try process.isRunning)
        let elapsed = ContinuousClock().measure {
            assertThrows(.timedOut, .wait) { try process.waitForExit(timeout: .milliseconds(60)) }
        }
        XCTAssertGreaterThanOrEqual(elapsed, .milliseconds(60))
        let waiter = Running { try process.waitForExit() }
        waiter.waitUntilBlocked()
        client.kill(SIGKILL)
        try waiter.value()
        XCTAssertFalse(try process.isRunning)
        try process.waitForExit(timeout: .zero)
        client.wait()
        // The number may be another's by now; the process is gone for good.
        XCTAssertFalse(try process.isRunning)
    }

    func testServersPeerProcess() throws {
        let name = try namespacedName()
        let server = try ChildProcess.helper("listen", name.description, "never")
        server.expect("ready")
        let process = try LocalSocketStream.connect(to: name).peerProcess()
        XCTAssertTrue(try process.isRunning)
        server.closeInput()
        try process.waitForExit(timeout: .seconds(20))
        XCTAssertEqual(server.wait(), 0)
    }

    func testClosingEndsTheWait() throws {
        let (one, other) = try LocalSocketStream.pair()
        let process = try one.peerProcess()
        let waiter = Running { try process.waitForExit() }
        waiter.waitUntilBlocked()
        process.close()
        assertThrows(.closed, .wait) { try waiter.value() }
        assertThrows(.closed) { try process.isRunning }
        // The stream was another thing.
        try other.writeAll("x")
        XCTAssertEqual(try one.readExactly(1), [UInt8(ascii: "x")])
    }

    func testEquality() throws {
        let (one, other) = try LocalSocketStream.pair()
        XCTAssertEqual(try one.peerCredentials(), try other.peerCredentials())
        XCTAssertEqual(Set([try one.peerCredentials(), try other.peerCredentials()]).count, 1)
        let name = try pathName()
        let listener = try LocalSocketListener(name)
        let client = try ChildProcess.helper("hold", name.description)
        let stream = try listener.accept()
        XCTAssertNotEqual(try stream.peerCredentials(), try one.peerCredentials())
        client.closeInput()
    }
}
