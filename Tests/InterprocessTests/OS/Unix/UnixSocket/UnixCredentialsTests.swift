// SPDX-License-Identifier: MIT OR Apache-2.0

#if os(Linux)
import Foundation
import XCTest

@testable import Interprocess

/// Who has sent a message, and who may.
final class UnixCredentialsTests: InterprocessTestCase {
    func testCredentials() throws {
        let (one, other) = try UnixStream.pair()
        XCTAssertFalse(try other.receivesCredentials())
        try one.send([1])
        XCTAssertNil(try other.receive(upTo: 9).message.credentials)
        try other.setReceivesCredentials(true)
        XCTAssertTrue(try other.receivesCredentials())
        var attachments = UnixAttachments()
        attachments.credentials = .own
        for attachments in [UnixAttachments(), attachments] {
            try one.send([1], with: attachments)
            let credentials = try XCTUnwrap(other.receive(upTo: 9).message.credentials)
            XCTAssertEqual(credentials.processID, getpid())
            XCTAssertEqual(credentials.userID, geteuid())
            XCTAssertEqual(credentials.groupID, getegid())
            XCTAssertNil(credentials.groups)
            XCTAssertNil(credentials.securityLabel)
        }
        try other.setReceivesCredentials(false)
        try one.send([1], with: .descriptors(one))
        let message = try other.receive(upTo: 9, maximumDescriptors: 1).message
        XCTAssertNil(message.credentials)
        XCTAssertFalse(message.descriptorsAreTruncated)
    }

    /// With credentials, as many descriptors fit as without.
    func testCredentialsBesideDescriptors() throws {
        let (one, other) = try UnixPacketSocket.pair()
        try other.setReceivesCredentials(true)
        try other.setReceivesProcesses(true)
        var attachments = UnixAttachments()
        attachments.credentials = .own
        for _ in 0..<253 { attachments.add(other) }
        try one.send([1], with: attachments)
        let message = try other.receive(upTo: 9, maximumDescriptors: 253).message
        XCTAssertEqual(message.descriptors.count, 253)
        XCTAssertEqual(message.credentials?.processID, getpid())
        XCTAssertNotNil(message.process)
        XCTAssertFalse(message.descriptorsAreTruncated)
        // Descriptors that nobody asked for are told of beside them, too.
        try one.send([1], with: attachments)
        let second = try other.receive(upTo: 9).message
        XCTAssertEqual(second.credentials?.processID, getpid())
        XCTAssertTrue(second.descriptorsAreTruncated)
        // An empty packet has a sender, and the end has none.
        try one.send([])
        XCTAssertFalse(try other.receive(upTo: 9).message.isEnd)
        one.close()
        XCTAssertTrue(try other.receive(upTo: 9).message.isEnd)
    }

    /// The kernel lets nobody but the superuser present what is not its own.
    func testForgedCredentials() throws {
        try requireRoot()
        XCTAssertEqual(chmod(directory, 0o755), 0)
        var options = LocalSocketListener.Options()
        options.access = .everyone
        let listener = try UnixListener(try pathName(), options: options)
        let child = try ChildProcess.helper("--uid", "1000", "present-credentials", path())
        let stream = try listener.accept()
        try stream.setReceivesCredentials(true)
        child.expect("own sent")
        for _ in 0..<3 { child.expect("error permissionDenied") }
        let credentials = try XCTUnwrap(stream.receive(upTo: 9).message.credentials)
        XCTAssertEqual(credentials.processID, child.pid)
        XCTAssertEqual(credentials.userID, 1000)
        XCTAssertEqual(credentials.groupID, 1000)
        XCTAssertEqual(child.wait(), 0)
        XCTAssertTrue(try stream.receive(upTo: 9).message.isEnd, "a forged one came")
        // The superuser may.
        let (one, other) = try UnixStream.pair()
        try other.setReceivesCredentials(true)
        var attachments = UnixAttachments()
        attachments.credentials = UnixCredentials(processID: getpid(), userID: 1000, groupID: 1001)
        try one.send([1], with: attachments)
        let presented = try other.receive(upTo: 9).message.credentials
        XCTAssertEqual(presented?.userID, 1000)
        XCTAssertEqual(presented?.groupID, 1001)
    }

