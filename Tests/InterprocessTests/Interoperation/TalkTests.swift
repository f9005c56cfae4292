// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

/// The example program does what the README says.
final class TalkTests: InterprocessTestCase {
    func testDemonstration() throws {
        let program = try ChildProcess.built("talk", [])
        let lines = program.readToEnd().split(separator: "\n").map(String.init)
        XCTAssertEqual(program.wait(), 0, "\(lines)")
        func count(_ text: String) -> Int { lines.filter { $0.contains(text) }.count }
        XCTAssertEqual(count("listening at "), 2)
        XCTAssertEqual(count("server: a client came: pid "), 6)
        XCTAssertEqual(count("server: it says: hello from "), 6)
        XCTAssertEqual(count("the server answers: welcome, pid "), 6)
        XCTAssertEqual(lines.last, "6 clients were served")
        XCTAssertEqual(lines.count, 21)
    }

    func testConversation() throws {
        for name in [path("socket"), "interprocess-test-talk-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"] {
            // The client may start before its server.
            let client = try ChildProcess.built("talk", ["connect", name])
            let server = try ChildProcess.built("talk", ["serve", name])
            XCTAssertEqual(server.readLine()?.hasPrefix("listening at "), true)
            XCTAssertEqual(client.readLine()?.hasPrefix("connected to "), true)
            let who = "pid \(client.pid), uid \(geteuid())"
            server.expect("[\(who) has come]")
            client.write("a question\n")
            server.expect("[\(who)] a question")
            server.write("an answer\n")
            client.expect("an answer")
            client.closeInput()
            server.expect("[\(who) has left]")
            XCTAssertEqual(client.wait(), 0)

            // A server that ends takes its clients along.
            let other = try ChildProcess.built("talk", ["connect", name])
            XCTAssertEqual(other.readLine()?.hasPrefix("connected to "), true)
            server.expect("[pid \(other.pid), uid \(geteuid()) has come]")
            server.closeInput()
            XCTAssertEqual(server.wait(), 0)
            XCTAssertEqual(other.wait(), 0)
        }
    }
}
