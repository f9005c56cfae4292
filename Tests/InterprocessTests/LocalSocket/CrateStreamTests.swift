// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// The tests that the crate has for streams.
final class CrateStreamTests: InterprocessTestCase {
    private static let server = "Message from server!"
    private static let client = "Message from client!"

    /// What each side does: two rounds of sending and receiving at the same time, on the same stream, from two threads.
    private static func converse(_ stream: LocalSocketStream, sending: String, expecting: String) throws {
        let peer = try stream.peerCredentials()
        XCTAssertEqual(peer.processID, getpid())
        XCTAssertEqual(peer.userID, geteuid())
        XCTAssertEqual(peer.groupID, getegid())
        XCTAssertTrue(peer.isCurrentUser)
        stream.setNonblocking(true)
        stream.setNonblocking(false)
        for terminator in [UInt8(ascii: "\n"), 0] {
            let sender = Running { try stream.writeAll(Array(sending.utf8) + [terminator]) }
            // The peer may be a round ahead: a line is read ahead of, a number of bytes is not.
            if terminator == 0 {
                XCTAssertEqual(try stream.readExactly(expecting.utf8.count + 1), Array(expecting.utf8) + [0])
            } else {
                XCTAssertEqual(try stream.readLine(), expecting)
            }
            try sender.value()
        }
    }

    private func runStream(_ name: LocalSocketName) throws {
        let listener = try LocalSocketListener(name)
        let count = ClientCount.total
        let server = Running {
            var served = 0
            for result in listener.incoming.prefix(count) {
                try Self.converse(try result.get(), sending: Self.server, expecting: Self.client)
                served += 1
            }
            return served
        }
        let permits = DispatchSemaphore(value: ClientCount.concurrent)
        let clients = (0..<count).map { _ in
            permits.wait()
            return Running {
                defer { permits.signal() }
                let stream = try LocalSocketStream.connect(to: name)
                try Self.converse(stream, sending: Self.client, expecting: Self.server)
                // A server that is gone before its client reads would be as well; here it has to say all it has to.
                XCTAssertEqual(try stream.read(upTo: 1), [])
            }
        }
        for client in clients { try client.value() }
        XCTAssertEqual(try server.value(), count)
        listener.close()
        assertThrows(name.isPath ? .notFound : .connectionRefused, .connect) {
            try LocalSocketStream.connect(to: name)
        }
    }

    func testStreamAtPath() throws { try runStream(try pathName()) }
    func testStreamInNamespace() throws { try runStream(try namespacedName()) }

    func testNoServer() throws {
        let error = assertThrows(.notFound, .connect) { try LocalSocketStream.connect(to: try pathName()) }
        XCTAssertEqual(error?.name, path())
        XCTAssertEqual(error?.systemCode, Int64(ENOENT))
        assertThrows(.connectionRefused, .connect) { try LocalSocketStream.connect(to: try namespacedName()) }
    }

    func testNoServerBehindOtherFiles() throws {
        makeStale(path("stale"))
        assertThrows(.connectionRefused, .connect) { try LocalSocketStream.connect(to: try pathName("stale")) }
        try Data("data".utf8).write(to: URL(fileURLWithPath: path("file")))
        let error = assertThrows(.connectionRefused, .connect) {
            try LocalSocketStream.connect(to: try pathName("file"))
        }
        XCTAssertTrue("\(error!)".contains("is no socket"), "\(error!)")
        assertThrows(.notFound, .connect) { try LocalSocketStream.connect(to: try pathName("none/s")) }
    }

    func testNoClient() throws {
        for name in try bothNames() {
            var options = LocalSocketListener.Options()
            options.nonblocking = .accept
            let listener = try LocalSocketListener(name, options: options)
            assertThrows(.wouldBlock, .accept) { try listener.accept() }
        }
    }

    func testTimeout() throws {
        for name in try bothNames() {
            let listener = try LocalSocketListener(name)
            let stream = try LocalSocketStream.connect(to: name, options: waiting(.timeout(.milliseconds(1))))
            stream.receiveTimeout = .microseconds(200)
            stream.sendTimeout = .microseconds(200)
            XCTAssertEqual(stream.receiveTimeout, .microseconds(200))
            XCTAssertEqual(stream.sendTimeout, .microseconds(200))
            assertThrows(.timedOut, .read) { try stream.readExactly(16) }
            try stream.writeAll([UInt8](repeating: 1, count: 16))
            listener.close()
        }
    }
}
