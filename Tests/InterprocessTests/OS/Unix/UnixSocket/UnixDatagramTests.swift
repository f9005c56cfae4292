// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

/// Datagrams: addresses, boundaries, full queues, many at once.
final class UnixDatagramTests: InterprocessTestCase {
    func testToAndFro() throws {
        let server = try UnixDatagramSocket(address: .path(path()))
        let client = try UnixDatagramSocket(address: .path(path("c")))
        XCTAssertEqual(try client.send([1, 2, 3], to: try server.localAddress()), 3)
        XCTAssertEqual(try client.send([], to: try server.localAddress()), 0)
        let (bytes, message) = try server.receive(upTo: 2)
        XCTAssertEqual(bytes, [1, 2])
        XCTAssertTrue(message.isTruncated)
        #if os(Linux)
        XCTAssertEqual(message.size, 3)
        #endif
        XCTAssertEqual(message.sender?.path, path("c"))
        let empty = try server.receive(upTo: 2).message
        XCTAssertEqual(empty.byteCount, 0)
        XCTAssertFalse(empty.isEnd || empty.isTruncated)
        try server.send([4], to: XCTUnwrap(message.sender))
        XCTAssertEqual(try client.receive(upTo: 9).bytes, [4])
        server.close()
        client.close()
        XCTAssertNil(FileImage(path()))
        XCTAssertNil(FileImage(path("c")))
        assertThrows(.closed) { try server.send([1], to: .path(path())) }
    }

    func testConnecting() throws {
        let one = try UnixDatagramSocket(address: .path(path("1")))
        let two = try UnixDatagramSocket(address: .path(path("2")))
        let client = try UnixDatagramSocket()
        assertThrows(.notConnected, .write) { try client.send([1]) }
        assertThrows(.notConnected) { try client.peerAddress() }
        for (socket, name) in [(one, "1"), (two, "2")] {
            try client.connect(to: .path(path(name)))
            XCTAssertEqual(try client.peerAddress().path, path(name))
            try client.send([7])
            XCTAssertEqual(try socket.receive(upTo: 9).message.sender, .unnamed)
        }
        two.close()
        assertThrows(.connectionRefused, .write) { try client.send([1]) }
        assertThrows(.notFound, .connect) { try client.connect(to: .path(path("2"))) }
        assertThrows(.notFound, .write) { try client.send([1], to: .path(path("2"))) }
        makeStale(path("3"))
        assertThrows(.connectionRefused, .write) { try client.send([1], to: .path(path("3"))) }
        // Connected to one, it receives from nobody else.
        let four = try UnixDatagramSocket(address: .path(path("4")))
        try one.connect(to: .path(path("4")))
        assertThrows(.permissionDenied, .write) { try client.send([1], to: .path(path("1"))) }
        try four.send([2], to: .path(path("1")))
        XCTAssertEqual(try one.receive(upTo: 9).bytes, [2])
        four.close()
        XCTAssertEqual(try one.localAddress().path, path("1"))
        unlink(path("3"))
    }

    /// To nobody's address is not to whom the socket is connected to.
    func testNobodysAddress() throws {
        let (one, other) = try UnixDatagramSocket.pair()
        let batch = UnixDatagramBatch(capacity: 1, maximumSize: 1)
        for socket in [one, try UnixDatagramSocket()] {
            let error = assertThrows(.invalidArgument, .write) { try socket.send([1], to: .unnamed) }
            XCTAssertEqual(error?.description.contains("not bound"), true, error?.description ?? "")
        }
        assertThrows(.invalidArgument, .connect) { try one.connect(to: .unnamed) }
        assertThrows(.invalidArgument, .write) { try batch.add([1], to: .unnamed) }
        XCTAssertEqual(batch.count, 0)
        other.setNonblocking(true)
        assertThrows(.wouldBlock, .read) { try other.receive(upTo: 9) }
    }

