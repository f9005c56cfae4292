// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

/// Every code that Unix can produce, produced: the error names the operation and the object, and reads as advice.
final class ErrorCodesTests: InterprocessTestCase {
    private func expect<Value>(
        _ code: IPCError.Code,
        _ beginning: String,
        _ advice: String,
        line: UInt = #line,
        _ body: () throws -> Value
    ) {
        guard let error = assertThrows(code, line: line, body) else { return }
        let text = error.description
        XCTAssertTrue(text.hasPrefix(beginning + ": "), "\(text) does not begin with \(beginning)", line: line)
        XCTAssertTrue(text.contains(advice), "\(text) does not say \(advice)", line: line)
    }

    func testNames() throws {
        expect(.invalidName, "cannot use the name", "cannot be empty") { try LocalSocketName.path("") }
        expect(.invalidName, "cannot use the name", "NUL") { try LocalSocketName.namespaced("a\0b") }
        let long = "/" + String(repeating: "x", count: 120)
        expect(.nameTooLong, "cannot use the name \(long)", "at most 108") { try LocalSocketName.path(long) }
    }

    func testListening() throws {
        let listener = try LocalSocketListener(pathName())
        expect(.notFound, "cannot listen at \(path("none/s"))", "create it first") {
            try LocalSocketListener(pathName("none/s"))
        }
        expect(.timedOut, "cannot accept a client at \(path())", "allow more time") {
            try listener.accept(timeout: .zero)
        }
        listener.setNonblocking(.accept)
        expect(.wouldBlock, "cannot accept a client at \(path())", "blocking mode") { try listener.accept() }
        let other = try LocalSocketStream.connect(to: pathName())
        withoutDescriptors {
            expect(.resourcesExhausted, "cannot accept a client at \(path())", "ulimit -n") { try listener.accept() }
        }
        other.close()
        // To see whether somebody listens there, it connects: to be done last.
        expect(.addressInUse, "cannot listen at \(path())", "choose another name") {
            try LocalSocketListener(pathName())
        }
        listener.close()
        expect(.closed, "cannot accept a client at \(path())", "closed here") { try listener.accept() }
    }

    func testConnecting() throws {
        expect(.notFound, "cannot connect to \(path())", "waitsForServer") {
            try LocalSocketStream.connect(to: pathName())
        }
        let name = try namespacedName()
        expect(.connectionRefused, "cannot connect to \(name)", "start the server") {
            try LocalSocketStream.connect(to: name)
        }
        XCTAssertTrue(FileManager.default.createFile(atPath: path("file"), contents: nil))
        expect(.connectionRefused, "cannot connect to \(path("file"))", "is no socket") {
            try LocalSocketStream.connect(to: pathName("file"))
        }
        let listener = try LocalSocketListener(name)
        var options = LocalSocketStream.ConnectOptions()
        options.requiresPeer = .user(12345)
        if getuid() != 0 {
            // The superuser passes as anybody.
            expect(.permissionDenied, "cannot connect to \(name)", "requiresPeer") {
                try LocalSocketStream.connect(to: name, options: options)
            }
        }
        listener.close()
    }

    func testStreams() throws {
        let (one, other) = try LocalSocketStream.pair()
        expect(.timedOut, "cannot read from a socket pair", "allow more time") { try one.read(upTo: 1, timeout: .zero) }
        expect(.invalidArgument, "cannot read from a socket pair", "cannot be negative") { try one.read(upTo: -1) }
        try other.writeAll("long line\nrest")
        expect(.messageTooLarge, "cannot read from a socket pair", "raise the limit") { try one.readLine(limit: 4) }
        expect(.busy, "cannot detach the descriptor of a socket pair", "take them first") { try one.detach() }
        try other.shutdown(.send)
        expect(.endOfStream, "cannot read from a socket pair", "left") { try one.readExactly(100) }
        other.close()
        XCTAssertEqual(try one.readToEnd().count, 14)
        expect(.brokenPipe, "cannot write to a socket pair", "connect again") { try one.writeAll("x") }

        let (third, fourth) = try LocalSocketStream.pair()
        try third.writeAll("unread")
        fourth.close()
        expect(.connectionReset, "cannot read from a socket pair", "connect again") { try third.read(upTo: 1) }
    }

    func testAdopting() throws {
        let unconnected = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        let stream = try LocalSocketStream(adopting: unconnected)
        expect(.notConnected, "cannot write to descriptor \(unconnected)", "connect first") { try stream.writeAll("x") }
        expect(.invalidArgument, "cannot adopt descriptor 999999", "not a Unix stream socket") {
            try LocalSocketStream(adopting: 999_999)
        }
    }

    func testFiles() throws {
        try FIFOFile.create(at: path("fifo"))
        expect(.alreadyExists, "cannot create \(path("fifo"))", "remove it first") {
            try FIFOFile.create(at: path("fifo"))
        }
        XCTAssertTrue(FileManager.default.createFile(atPath: path("file"), contents: nil))
        expect(.invalidArgument, "cannot remove \(path("file"))", "no FIFO") { try FIFOFile.remove(at: path("file")) }
    }

    /// What only other kernels or broken hardware say, said by fault injection.
    func testInjected() throws {
        #if INTERPROCESS_FAULT_INJECTION
        defer { FaultInjection.clear() }
        let (one, _) = try LocalSocketStream.pair()
        FaultInjection.inject(.result(-Int64(EOPNOTSUPP)), into: .credentials)
        expect(.unsupported, "cannot identify the peer of a socket pair", "EOPNOTSUPP") { try one.peerCredentials() }
        FaultInjection.inject(.result(-Int64(EIO)), into: .send)
        expect(.system, "cannot write to a socket pair", "EIO, 5") { try one.writeAll("x") }
        let name = try pathName()
        let server = try LocalSocketListener(name)
        FaultInjection.inject(.result(-Int64(EACCES)), into: .connect)
        expect(.permissionDenied, "cannot connect to \(name)", "option access") {
            try LocalSocketStream.connect(to: name)
        }
        server.close()
        #endif
    }
}
