// SPDX-License-Identifier: MIT OR Apache-2.0

#if INTERPROCESS_FAULT_INJECTION
import Foundation
import XCTest

@testable import Interprocess

/// Each call that fails becomes an error with the right code and operation; that none leaves a descriptor or a file
/// behind is seen to by the end of every test and by the look at its directory.
final class FailingCallTests: InterprocessTestCase {
    override func tearDownWithError() throws {
        FaultInjection.clear()
        let left = try FileManager.default.contentsOfDirectory(atPath: directory).filter { $0 != "fifo" }
        XCTAssertEqual(left, [], "files left behind")
        try super.tearDownWithError()
    }

    private func failing<Value>(
        _ call: System.Call,
        _ number: Int32,
        after skip: Int = 0,
        _ code: IPCError.Code,
        _ operation: IPCError.Operation,
        line: UInt = #line,
        _ body: () throws -> Value
    ) {
        FaultInjection.inject(.result(-Int64(number)), into: call, after: skip)
        let error = assertThrows(code, operation, line: line, body)
        XCTAssertEqual(error?.systemCode, Int64(number), line: line)
        XCTAssertEqual(FaultInjection.clear(), 0, "the call was not made", line: line)
    }

    func testListening() throws {
        for name in try bothNames() {
            failing(.socket, EMFILE, .resourcesExhausted, .listen) { try LocalSocketListener(name) }
            failing(.bind, EACCES, .permissionDenied, .listen) { try LocalSocketListener(name) }
            failing(.bind, EROFS, .permissionDenied, .listen) { try LocalSocketListener(name) }
            failing(.listen, ENOBUFS, .resourcesExhausted, .listen) { try LocalSocketListener(name) }
            failing(.wake, EMFILE, .resourcesExhausted, .listen) { try LocalSocketListener(name) }
            // Nothing of it is in the way of the next one.
            try LocalSocketListener(name).close()
        }
    }

    func testAccepting() throws {
        let listener = try LocalSocketListener(try namespacedName())
        let name = try XCTUnwrap(listener.name)
        let client = try LocalSocketStream.connect(to: name)
        failing(.accept, EMFILE, .resourcesExhausted, .accept) { try listener.accept() }
        failing(.accept, ENFILE, .resourcesExhausted, .accept) { try listener.accept() }
        failing(.accept, EPERM, .permissionDenied, .accept) { try listener.accept() }
        // A client that has left again is passed over.
        FaultInjection.inject(.result(-Int64(ECONNABORTED)), into: .accept, times: 5)
        let stream = try listener.accept()
        try client.writeAll("x")
        XCTAssertEqual(try stream.read(upTo: 1).count, 1)
        failing(.poll, ENOMEM, .resourcesExhausted, .accept) { try listener.accept() }
    }

    /// A client whose credentials cannot be told does not get in.
    func testAcceptingAClientThatCannotBeIdentified() throws {
        let listener = try LocalSocketListener(try namespacedName())
        var options = LocalSocketStream.ConnectOptions()
        options.requiresPeer = .anyone
        let client = try LocalSocketStream.connect(to: try XCTUnwrap(listener.name), options: options)
        FaultInjection.inject(.result(-Int64(EIO)), into: .credentials)
        assertThrows(.timedOut) { try listener.accept(timeout: .zero) }
        XCTAssertEqual(try client.read(upTo: 1), [])
    }

    func testConnecting() throws {
        let listener = try LocalSocketListener(try namespacedName())
        let name = try XCTUnwrap(listener.name)
        func connect() throws -> LocalSocketStream { try LocalSocketStream.connect(to: name) }
        failing(.socket, EMFILE, .resourcesExhausted, .connect, connect)
        failing(.connect, ECONNREFUSED, .connectionRefused, .connect, connect)
        failing(.connect, ENOENT, .notFound, .connect, connect)
        failing(.connect, EACCES, .permissionDenied, .connect, connect)
        failing(.connect, EPROTOTYPE, .invalidArgument, .connect, connect)
        failing(.credentials, EIO, .system, .connect, connect)
        var options = LocalSocketStream.ConnectOptions()
        options.wait = .timeout(.seconds(5))
        failing(.option, ENOMEM, .resourcesExhausted, .connect) {
            try LocalSocketStream.connect(to: name, options: options)
        }
    }

