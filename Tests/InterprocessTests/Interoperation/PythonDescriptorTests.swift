// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// Descriptors that cross between this library and Python's `send_fds` and `recv_fds`, over each kind of socket and
/// address: what they stand for is used on the other side.
final class PythonDescriptorTests: InterprocessTestCase {
    func testPythonReceives() async throws {
        let script = """
            data, fds, flags, _ = socket.recv_fds(s, 100, 4)
            print(data.decode(), len(fds), flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC))
            print(open(fds[0]).readline(), end="")
            print(open(fds[1]).read(), flush=True)
            socket.socket(fileno=fds[2]).sendall(b"an answer\\n")
            """
        try await withEachSocket(script) { try self.send(over: $0, $1) }
    }

    private func send(over socket: any UnixSocket, _ python: ChildProcess) throws {
        try "from a file\n".write(toFile: path("file"), atomically: false, encoding: .utf8)
        let file = try IPCDescriptor(adopting: open(path("file"), O_RDONLY))
        let (sender, receiver) = try UnnamedPipe.create()
        let (stream, other) = try UnixStream.pair()
        XCTAssertEqual(try socket.send(Array("three".utf8), with: .descriptors(file, receiver, other)), 5)
        receiver.close()
        other.close()
        python.expect("three 3 0")
        python.expect("from a file")
        try sender.writeAll("from a pipe")
        sender.close()
        python.expect("from a pipe")
        XCTAssertEqual(try stream.readLine(), "an answer")
        // Nobody else holds the other end.
        XCTAssertNil(try stream.readLine())
    }

    private static let sendingScript = """
        import os, tempfile
        file = tempfile.TemporaryFile()
        file.write(b"from a file")
        file.seek(0)
        receiver, sender = os.pipe()
        stream, other = socket.socketpair()
        socket.send_fds(s, [b"thr", b"ee"], [file.fileno(), receiver, other.fileno()])
        file.close()
        os.close(receiver)
        other.close()
        os.write(sender, b"from a pipe\\n")
        os.close(sender)
        print(stream.makefile().read(), flush=True)
        """

    func testPythonSends() async throws {
        try await withEachSocket(Self.sendingScript) { try self.receive(from: $0, $1) }
    }

    private func receive(from socket: any UnixSocket, _ python: ChildProcess) throws {
        try check(try socket.receive(upTo: 100, maximumDescriptors: 3), python)
    }

    func testPythonSendsToATask() async throws {
        try await withEachSocket(Self.sendingScript) { socket, python in
            try check(try await socket.receive(upTo: 100, maximumDescriptors: 3), python)
        }
    }

    private func check(_ arrived: (bytes: [UInt8], message: UnixMessage), _ python: ChildProcess) throws {
        XCTAssertEqual(arrived.bytes, Array("three".utf8))
        XCTAssertEqual(arrived.message.descriptors.count, 3)
        XCTAssertFalse(arrived.message.descriptorsAreTruncated)
        for descriptor in arrived.message.descriptors {
            XCTAssertEqual(try descriptor.withUnsafeDescriptor { fcntl($0, F_GETFD) }, FD_CLOEXEC)
        }
        let file = FileHandle(fileDescriptor: try arrived.message.descriptors[0].detach(), closeOnDealloc: true)
        XCTAssertEqual(try file.readToEnd(), Data("from a file".utf8))
        let pipe = try UnnamedPipeReceiver(adopting: arrived.message.descriptors[1])
        XCTAssertEqual(try pipe.readLine(), "from a pipe")
        XCTAssertNil(try pipe.readLine())
        let stream = try UnixStream(adopting: arrived.message.descriptors[2])
        try stream.writeAll("an answer")
        stream.close()
        python.expect("an answer")
    }

    // MARK: Each kind of socket, at each kind of address

    /// Lets Python run a script, in which `s` is connected to the socket that the body gets.
    private func withEachSocket(
        _ script: String,
        _ body: (any UnixSocket, ChildProcess) async throws -> Void
    ) async throws {
        for kind in Self.kinds {
            for address in try uniqueAddresses() {
                let (socket, python) = try connect(kind, address, script)
                try await body(socket, python)
                XCTAssertEqual(python.wait(), 0)
            }
        }
    }

    #if canImport(Darwin)
    private static let kinds: [UnixSocketKind] = [.stream, .datagrams]
    #else
    private static let kinds: [UnixSocketKind] = [.stream, .packets, .datagrams]
    #endif

    private func connect(
        _ kind: UnixSocketKind,
        _ address: UnixSocketAddress,
        _ script: String
    ) throws -> (any UnixSocket, ChildProcess) {
        switch kind {
        case .stream:
            let listener = try UnixListener(address: address)
            let child = try startPython("SOCK_STREAM", address, script)
            return (try listener.accept(timeout: .seconds(20)), child)
        case .packets:
            #if canImport(Darwin)
            throw XCTSkip("Darwin has no such sockets")
            #else
            let listener = try UnixPacketListener(address: address)
            let child = try startPython("SOCK_SEQPACKET", address, script)
            return (try listener.accept(timeout: .seconds(20)), child)
            #endif
        case .datagrams:
            let socket = try UnixDatagramSocket(address: address)
            let own = try UnixSocketAddress.path(path("\(UInt32.random(in: 0...UInt32.max))"))
            let child = try startPython("SOCK_DGRAM", address, "s.send(b'hello')\n" + script, boundTo: own)
            let (bytes, message) = try socket.receive(upTo: 100, timeout: .seconds(20))
            XCTAssertEqual(bytes, Array("hello".utf8))
            XCTAssertEqual(message.sender, own)
            try socket.connect(to: own)
            return (socket, child)
        }
    }

    private func startPython(
        _ kind: String,
        _ address: UnixSocketAddress,
        _ script: String,
        boundTo own: UnixSocketAddress? = nil
    ) throws -> ChildProcess {
        try python(
            """
            s = socket.socket(socket.AF_UNIX, socket.\(kind))
            \(own.map { "s.bind(\(inPython($0)))" } ?? "")
            s.connect(\(inPython(address)))
            \(script)
            """
        )
    }
}
