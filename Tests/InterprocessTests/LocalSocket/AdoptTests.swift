// SPDX-License-Identifier: MIT OR Apache-2.0

import CInterprocess
import Foundation
import Interprocess
import XCTest

/// Taking over descriptors from outside, and giving them away.
final class AdoptTests: InterprocessTestCase {
    private func assertStaysOpen(_ descriptor: Int32, line: UInt = #line) {
        XCTAssertGreaterThanOrEqual(fcntl(descriptor, F_GETFD), 0, "the descriptor is not open any more", line: line)
    }

    private func refused(_ descriptor: Int32, _ code: IPCError.Code = .invalidArgument, line: UInt = #line) {
        let flags = (fcntl(descriptor, F_GETFD), fcntl(descriptor, F_GETFL))
        for attempt: () throws -> Void in [
            { _ = try LocalSocketStream(adopting: descriptor) }, { _ = try LocalSocketListener(adopting: descriptor) },
        ] {
            let error = assertThrows(code, .adopt, line: line) { try attempt() }
            XCTAssertEqual(error?.name, "descriptor \(descriptor)", line: line)
        }
        // As it was, to its flags.
        XCTAssertTrue(flags == (fcntl(descriptor, F_GETFD), fcntl(descriptor, F_GETFL)), line: line)
    }

    func testWhatIsNoUnixStreamSocket() throws {
        let file = open(path("file"), O_CREAT | O_RDWR, 0o600)
        refused(file)
        assertStaysOpen(file)
        close(file)
        refused(file)

        var ends: [Int32] = [0, 0]
        XCTAssertEqual(pipe(&ends), 0)
        for end in ends {
            refused(end)
            assertStaysOpen(end)
            close(end)
        }

        let internet = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        if internet >= 0 {
            refused(internet, .invalidArgument)
            assertStaysOpen(internet)
            close(internet)
        }

        for type in [CIP_DATAGRAM, CIP_SEQUENCED_PACKETS] {
            let other = Int32(cip_socket(Int64(type), false))
            refused(other)
            assertStaysOpen(other)
            close(other)
        }
        refused(-1)
        refused(1_000_000)
    }

    func testListeningAndConnectedAreTwoThings() throws {
        let listener = try LocalSocketListener(try pathName()).detach()
        assertThrows(.invalidArgument, .adopt) { try LocalSocketStream(adopting: listener) }
        assertStaysOpen(listener)
        close(listener)
        let (one, other) = try LocalSocketStream.pair()
        let stream = try one.detach()
        assertThrows(.invalidArgument, .adopt) { try LocalSocketListener(adopting: stream) }
        assertStaysOpen(stream)
        close(stream)
        XCTAssertEqual(try other.read(upTo: 1), [])
    }

    func testStream() throws {
        var ends: [Int32] = [0, 0]
        XCTAssertEqual(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends), 0)
        let one = try LocalSocketStream(adopting: ends[0])
        let other = try LocalSocketStream(adopting: ends[1])
        for end in ends { XCTAssertEqual(fcntl(end, F_GETFD), FD_CLOEXEC) }
        try one.writeAll("x\n")
        XCTAssertEqual(try other.readLine(), "x")
        one.close()
        XCTAssertLessThan(fcntl(ends[0], F_GETFD), 0)
        XCTAssertEqual(try other.read(upTo: 1), [])
    }

    /// Closing an adopted stream must not end the connection of others who hold the socket.
    func testOtherHoldersAreNotDisturbed() throws {
        var ends: [Int32] = [0, 0]
        XCTAssertEqual(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends), 0)
        let holder = dup(ends[0])
        let stream = try LocalSocketStream(adopting: ends[0])
        let reader = Running { try stream.read(upTo: 1) }
        reader.waitUntilBlocked()
        stream.close()
        assertThrows(.closed) { try reader.value() }
        XCTAssertEqual(send(holder, "x", 1, Int32(MSG_NOSIGNAL)), 1)
        var byte: UInt8 = 0
        XCTAssertEqual(Foundation.read(ends[1], &byte, 1), 1)
        XCTAssertEqual(byte, UInt8(ascii: "x"))
        close(holder)
        close(ends[1])
    }

    func testListener() throws {
        let name = try pathName()
        let descriptor = try LocalSocketListener(name).detach()
        let holder = dup(descriptor)
        let listener = try LocalSocketListener(adopting: descriptor)
        XCTAssertEqual(listener.name, name)
        XCTAssertEqual(fcntl(descriptor, F_GETFD), FD_CLOEXEC)
        let server = Running { try listener.accept() }
        server.waitUntilBlocked()
        _ = try LocalSocketStream.connect(to: name)
        _ = try server.value()
        let second = Running { try listener.accept() }
        second.waitUntilBlocked()
        listener.close()
        assertThrows(.closed) { try second.value() }
        // Whoever else holds it goes on serving.
        let client = try LocalSocketStream.connect(to: name)
        let again = try LocalSocketListener(adopting: holder)
        try client.writeAll("x\n")
        XCTAssertEqual(try again.accept(timeout: .seconds(5)).readLine(), "x")
    }

    func testNamesOfAdoptedListeners() throws {
        let namespaced = try namespacedName()
        let abstract = try LocalSocketListener(adopting: try LocalSocketListener(namespaced).detach())
        XCTAssertEqual(abstract.name, namespaced)
        // A socket may listen without a name.
        let nameless = cip_socket(Int64(CIP_STREAM), false)
        XCTAssertEqual(cip_listen(nameless, 1), cip_listen(nameless, 1))
        if cip_socket_listens(nameless) == 1 {
            XCTAssertNil(try LocalSocketListener(adopting: Int32(nameless)).name)
        } else {
            _ = cip_close(nameless)
        }
    }

    func testDetachStream() throws {
        for name in try bothNames() {
            let (server, client) = try connected(name)
            try server.writeAll("line\nmore")
            XCTAssertEqual(try client.readLine(), "line")
            assertThrows(.busy, .detach) { try client.detach() }
            XCTAssertEqual(client.takeBuffered(), Array("more".utf8))
            let descriptor = try client.detach()
            XCTAssertTrue(client.isClosed)
            client.close()
            assertThrows(.closed, .read) { try client.read(upTo: 1) }
            assertThrows(.closed, .detach) { try client.detach() }
            assertStaysOpen(descriptor)
            try server.writeAll("x")
            var byte: UInt8 = 0
            XCTAssertEqual(Foundation.read(descriptor, &byte, 1), 1)
            close(descriptor)
            XCTAssertEqual(try server.read(upTo: 1), [])
        }
    }

    /// What is read ahead and not a whole line is not lost either.
    func testDetachRefusesWhileBytesAreBuffered() throws {
        let (one, other) = try LocalSocketStream.pair()
        try other.writeAll("ab")
        assertThrows(.timedOut) { try one.readExactly(5, timeout: .milliseconds(1)) }
        assertThrows(.busy, .detach) { try one.detach() }
        XCTAssertEqual(try one.readExactly(2), Array("ab".utf8))
        close(try one.detach())
        XCTAssertEqual(try other.read(upTo: 1), [])
    }
}