    func testStreams() throws {
        failing(.socket, EMFILE, .resourcesExhausted, .create) { try LocalSocketStream.pair() }
        let (one, other) = try LocalSocketStream.pair()
        failing(.receive, ECONNRESET, .connectionReset, .read) { try one.read(upTo: 1) }
        failing(.receive, ENOTCONN, .notConnected, .read) { try one.readLine() }
        failing(.receive, EIO, .system, .read) { try one.readToEnd() }
        failing(.send, EPIPE, .brokenPipe, .write) { try one.writeAll("x") }
        failing(.send, EMSGSIZE, .messageTooLarge, .write) { try one.write([1]) }
        failing(.poll, ENOMEM, .resourcesExhausted, .read) { try one.read(upTo: 1, timeout: .seconds(5)) }
        failing(.option, ENOTCONN, .notConnected, .shutdown) { try one.shutdown(.both) }
        failing(.option, ENOBUFS, .resourcesExhausted, .configure) { try one.takeError() }
        failing(.credentials, ENOTCONN, .notConnected, .identify) { try one.peerCredentials() }
        failing(.credentials, EMFILE, .resourcesExhausted, .identify) { try one.peerProcess() }
        failing(.duplicate, EMFILE, .resourcesExhausted, .duplicate) { try one.duplicate() }
        failing(.wake, EMFILE, .resourcesExhausted, .read) { try one.read(upTo: 1, timeout: .seconds(5)) }
        try other.writeAll("still works\n")
        XCTAssertEqual(try one.readLine(), "still works")
    }

    func testPipes() throws {
        failing(.pipe, EMFILE, .resourcesExhausted, .create) { try UnnamedPipe.create() }
        failing(.pipe, ENFILE, .resourcesExhausted, .create) { try UnnamedPipe.create() }
        // The wish for a size is no more than that.
        FaultInjection.inject(.result(-Int64(EPERM)), into: .option)
        let (sender, receiver) = try UnnamedPipe.create()
        XCTAssertEqual(try sender.bufferSize, 64 << 10)
        failing(.option, EBADF, .invalidArgument, .configure) { try sender.bufferSize }
        failing(.option, EBADF, .invalidArgument, .configure) { try sender.setInheritable(true) }
        failing(.wake, EMFILE, .resourcesExhausted, .read) { try receiver.readLine() }
        failing(.receive, EIO, .system, .read) { try receiver.read(upTo: 1) }
        failing(.send, EPIPE, .brokenPipe, .write) { try sender.writeAll("x") }
    }

    /// What cannot be taken over stays the caller's.
    func testAdopting() throws {
        let (sender, receiver) = try UnnamedPipe.create()
        let (one, _) = try LocalSocketStream.pair()
        let pipe = try receiver.detach()
        let socket = try one.detach()
        failing(.file, EBADF, .invalidArgument, .adopt) { try UnnamedPipeReceiver(adopting: pipe) }
        for step in 0..<2 {
            failing(.option, EBADF, after: step, .invalidArgument, .adopt) { try UnnamedPipeReceiver(adopting: pipe) }
        }
        for step in 0..<3 {
            failing(.option, ENOMEM, after: step, .resourcesExhausted, .adopt) {
                try LocalSocketStream(adopting: socket)
            }
        }
        for descriptor in [pipe, socket] {
            XCTAssertGreaterThanOrEqual(fcntl(descriptor, F_GETFD), 0)
            close(descriptor)
        }
        sender.close()
    }

    func testFIFOs() throws {
        let path = path("fifo")
        failing(.file, ENOSPC, .resourcesExhausted, .create) { try FIFOFile.create(at: path) }
        XCTAssertFalse(FileManager.default.fileExists(atPath: path))
        try FIFOFile.create(at: path)
        failing(.file, EMFILE, .resourcesExhausted, .open) { try FIFOFile.openReceiver(at: path) }
        failing(.file, EACCES, .permissionDenied, .open) { try FIFOFile.openSender(at: path) }
        failing(.receive, EIO, .system, .open) { try FIFOFile.openReceiver(at: path) }
        failing(.wake, EMFILE, .resourcesExhausted, .open) { try FIFOFile.openReceiver(at: path) }
        failing(.file, EACCES, .permissionDenied, .remove) { try FIFOFile.remove(at: path) }
        failing(.file, EBUSY, after: 1, .busy, .remove) { try FIFOFile.remove(at: path) }
        XCTAssertTrue(FileManager.default.fileExists(atPath: path))
    }
}
#endif
