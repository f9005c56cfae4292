// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// The shell lines of the article "Talking to other languages" do what it says.
final class OtherProgramsTests: InterprocessTestCase {
    private var lines: [String] = []
    private let namespaced = "interprocess-test-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"

    override func setUpWithError() throws {
        try super.setUpWithError()
        for program in ["mkfifo", "socat", "systemd-socket-activate"] { try requireProgram(program) }
        let root = URL(fileURLWithPath: #filePath).pathComponents.dropLast(4).joined(separator: "/")
        let article = root + "/Sources/Interprocess/Interprocess.docc/OtherLanguages.md"
        let blocks = try String(contentsOfFile: article, encoding: .utf8).components(separatedBy: "\n```")
        lines = blocks.filter { $0.hasPrefix("sh\n") }
            .flatMap { $0.split(separator: "\n").dropFirst().map(String.init) }
    }

    func testEveryLine() throws {
        XCTAssertEqual(try start("mkfifo ").wait(), 0)
        let echo = try start("echo ", containing: ".fifo")
        let receiver = try FIFOFile.openReceiver(at: path("example.fifo"))
        XCTAssertEqual(try receiver.readLine(), "from a shell")
        XCTAssertEqual(echo.wait(), 0)
        receiver.close()

        let cat = try start("cat ")
        let sender = try FIFOFile.openSender(at: path("example.fifo"))
        try sender.writeAll("to a shell\n")
        sender.close()
        cat.expect("to a shell")
        XCTAssertEqual(cat.wait(), 0)

        for (part, name) in [
            ("UNIX-CONNECT", try LocalSocketName.path(path("echo.sock"))), ("ABSTRACT", try .namespaced(namespaced)),
        ] {
            let listener = try LocalSocketListener(name)
            let client = try start("socat ", containing: part)
            client.write("hello\n")
            let stream = try listener.accept(timeout: .seconds(20))
            XCTAssertEqual(try stream.readLine(), "hello")
            try stream.writeAll("welcome\n")
            client.expect("welcome")
            stream.close()
            XCTAssertEqual(client.wait(), 0)
        }

        let server = try start("socat ", containing: "LISTEN")
        let stream = try LocalSocketStream.connect(to: .path(path("cat.sock")), options: patient)
        try stream.writeAll("hello\n")
        XCTAssertEqual(try stream.readLine(), "hello")
        stream.close()
        XCTAssertEqual(server.wait(), 0)

        let socket = try UnixDatagramSocket(address: .path(path("log.sock")))
        XCTAssertEqual(try start("echo ", containing: "SENDTO").wait(), 0)
        XCTAssertEqual(try socket.receive(upTo: 100, timeout: .seconds(20)).bytes, Array("a line\n".utf8))

        let printer = try start("socat ", containing: "RECVFROM")
        try UnixDatagramSocket().send(Array("a datagram\n".utf8), toSoonBoundAt: .path(path("print.sock")))
        printer.expect("a datagram")
        XCTAssertEqual(printer.wait(), 0)

        let activated = try start("systemd-socket-activate ")
        let client = try LocalSocketStream.connect(to: .path(path("echo.sock")), options: patient)
        XCTAssertEqual(try client.readLine(), "activated")
        activated.expect("listeners 1")
        activated.expect("name \(path("echo.sock"))")
        XCTAssertEqual(activated.wait(), 0)

        XCTAssertEqual(lines, [], "lines that this test does not run")
    }

    /// Whatever listens may not have started yet.
    private var patient: LocalSocketStream.ConnectOptions {
        var options = LocalSocketStream.ConnectOptions()
        options.waitsForServer = true
        options.wait = .timeout(.seconds(20))
        return options
    }

    /// Starts the line that begins so, with names of the test's own.
    private func start(_ beginning: String, containing part: String? = nil) throws -> ChildProcess {
        let place = try XCTUnwrap(lines.firstIndex { $0.hasPrefix(beginning) && $0.contains(part ?? beginning) })
        let helper = try ChildProcess.path(ofBuilt: "test-helper")
        let line = lines.remove(at: place)
            .replacingOccurrences(of: "/tmp/", with: directory + "/")
            .replacingOccurrences(of: "com.example.echo", with: namespaced)
            .replacingOccurrences(of: "./echo-server", with: "'\(helper)' activated")
        // So that it ends with the test.
        return try ChildProcess("/bin/sh", ["-c", beginning == "echo " ? line : "exec " + line])
    }
}