    func testPair() throws {
        let (one, other) = try UnixDatagramSocket.pair()
        try one.send([1], with: .descriptors(one))
        let message = try other.receive(upTo: 9, maximumDescriptors: 1).message
        XCTAssertEqual(message.sender, .unnamed)
        let copy = try UnixDatagramSocket(adopting: message.descriptors[0])
        try copy.send([2])
        XCTAssertEqual(try other.receive(upTo: 9).bytes, [2])
        let adopted = try UnixDatagramSocket(adopting: copy.detach())
        try other.send([3])
        XCTAssertEqual(try adopted.receive(upTo: 9).bytes, [3])
    }

    #if os(Linux)
    func testAbstractAndAutomaticAddresses() throws {
        let server = try UnixDatagramSocket(address: .automatic)
        XCTAssertEqual(try server.localAddress().abstractBytes?.count, 5)
        let bytes = [0, 0xff, 0] + (0..<16).map { _ in UInt8.random(in: 0...255) }
        let client = try UnixDatagramSocket(address: .abstract(bytes: bytes))
        try client.send([1], to: server.localAddress())
        XCTAssertEqual(try server.receive(upTo: 9).message.sender?.abstractBytes, bytes)
        assertThrows(.addressInUse, .listen) { try UnixDatagramSocket(address: .abstract(bytes: bytes)) }
        client.close()
        let next = try UnixDatagramSocket(address: .abstract(bytes: bytes))
        XCTAssertEqual(try next.localAddress().abstractBytes, bytes)
    }

    func testNextMessageSize() throws {
        let (one, other) = try UnixDatagramSocket.pair()
        try one.send([UInt8](repeating: 1, count: 500))
        XCTAssertEqual(try other.nextMessageSize(), 500)
        XCTAssertEqual(try other.receive(upTo: 600).message.size, 500)
    }
    #endif

    /// A dead socket's file is replaced, a living one's is not, and only one's own is removed.
    func testFiles() throws {
        makeStale(path())
        let socket = try UnixDatagramSocket(address: .path(path()))
        // It can be answered.
        XCTAssertEqual(try socket.localAddress().path, path())
        assertThrows(.addressInUse, .listen) { try UnixDatagramSocket(address: .path(path())) }
        var options = UnixDatagramSocket.BindOptions()
        options.overwrite = .always
        options.mode = 0o640
        let second = try UnixDatagramSocket(address: .path(path()), options: options)
        XCTAssertEqual(FileImage(path())?.permissions, 0o640)
        socket.close()
        XCTAssertNotNil(FileImage(path()), "it was the second one's")
        try UnixDatagramSocket().send([1], to: .path(path()))
        XCTAssertEqual(try second.receive(upTo: 9).bytes, [1])
        second.keepNameOnClose()
        second.close()
        XCTAssertNotNil(FileImage(path()))
        options.overwrite = .never
        assertThrows(.addressInUse, .listen) { try UnixDatagramSocket(address: .path(path()), options: options) }
        options.overwrite = .ifStale
        options.reclaimsName = false
        try UnixDatagramSocket(address: .path(path()), options: options).close()
        XCTAssertNotNil(FileImage(path()))
        assertThrows(.notFound, .listen) { try UnixDatagramSocket(address: .path(path("no/where"))) }
        let detached = try UnixDatagramSocket(address: .path(path()))
        close(try detached.detach())
        detached.close()
        XCTAssertNotNil(FileImage(path()))
    }

    /// Sends until nothing more fits, and returns how many that were.
    private func fill(_ send: () throws -> Void) -> UInt8 {
        var sent: UInt8 = 0
        while (try? send()) != nil { sent += 1 }
        return sent
    }

