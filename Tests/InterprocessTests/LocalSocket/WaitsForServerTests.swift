// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// Connecting before the server has started.
final class WaitsForServerTests: InterprocessTestCase {
    private func options(_ wait: LocalSocketStream.ConnectWait) -> LocalSocketStream.ConnectOptions {
        var options = waiting(wait)
        options.waitsForServer = true
        return options
    }

    func testServerProcessThatStartsLater() throws {
        for name in try bothNames() {
            for wait in [LocalSocketStream.ConnectWait.unbounded, .timeout(.seconds(20)), .deferred] {
                let options = options(wait)
                let client = Running {
                    let stream = try LocalSocketStream.connect(to: name, options: options)
                    try stream.writeAll("early\n")
                    return try stream.readLine()
                }
                client.waitUntilBlocked()
                let server = try ChildProcess.helper("serve", name.description, "1")
                server.expect("ready")
                XCTAssertEqual(try client.value(), "early")
                XCTAssertEqual(server.wait(), 0)
            }
        }
    }

    func testTimesOutWhenNoneComes() throws {
        for name in try bothNames() {
            var error: IPCError?
            let elapsed = ContinuousClock().measure {
                error = assertThrows(.timedOut, .connect) {
                    try LocalSocketStream.connect(to: name, options: self.options(.timeout(.milliseconds(120))))
                }
            }
            XCTAssertGreaterThanOrEqual(elapsed, .milliseconds(120))
            XCTAssertLessThan(elapsed, .seconds(5))
            XCTAssertTrue("\(error!)".contains("no server"), "\(error!)")
            assertThrows(.timedOut, .connect) {
                try LocalSocketStream.connect(to: name, options: self.options(.timeout(.zero)))
            }
        }
    }

    func testDeferredTimesOutWhenNoneComes() throws {
        let name = try pathName()
        let stream = try LocalSocketStream.connect(to: name, options: options(.deferred))
        assertThrows(.timedOut) { try stream.read(upTo: 1, timeout: .milliseconds(30)) }
        stream.setNonblocking(true)
        assertThrows(.wouldBlock) { try stream.read(upTo: 1) }
        let listener = try LocalSocketListener(name)
        try stream.writeAll("x\n")
        XCTAssertEqual(try listener.accept().readLine(), "x")
    }

    func testStaleFileThatBecomesLive() throws {
        makeStale(path())
        let name = try pathName()
        let options = options(.timeout(.seconds(20)))
        let client = Running { try LocalSocketStream.connect(to: name, options: options) }
        client.waitUntilBlocked()
        let listener = try LocalSocketListener(name)
        try client.value().writeAll("x\n")
        XCTAssertEqual(try listener.accept().readLine(), "x")
    }

    func testOtherErrorsAreNotWaitedOut() throws {
        var options = options(.unbounded)
        options.requiresPeer = .user(54321)
        try requireRoot()
        let name = try namespacedName()
        let server = try ChildProcess.helper("--uid", "1000", "listen-slowly", name.description)
        server.expect("ready")
        assertThrows(.permissionDenied, .connect) { try LocalSocketStream.connect(to: name, options: options) }
        server.closeInput()
    }
}
