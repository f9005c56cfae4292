// SPDX-License-Identifier: MIT OR Apache-2.0

import Interprocess
import XCTest

final class LocalSocketEchoTests: InterprocessTestCase {
    func testEcho() throws {
        for name in try bothNames() {
            let listener = try LocalSocketListener(name)
            let server = Running {
                let stream = try listener.accept()
                while let line = try stream.readLine() { try stream.writeAll(line + "\n") }
            }
            let client = try LocalSocketStream.connect(to: name)
            try client.writeAll("hello\n")
            XCTAssertEqual(try client.readLine(), "hello")
            client.close()
            try server.value()
        }
    }

    func testCloseWakesAccept() throws {
        let listener = try LocalSocketListener(try pathName())
        let server = Running { try listener.accept() }
        server.waitUntilBlocked()
        listener.close()
        assertThrows(.closed) { try server.value() }
    }

    func testServesProcesses() throws {
        for name in try bothNames() {
            let server = try ChildProcess.helper("serve", name.description, "4")
            XCTAssertEqual(server.readLine(), "ready")
            let clients = try (0..<4).map { _ in try ChildProcess.helper("echo", name.description, "200") }
            for client in clients { XCTAssertEqual(client.readLine(), "echoed 200") }
            XCTAssertEqual(server.wait(), 0)
        }
    }
}