    /// A full queue is waited for, whether the sender is connected to it or not.
    func testFullQueue() throws {
        for isConnected in [false, true] {
            let server = try UnixDatagramSocket(address: .path(path()))
            let client = try UnixDatagramSocket()
            if isConnected { try client.connect(to: .path(path())) }
            let address = try server.localAddress()
            let send = { @Sendable (limit: Duration?) in
                _ =
                    isConnected
                    ? try client.send([1], timeout: limit) : try client.send([1], to: address, timeout: limit)
            }
            let count = fill { try send(.zero) }
            XCTAssertGreaterThan(count, 0)
            assertThrows(.timedOut, .write) { try send(.milliseconds(5)) }
            let batch = UnixDatagramBatch(capacity: 1, maximumSize: 1)
            try batch.add([1], to: isConnected ? nil : address)
            assertThrows(.timedOut, .write) { try client.sendMany(batch, timeout: .milliseconds(5)) }
            client.setNonblocking(true)
            assertThrows(.wouldBlock, .write) { try send(nil) }
            assertThrows(.wouldBlock, .write) { try client.sendMany(batch) }
            client.setNonblocking(false)
            let sender = Running { try send(nil) }
            sender.waitUntilBlocked()
            for _ in 0...count { XCTAssertEqual(try server.receive(upTo: 9).bytes, [1]) }
            try sender.value()
            _ = fill { try send(.zero) }
            let closed = Running { try send(nil) }
            let many = Running {
                let batch = UnixDatagramBatch(capacity: 1, maximumSize: 1)
                try batch.add([1], to: isConnected ? nil : address)
                return try client.sendMany(batch)
            }
            for call in [closed.waitUntilBlocked, many.waitUntilBlocked] { call() }
            client.close()
            assertThrows(.closed, .write) { try closed.value() }
            assertThrows(.closed, .write) { try many.value() }
            server.close()
        }
    }

    /// On sockets that are connected to nobody, made here or shared.
    func testClosing() throws {
        for isShared in [false, true] {
            let socket = try UnixDatagramSocket(address: .path(path()))
            if isShared { try socket.withUnsafeDescriptor { _ in } }
            let calls: [Running<Void>] = [
                Running { _ = try socket.receive(upTo: 9) },
                Running { _ = try socket.receive(upTo: 9, maximumDescriptors: 1) },
                Running { _ = try socket.receive(upTo: 9, timeout: .seconds(25)) },
                Running { _ = try socket.receiveMany(into: UnixDatagramBatch(capacity: 2, maximumSize: 2)) },
            ]
            for call in calls { call.waitUntilBlocked() }
            socket.close()
            for call in calls { assertThrows(.closed, .read) { try call.value() } }
        }
        let adopted = try UnixDatagramSocket(adopting: UnixDatagramSocket(address: .path(path())).detach())
        let call = Running { try adopted.receive(upTo: 9) }
        call.waitUntilBlocked()
        adopted.close()
        assertThrows(.closed, .read) { try call.value() }
    }

    func testMany() throws {
        let server = try UnixDatagramSocket(address: .path(path()))
        let client = try UnixDatagramSocket(address: .path(path("c")))
        try server.setReceivesCredentialsIfPossible()
        let batch = UnixDatagramBatch(capacity: 200, maximumSize: 100)
        for number in UInt8(0)..<200 {
            try batch.add([UInt8](repeating: number, count: Int(number) % 90), to: try server.localAddress())
        }
        assertThrows(.messageTooLarge) { try batch.add([1]) }
        XCTAssertEqual(batch.count, 200)
        XCTAssertEqual(batch.address(at: 7).path, path())
        let address = try server.localAddress()
        let sender = Running {
            let again = UnixDatagramBatch(capacity: 200, maximumSize: 100)
            for number in UInt8(0)..<200 {
                try again.add([UInt8](repeating: number, count: Int(number) % 90), to: address)
            }
            var sent = 0
            while sent < 200 { sent += try client.sendMany(again, startingAt: sent) }
            return sent
        }
        let arrived = UnixDatagramBatch(capacity: 150, maximumSize: 80)
        var next = 0
        while next < 200 {
            let count = try server.receiveMany(into: arrived)
            XCTAssertEqual(arrived.count, count)
            for index in 0..<count {
                let size = next % 90
                XCTAssertEqual(arrived.bytes(at: index), [UInt8](repeating: UInt8(next), count: min(size, 80)))
                XCTAssertEqual(arrived.isTruncated(at: index), size > 80)
                XCTAssertEqual(arrived.address(at: index).path, path("c"))
                #if os(Linux)
                XCTAssertEqual(arrived.credentials(at: index)?.processID, getpid())
                #endif
                next += 1
            }
        }
        XCTAssertEqual(try sender.value(), 200)
        assertThrows(.timedOut) { try server.receiveMany(into: arrived, timeout: .zero) }
        XCTAssertEqual(arrived.count, 0)
        server.setNonblocking(true)
        assertThrows(.wouldBlock) { try server.receiveMany(into: arrived) }
        XCTAssertEqual(try server.receiveMany(into: UnixDatagramBatch(capacity: 0, maximumSize: 1)), 0)
        batch.removeAll()
        XCTAssertEqual(try client.sendMany(batch), 0)
        let small = UnixDatagramBatch(capacity: 1, maximumSize: 1)
        assertThrows(.messageTooLarge) { try small.add([1, 2]) }
    }

