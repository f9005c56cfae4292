// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// Conversations with programs that know nothing of this library, each of them as the client and as the server, over a
/// path and over an abstract name, with more than the kernel's buffers hold in both directions.
final class InteroperationTests: InterprocessTestCase {
    private static let bytes = 1 << 20

    func testSocatIsTheClient() throws {
        try requireProgram("socat")
        try serve { name in try ChildProcess("socat", ["-", Self.socatAddress(name, "CONNECT")]) }
    }

    func testSocatIsTheServer() throws {
        try requireProgram("socat")
        try connect { name in try ChildProcess("socat", [Self.socatAddress(name, "LISTEN"), "EXEC:cat"]) }
    }

    func testPythonIsTheClient() throws {
        try requireProgram("python3")
        try serve { name in
            try ChildProcess(
                "python3",
                [
                    "-c",
                    """
                    import socket, sys, threading
                    s = socket.socket(socket.AF_UNIX)
                    s.connect(\(Self.pythonAddress(name)))
                    def forward():
                        for line in sys.stdin.buffer: s.sendall(line)
                        s.shutdown(socket.SHUT_WR)
                    threading.Thread(target=forward).start()
                    while data := s.recv(65536):
                        sys.stdout.buffer.write(data)
                        sys.stdout.buffer.flush()
                    """,
                ]
            )
        }
    }

    func testPythonIsTheServer() throws {
        try requireProgram("python3")
        try connect { name in
            try ChildProcess(
                "python3",
                [
                    "-c",
                    """
                    import socket
                    l = socket.socket(socket.AF_UNIX)
                    l.bind(\(Self.pythonAddress(name)))
                    l.listen()
                    s, _ = l.accept()
                    while data := s.recv(65536): s.sendall(data)
                    """,
                ]
            )
        }
    }

    /// The Python of the other side sees the credentials of this process, and this process those of Python.
    func testCredentialsCrossLanguages() throws {
        try requireProgram("python3")
        let name = try namespacedName()
        let listener = try LocalSocketListener(name)
        let client = try ChildProcess(
            "python3",
            [
                "-c",
                """
                import os, socket, struct
                s = socket.socket(socket.AF_UNIX)
                s.connect(\(Self.pythonAddress(name)))
                print(*struct.unpack("3i", s.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)), flush=True)
                s.recv(1)
                """,
            ]
        )
        let stream = try listener.accept()
        let peer = try stream.peerCredentials()
        XCTAssertEqual(peer.processID, client.pid)
        XCTAssertEqual(peer.userID, getuid())
        XCTAssertEqual(client.readLine(), "\(getpid()) \(getuid()) \(getgid())")
    }

    // MARK: Both parts

    /// Listens, lets the program connect, and plays echo for what the test feeds to the program.
    private func serve(_ start: (LocalSocketName) throws -> ChildProcess) throws {
        for name in try bothNames() {
            let listener = try LocalSocketListener(name)
            let client = try start(name)
            let server = Running {
                let stream = try listener.accept(timeout: .seconds(20))
                while case let part = try stream.read(upTo: 65536), !part.isEmpty { try stream.writeAll(part) }
                try stream.shutdown(.send)
            }
            let line = String(repeating: "0123456789abcde", count: Self.bytes / 15)
            let feeder = Running {
                client.write(line + "\nlast\n")
                client.closeInput()
            }
            XCTAssertEqual(client.readLine(), line)
            XCTAssertEqual(client.readLine(), "last")
            try feeder.value()
            try server.value()
            XCTAssertEqual(client.wait(), 0)
        }
    }

    /// Lets the program listen and play echo, and connects to it.
    private func connect(_ start: (LocalSocketName) throws -> ChildProcess) throws {
        var options = LocalSocketStream.ConnectOptions()
        options.waitsForServer = true
        options.wait = .timeout(.seconds(20))
        for name in try bothNames() {
            let server = try start(name)
            let stream = try LocalSocketStream.connect(to: name, options: options)
            XCTAssertEqual(try stream.peerCredentials().processID, server.pid)
            let sent = (0..<Self.bytes).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            let sender = Running {
                try stream.writeAll(sent)
                try stream.shutdown(.send)
            }
            XCTAssertEqual(try stream.readToEnd(timeout: .seconds(20)), sent)
            try sender.value()
            stream.close()
            XCTAssertEqual(server.wait(), 0)
        }
    }

    private static func socatAddress(_ name: LocalSocketName, _ role: String) -> String {
        name.isPath ? "UNIX-\(role):\(name)" : "ABSTRACT-\(role):\(name.description.dropFirst())"
    }

    private static func pythonAddress(_ name: LocalSocketName) -> String {
        name.isPath ? "\"\(name)\"" : "\"\\0\(name.description.dropFirst())\""
    }
}
