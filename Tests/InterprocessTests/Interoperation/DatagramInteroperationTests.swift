// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// Datagrams, and names in the abstract namespace, between this library and programs that do not know it.
final class DatagramInteroperationTests: InterprocessTestCase {
    /// Datagrams of all sizes keep their boundaries and their senders' addresses, in both directions.
    func testPython() throws {
        for (own, its) in zip(try uniqueAddresses(), try uniqueAddresses()) {
            let socket = try UnixDatagramSocket(address: own)
            let python = try python(
                """
                import os
                s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                s.bind(\(inPython(its)))
                for size in (3, 0, 1, 70000): s.sendto(bytes(i % 251 for i in range(size)), \(inPython(own)))
                while True:
                    data, sender = s.recvfrom(100000)
                    print(len(data), sum(data), *os.fsencode(sender), flush=True)
                    if data == b"end": break
                """
            )
            for size in [3, 0, 1, 70_000] {
                let (bytes, message) = try socket.receive(upTo: 100_000, timeout: .seconds(20))
                XCTAssertEqual(bytes, (0..<size).map { UInt8($0 % 251) })
                XCTAssertEqual(message.sender, its)
            }
            let sender = bytes(of: own).map(String.init).joined(separator: " ")
            for size in [0, 64, 70_000] {
                try socket.send([UInt8](repeating: 3, count: size), to: its)
                python.expect("\(size) \(3 * size) \(sender)")
            }
            try socket.send(Array("end".utf8), to: its)
            python.expect("3 311 \(sender)")
            XCTAssertEqual(python.wait(), 0)
        }
    }

    func testAwaitedPython() async throws {
        for (own, its) in zip(try uniqueAddresses(), try uniqueAddresses()) {
            let socket = try UnixDatagramSocket(address: own)
            let python = try python(
                """
                s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                s.bind(\(inPython(its)))
                for number in range(1000):
                    s.sendto(b"%d" % number, \(inPython(own)))
                    assert s.recv(100) == b"got %d" % number
                """
            )
            for number in 0..<1000 {
                let (bytes, message) = try await socket.receive(upTo: 100, timeout: .seconds(20))
                XCTAssertEqual(bytes, Array("\(number)".utf8))
                try await socket.send(Array("got \(number)".utf8), to: XCTUnwrap(message.sender))
            }
            XCTAssertEqual(python.wait(), 0)
        }
    }

    #if os(Linux)
    /// A name is the same one for Python with all of its bytes, and only then.
    func testPythonHasTheSameAbstractNames() throws {
        let unique = (0..<16).map { _ in UInt8.random(in: 0...255) }
        let longest = unique + [UInt8](repeating: 0, count: 107 - unique.count)
        for name in [[], [0], [0, 1]].map({ unique + $0 }) + [longest] {
            let address = try UnixSocketAddress.abstract(bytes: name)
            let shorter = try UnixSocketAddress.abstract(bytes: name.dropLast())
            let listener = try UnixListener(address: address)
            let client = try python(
                """
                s = socket.socket(socket.AF_UNIX)
                try: s.connect(\(inPython(shorter)))
                except ConnectionRefusedError: s.connect(\(inPython(address)))
                print(*s.getpeername())
                """
            )
            XCTAssertEqual(try listener.accept(timeout: .seconds(20)).peerCredentials().processID, client.pid)
            client.expect(bytes(of: address).map(String.init).joined(separator: " "))
            XCTAssertEqual(client.wait(), 0)
            listener.close()

            let server = try python(
                """
                l = socket.socket(socket.AF_UNIX)
                l.bind(\(inPython(address)))
                l.listen()
                print("ready", flush=True)
                l.accept()
                """
            )
            server.expect("ready")
            assertThrows(.connectionRefused) { try UnixStream.connect(toAddress: shorter) }
            XCTAssertEqual(try UnixStream.connect(toAddress: address).peerAddress(), address)
            XCTAssertEqual(server.wait(), 0)
        }
    }
    #endif

    func testSocatSends() throws {
        try requireProgram("socat")
        for (own, its) in zip(try uniquePlainAddresses(), try uniquePlainAddresses()) {
            let socket = try UnixDatagramSocket(address: own)
            let unbound = try ChildProcess("socat", ["-u", "-", inSocat(own, "SENDTO")])
            unbound.write("a line\n")
            let (line, message) = try socket.receive(upTo: 100, timeout: .seconds(20))
            XCTAssertEqual(line, Array("a line\n".utf8))
            XCTAssertEqual(message.sender, .unnamed)
            unbound.closeInput()
            XCTAssertEqual(unbound.wait(), 0)

            let bind = "bind=" + (its.path ?? String(its.description.dropFirst()))
            let bound = try ChildProcess("socat", ["-", "\(inSocat(own, "SENDTO")),\(bind)"])
            for number in 0..<10 {
                bound.write("question \(number)\n")
                let (bytes, message) = try socket.receive(upTo: 100, timeout: .seconds(20))
                XCTAssertEqual(bytes, Array("question \(number)\n".utf8))
                XCTAssertEqual(message.sender, its)
                try socket.send(Array("answer \(number)\n".utf8), to: its)
                bound.expect("answer \(number)")
            }
            bound.closeInput()
            XCTAssertEqual(bound.wait(), 0)
        }
    }

    func testSocatReceives() throws {
        try requireProgram("socat")
        for address in try uniquePlainAddresses() {
            let socat = try ChildProcess("socat", ["-u", inSocat(address, "RECV"), "-"])
            let socket = try UnixDatagramSocket()
            try socket.send(Array("line 0\n".utf8), toSoonBoundAt: address)
            for number in 1..<10 { try socket.send(Array("line \(number)\n".utf8), to: address) }
            for number in 0..<10 { socat.expect("line \(number)") }
        }
    }

    /// A program that knows nothing of sockets answers, a new process for each datagram.
    func testSocatAnswers() throws {
        try requireProgram("socat")
        for (own, its) in zip(try uniquePlainAddresses(), try uniquePlainAddresses()) {
            let socat = try ChildProcess("socat", ["\(inSocat(its, "RECVFROM")),fork", "EXEC:tr a-z A-Z"])
            let socket = try UnixDatagramSocket(address: own)
            try socket.send(Array("question".utf8), toSoonBoundAt: its)
            let (bytes, message) = try socket.receive(upTo: 100, timeout: .seconds(20))
            XCTAssertEqual(bytes, Array("QUESTION".utf8))
            XCTAssertEqual(message.sender, its)
            socat.kill(SIGTERM)
            socat.wait()
        }
    }
}