    func testProcess() throws {
        let socket = try UnixDatagramSocket(address: .path(path()))
        do { try socket.setReceivesProcesses(true) } catch { try skip("the system is too old: \(error)") }
        let child = try ChildProcess.helper("send-datagram", path(), "hello")
        child.expect("sent")
        let message = try socket.receive(upTo: 9).message
        let process = try XCTUnwrap(message.process)
        XCTAssertEqual(child.wait(), 0)
        try process.waitForExit(timeout: .seconds(10))
        XCTAssertFalse(try process.isRunning)
        // It takes a descriptor, which there may be none for.
        try UnixDatagramSocket().send([1, 2], to: .path(path()))
        let error = withoutDescriptors { assertThrows(.resourcesExhausted, .read) { try socket.receive(upTo: 9) } }
        XCTAssertEqual(error?.bytesTransferred, 2)
        try socket.setReceivesProcesses(false)
        try UnixDatagramSocket().send([1], to: .path(path()))
        XCTAssertNil(try socket.receive(upTo: 9).message.process)
    }

    /// A stranger's datagrams are passed over where no mode of a file keeps them out.
    func testAbstractNamePassesStrangersOver() throws {
        try requireRoot()
        for access in [LocalSocketListener.Access.currentUser, .group, .everyone] {
            let name = "interprocess-test-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
            var options = UnixDatagramSocket.BindOptions()
            options.access = access
            let socket = try UnixDatagramSocket(address: .abstract(name), options: options)
            let stranger = try ChildProcess.helper("--uid", "1000", "send-datagram", "@" + name, "stranger")
            stranger.expect("sent")
            try UnixDatagramSocket().send(Array("friend".utf8), to: .abstract(name))
            let expected = access == .everyone ? ["stranger", "friend"] : ["friend"]
            for text in expected { XCTAssertEqual(try socket.receive(upTo: 99).bytes, Array(text.utf8)) }
            assertThrows(.timedOut) { try socket.receive(upTo: 99, timeout: .milliseconds(1)) }

            let second = try ChildProcess.helper("--uid", "1000", "send-datagram", "@" + name, "stranger")
            second.expect("sent")
            try UnixDatagramSocket().send(Array("friend".utf8), to: .abstract(name))
            let batch = UnixDatagramBatch(capacity: 9, maximumSize: 99)
            XCTAssertEqual(try socket.receiveMany(into: batch), expected.count)
            XCTAssertEqual((0..<batch.count).map { batch.bytes(at: $0) }, expected.map { Array($0.utf8) })
        }
    }

    func testPathKeepsStrangersOut() throws {
        try requireRoot()
        XCTAssertEqual(chmod(directory, 0o755), 0)
        let socket = try UnixDatagramSocket(address: .path(path()))
        XCTAssertEqual(FileImage(path())?.permissions, 0o600)
        let stranger = try ChildProcess.helper("--uid", "1000", "send-datagram", path(), "stranger")
        stranger.expect("error permissionDenied")
        assertThrows(.timedOut) { try socket.receive(upTo: 99, timeout: .zero) }
        socket.close()
        let name = "interprocess-test-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
        let packets = try UnixPacketListener(address: .abstract(name))
        let foreign = try ChildProcess.helper("--uid", "1000", "echo-packets", "@" + name, "1")
        // As a server of root's it is trusted; as a client of somebody else's it is turned away.
        assertThrows(.timedOut) { try packets.accept(timeout: .milliseconds(500)) }
        packets.close()
        XCTAssertNotEqual(foreign.wait(), 0)
    }
}
#endif
