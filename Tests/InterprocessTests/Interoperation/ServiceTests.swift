// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

/// The example of a service does what the README says.
final class ServiceTests: InterprocessTestCase {
    func testDemonstration() throws {
        let program = try ChildProcess.built("service", [])
        let lines = program.readToEnd().split(separator: "\n").map(String.init)
        XCTAssertEqual(program.wait(), 0, "\(lines)")
        func count(_ text: String) -> Int { lines.filter { $0.contains(text) }.count }
        XCTAssertEqual(count("server: listening at "), 1)
        XCTAssertEqual(count("server: process "), 18)
        XCTAssertEqual(count("left(item: \"bolts of "), 6)
        XCTAssertEqual(count("missing(item: \"bolts of "), 3)
        XCTAssertEqual(lines.last, "3 clients were served, with 18 orders")
    }

    func testServerAndClientByHand() throws {
        let name = "interprocess-test-service-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        // The client may start before its server.
        let client = try ChildProcess.built("service", ["ask", name])
        let server = try ChildProcess.built("service", ["serve", name])
        XCTAssertEqual(server.readLine(), "server: listening at @\(name)")
        XCTAssertEqual(client.wait(), 0)
        server.kill()
        XCTAssertEqual(server.wait(), -SIGKILL)
    }
}