    /// Whoever may send can send descriptors, too, where no credentials take their room.
    func testManyClosesDescriptors() throws {
        let server = try UnixDatagramSocket(address: .path(path()))
        let client = try UnixDatagramSocket()
        let address = try server.localAddress()
        let passed = try IPCDescriptor(adopting: dup(0))
        let before = OpenDescriptors.count
        for count in [1, 2, 4, 5, 253] {
            var attachments = UnixAttachments()
            for _ in 0..<count { attachments.add(passed) }
            try client.send([UInt8(count)], to: address, with: attachments)
            let batch = UnixDatagramBatch(capacity: 2, maximumSize: 10)
            XCTAssertEqual(try server.receiveMany(into: batch), 1)
            XCTAssertEqual(batch.bytes(at: 0), [UInt8(count)])
        }
        XCTAssertEqual(OpenDescriptors.count, before)
    }

    /// What cannot be sent ends a batch, and is told by the next call.
    func testManyWithOneThatFails() throws {
        let server = try UnixDatagramSocket(address: .path(path()))
        let client = try UnixDatagramSocket()
        let batch = UnixDatagramBatch(capacity: 3, maximumSize: 10)
        try batch.add([1], to: .path(path()))
        try batch.add([2], to: .path(path("nobody")))
        try batch.add([3], to: .path(path()))
        XCTAssertEqual(try client.sendMany(batch), 1)
        assertThrows(.notFound, .write) { try client.sendMany(batch, startingAt: 1) }
        XCTAssertEqual(try client.sendMany(batch, startingAt: 2), 1)
        for byte: UInt8 in [1, 3] { XCTAssertEqual(try server.receive(upTo: 9).bytes, [byte]) }
    }

    /// Also where one system call has taken as many as it may, and it is the next one that fails.
    func testManyWithOneThatFailsAfterManyThatGo() throws {
        // So many go through the first call, and no queue holds as many.
        let servers = try (0..<2).map { try UnixDatagramSocket(address: .path(path("\($0)"))) }
        let client = try UnixDatagramSocket()
        let batch = UnixDatagramBatch(capacity: 17, maximumSize: 1)
        for number in UInt8(0)..<16 { try batch.add([number], to: servers[Int(number) % 2].localAddress()) }
        try batch.add([16], to: .path(path("nobody")))
        client.setNonblocking(true)
        XCTAssertEqual(try client.sendMany(batch), 16)
        assertThrows(.notFound, .write) { try client.sendMany(batch, startingAt: 16) }
        for number in UInt8(0)..<16 {
            XCTAssertEqual(try servers[Int(number) % 2].receive(upTo: 9, timeout: .zero).bytes, [number])
        }
    }
}

extension UnixSocket {
    fileprivate func setReceivesCredentialsIfPossible() throws {
        #if os(Linux)
        try setReceivesCredentials(true)
        #endif
    }
}
