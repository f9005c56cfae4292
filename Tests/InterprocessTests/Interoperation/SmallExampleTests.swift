// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// The examples that are one file each do what they say.
final class SmallExampleTests: InterprocessTestCase {
    func testEcho() throws {
        let program = try ChildProcess.built("echo", [])
        let lines = program.readToEnd().split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
        XCTAssertEqual(program.wait(), 0, "\(lines)")
        let heard = ["a client that awaits hears: hello world", "a client that blocks hears: hello again"]
        XCTAssertEqual(lines, ["the server blocks"] + heard + ["the server awaits"] + heard)
    }

    func testEchoByHand() throws {
        let name = "interprocess-test-echo-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        let server = try ChildProcess.built("echo", ["serve", name])
        var options = LocalSocketStream.ConnectOptions()
        options.waitsForServer = true
        try LocalSocketStream.connect(to: .namespaced(name), options: options).close()
        let caller = try ChildProcess.built("echo", ["call", name])
        caller.write("one\ntwo\n")
        caller.closeInput()
        XCTAssertEqual(caller.readToEnd(), "one\ntwo\n")
        XCTAssertEqual(caller.wait(), 0)
        server.kill()
        XCTAssertEqual(server.wait(), -SIGKILL)
    }

    func testPipeToChild() throws {
        let program = try ChildProcess.built("pipe-to-child", [])
        let lines = program.readToEnd().split(separator: "\n").map(String.init)
        XCTAssertEqual(program.wait(), 0, "\(lines)")
        XCTAssertEqual(lines.first, "Process:     the child says: HELLO FROM THE PARENT")
        let greeting = "posix_spawn: the child says: hello from process "
        XCTAssertEqual(lines.last?.hasPrefix(greeting), true)
        XCTAssertNotEqual(lines.last, greeting + "\(program.pid)")
        XCTAssertEqual(lines.count, 2, "\(lines)")
    }

    func testPipeMessagesElsewhere() throws {
        let program = try ChildProcess.built("pipe-messages", [])
        XCTAssertEqual(
            program.readToEnd(),
            "this example uses Windows' named pipes, which other systems do not have\n"
        )
        XCTAssertEqual(program.wait(), 0)
    }

    func testOrderlyEnd() throws {
        let program = try ChildProcess.built("orderly-end", [])
        let lines = program.readToEnd().split(separator: "\n").map(String.init)
        XCTAssertEqual(program.wait(), 0, "\(lines)")
        XCTAssertEqual(lines.first?.contains(" serves at @com.example.orderly-end."), true)
        XCTAssertEqual(
            lines.dropFirst().sorted(),
            [
                "SIGHUP has come: reading the settings again", "SIGTERM has come: ending",
                "it ended with status 0", "no client is left", "served: a request",
            ]
        )
        XCTAssertEqual(lines.last, "it ended with status 0")
    }
}
