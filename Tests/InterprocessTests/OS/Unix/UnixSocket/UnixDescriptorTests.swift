// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

/// Descriptors that travel beside bytes, and who owns them.
final class UnixDescriptorTests: InterprocessTestCase {
    private func file(_ contents: String) throws -> IPCDescriptor {
        try Data(contents.utf8).write(to: URL(fileURLWithPath: path("f")))
        return try IPCDescriptor(adopting: open(path("f"), O_RDONLY))
    }

    private func pass(_ owners: [any DescriptorOwner]) throws -> [IPCDescriptor] {
        let (one, other) = try UnixStream.pair()
        var attachments = UnixAttachments()
        for owner in owners { attachments.add(owner) }
        XCTAssertEqual(attachments.descriptorCount, owners.count)
        try one.send([1], with: attachments)
        let message = try other.receive(upTo: 9, maximumDescriptors: 99).message
        XCTAssertEqual(message.byteCount, 1)
        XCTAssertFalse(message.descriptorsAreTruncated)
        return message.descriptors
    }

    func testEverythingCanBePassed() throws {
        let (sender, receiver) = try UnnamedPipe.create()
        let (near, far) = try UnixStream.pair()
        let listener = try UnixListener(try pathName())
        let passed = try pass([receiver, sender, far, listener, file("contents")])
        XCTAssertEqual(passed.count, 5)
        for descriptor in passed {
            XCTAssertEqual(try descriptor.withUnsafeDescriptor { fcntl($0, F_GETFD) }, FD_CLOEXEC)
        }
        // What was passed lives on by itself.
        receiver.close()
        sender.close()
        far.close()

        let arrivedReceiver = try UnnamedPipeReceiver(adopting: passed[0])
        let arrivedSender = try UnnamedPipeSender(adopting: passed[1])
        try arrivedSender.writeAll("pipe\n")
        XCTAssertEqual(try arrivedReceiver.readLine(), "pipe")
        arrivedSender.close()
        XCTAssertNil(try arrivedReceiver.readLine())

        let stream = try UnixStream(adopting: passed[2])
        try stream.writeAll("there\n")
        XCTAssertEqual(try near.readLine(), "there")
        try near.writeAll("back\n")
        XCTAssertEqual(try stream.readLine(), "back")

        let arrivedListener = try UnixListener(adopting: passed[3])
        _ = try UnixStream.connect(to: try pathName())
        XCTAssertNoThrow(try arrivedListener.accept(timeout: .zero))

        let handle = FileHandle(fileDescriptor: try passed[4].detach(), closeOnDealloc: true)
        XCTAssertEqual(try handle.readToEnd(), Data("contents".utf8))
        XCTAssertTrue(passed.allSatisfy { $0.isClosed })
    }

    /// Raw ones too; and a duplicate lives by itself.
    func testRawDescriptors() throws {
        let (one, other) = try UnixStream.pair()
        let (sender, receiver) = try UnnamedPipe.create()
        var attachments = UnixAttachments()
        attachments.add(rawDescriptor: try sender.withUnsafeDescriptor { $0 })
        try one.send([1], with: attachments)
        attachments.add(rawDescriptor: 1 << 20)
        assertThrows(.invalidArgument, .write) { try one.send([1], with: attachments) }
        sender.close()
        let arrived = try other.receive(upTo: 9, maximumDescriptors: 1).message.descriptors[0]
        let copy = try arrived.duplicate()
        arrived.close()
        arrived.close()
        assertThrows(.closed, .duplicate) { try arrived.duplicate() }
        assertThrows(.closed, .detach) { try arrived.detach() }
        assertThrows(.closed) { try UnnamedPipeSender(adopting: arrived) }
        try UnnamedPipeSender(adopting: copy).writeAll("x\n")
        XCTAssertEqual(try receiver.readToEnd(), Array("x\n".utf8))
        assertThrows(.invalidArgument, .adopt) { try IPCDescriptor(adopting: 1 << 20) }
    }

    /// What is made of the wrong thing fails, and closes it.
    func testWrongKind() throws {
        let passed = try pass([file("")])
        assertThrows(.invalidArgument, .adopt) { try UnixStream(adopting: passed[0]) }
        XCTAssertTrue(passed[0].isClosed)
    }

    func testAsManyAsCanBe() throws {
        XCTAssertEqual(UnixAttachments.maximumDescriptors, 253)
        let (one, other) = try UnixStream.pair()
        var attachments = UnixAttachments()
        for _ in 0..<253 { attachments.add(one) }
        let before = OpenDescriptors.count
        try one.send([1], with: attachments)
        let message = try other.receive(upTo: 9, maximumDescriptors: .max).message
        XCTAssertEqual(message.descriptors.count, 253)
        XCTAssertFalse(message.descriptorsAreTruncated)
        XCTAssertEqual(OpenDescriptors.count, before + 253)
        attachments.add(one)
        let error = assertThrows(.messageTooLarge, .write) { try one.send([2], with: attachments) }
        XCTAssertTrue("\(error!)".contains("253"), "\(error!)")
        assertThrows(.timedOut) { try other.receive(upTo: 1, timeout: .zero) }
    }

    /// Those that nobody asked for are closed, and told; the bytes are there.
    func testMoreThanAskedFor() throws {
        for (sent, room) in [(1, 0), (5, 2), (253, 252), (253, 0)] {
            let (one, other) = try UnixStream.pair()
            var attachments = UnixAttachments()
            for _ in 0..<sent { attachments.add(one) }
            let before = OpenDescriptors.count
            try one.send([1, 2], with: attachments)
            let (bytes, message) = try other.receive(upTo: 9, maximumDescriptors: room)
            XCTAssertEqual(bytes, [1, 2])
            XCTAssertEqual(message.descriptors.count, room)
            XCTAssertTrue(message.descriptorsAreTruncated)
            XCTAssertEqual(OpenDescriptors.count, before + room)
        }
    }

    /// Reading as bytes drops them.
    func testReadingBytesDropsDescriptors() throws {
        let (one, other) = try UnixStream.pair()
        let before = OpenDescriptors.count
        try one.sendAll(Array("line\n".utf8), with: .descriptors(one, other))
        XCTAssertEqual(try other.readLine(), "line")
        XCTAssertEqual(OpenDescriptors.count, before)
    }

    /// What is received and then not wanted is closed with the message.
    func testDroppedMessage() throws {
        let (one, other) = try UnixStream.pair()
        let before = OpenDescriptors.count
        try one.send([1], with: .descriptors(one, other))
        _ = try other.receive(upTo: 1, maximumDescriptors: 2)
        XCTAssertEqual(OpenDescriptors.count, before)
        // And what nobody receives, with the socket: the pipe has no sender then.
        let (sender, receiver) = try UnnamedPipe.create()
        try one.send([1], with: .descriptors(sender))
        sender.close()
        assertThrows(.timedOut) { try receiver.read(upTo: 1, timeout: .milliseconds(1)) }
        other.close()
        XCTAssertEqual(try receiver.read(upTo: 1), [])
    }

    /// A receiver short of numbers gets an error that says so, and has none of them afterwards.
    func testNoNumbersLeft() throws {
        let (one, other) = try UnixStream.pair()
        let (packets, otherPackets) = try UnixDatagramSocket.pair()
        for socket in [one, packets] as [any UnixSocket] {
            try socket.send([1, 2, 3], with: .descriptors(one, other))
            try socket.send([4])
        }
        var room = [UInt8](repeating: 0, count: 3)
        for socket in [other, otherPackets] as [any UnixSocket] {
            let before = OpenDescriptors.all()
            let error = withoutDescriptors {
                room.withUnsafeMutableBytes { memory in
                    assertThrows(.resourcesExhausted, .read) {
                        try socket.receive(into: memory, maximumDescriptors: 5)
                    }
                }
            }
            XCTAssertEqual(OpenDescriptors.all(), before)
            #if os(Linux)
            XCTAssertEqual(error?.bytesTransferred, 3)
            XCTAssertEqual(room, [1, 2, 3])
            XCTAssertEqual(try socket.receive(upTo: 3).bytes, [4])
            #endif
        }
    }

    /// The same when some could be made, and others not.
    func testNumbersForSomeLeft() throws {
        let helper = try UnixListener(try pathName())
        let child = try ChildProcess.helper("receive-without-numbers", path(), "3")
        let stream = try helper.accept()
        child.expect("connected")
        var attachments = UnixAttachments()
        for _ in 0..<10 { attachments.add(stream) }
        try stream.send([1, 2], with: attachments)
        child.write("go\n")
        child.expect("failed resourcesExhausted 2")
        child.expect("none left open")
        try stream.writeAll("on it goes\n")
        child.expect("then on it goes")
    }

    /// Nothing that is being sent is closed meanwhile, or replaced by something else with its number.
    func testClosingWhatIsBeingSent() throws {
        let (one, other) = try UnixStream.pair()
        let filled = try fill(one)
        let (sender, receiver) = try UnnamedPipe.create()
        let sending = Running { try one.send([9], with: .descriptors(receiver)) }
        sending.waitUntilBlocked()
        receiver.close()
        XCTAssertTrue(receiver.isClosed)
        XCTAssertEqual(try other.readExactly(filled).count, filled)
        let message = try other.receive(upTo: 1, maximumDescriptors: 1).message
        try sending.value()
        try sender.writeAll("x\n")
        XCTAssertEqual(try UnnamedPipeReceiver(adopting: message.descriptors[0]).readLine(), "x")
        // What has been closed before is not sent.
        assertThrows(.closed, .write) { try one.send([9], with: .descriptors(receiver)) }
    }

    /// A call that only the sole holder of an open file description can end keeps that from being sent.
    func testBusyWithARead() throws {
        let (one, other) = try UnixStream.pair()
        let (near, far) = try UnixStream.pair()
        let reader = Running { try near.read(upTo: 1) }
        reader.waitUntilBlocked()
        assertThrows(.busy, .write) { try one.send([1], with: .descriptors(near)) }
        assertThrows(.timedOut) { try other.receive(upTo: 1, timeout: .zero) }
        try far.writeAll("x")
        try reader.value()
        try one.send([1], with: .descriptors(near))
    }

    /// A stream can be sent through itself, and goes on after it.
    func testSendingItself() throws {
        let (one, other) = try UnixStream.pair()
        try one.send([1], with: .descriptors(one, other))
        let descriptors = try other.receive(upTo: 1, maximumDescriptors: 2).message.descriptors
        try UnixStream(adopting: descriptors[0]).writeAll("x\n")
        XCTAssertEqual(try other.readLine(), "x")
        let reader = Running { try one.read(upTo: 1) }
        reader.waitUntilBlocked()
        one.close()
        assertThrows(.closed) { try reader.value() }
    }
}
