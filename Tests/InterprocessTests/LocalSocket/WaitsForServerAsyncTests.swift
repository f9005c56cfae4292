// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// Awaiting a server that has not started.
final class WaitsForServerAsyncTests: InterprocessTestCase {
    private func options(_ wait: LocalSocketStream.ConnectWait) -> LocalSocketStream.ConnectOptions {
        var options = waiting(wait)
        options.waitsForServer = true
        return options
    }

    func testServerProcessThatStartsLater() throws {
        for (name, executor) in try eachNameAndExecutor() {
            for wait in [LocalSocketStream.ConnectWait.unbounded, .timeout(.seconds(20)), .deferred] {
                let options = options(wait)
                let client = RunningTask(on: executor) {
                    let stream = try await LocalSocketStream.connect(to: name, options: options)
                    try await stream.writeAll("early\n")
                    return try await stream.readLine()
                }
                waitUntilAwaited()
                let server = try ChildProcess.helper("serve", name.description, "1")
                server.expect("ready")
                XCTAssertEqual(try client.value(), "early")
                XCTAssertEqual(server.wait(), 0)
            }
        }
    }

    func testTimesOutWhenNoneComes() async throws {
        for (name, executor) in try eachNameAndExecutor() {
            for limit in [Duration.milliseconds(120), .zero] {
                let options = options(.timeout(limit))
                let start = ContinuousClock.now
                let error = await assertThrows(.timedOut, .connect) {
                    try await on(executor) { try await LocalSocketStream.connect(to: name, options: options) }
                }
                XCTAssertGreaterThanOrEqual(ContinuousClock.now - start, limit)
                XCTAssertLessThan(ContinuousClock.now - start, .seconds(5))
                XCTAssertTrue("\(error!)".contains("no server"), "\(error!)")
            }
        }
    }

    func testDeferredTimesOutWhenNoneComes() async throws {
        for executor in Self.executors {
            let name = try uniquePathName()
            let stream = try await LocalSocketStream.connect(to: name, options: options(.deferred))
            for nonblocking in [false, true] {
                stream.setNonblocking(nonblocking)
                let start = ContinuousClock.now
                await assertThrows(.timedOut) {
                    try await on(executor) { try await stream.read(upTo: 1, timeout: .milliseconds(30)) }
                }
                XCTAssertGreaterThanOrEqual(ContinuousClock.now - start, .milliseconds(30))
            }
            let listener = try LocalSocketListener(name)
            try await on(executor) { try await stream.writeAll("x\n") }
            try await assertEqual("x") { try await listener.accept().readLine() }
        }
    }

    func testStaleFileThatBecomesLive() async throws {
        for executor in Self.executors {
            let name = try uniquePathName()
            makeStale(name.description)
            let options = options(.timeout(.seconds(20)))
            let client = RunningTask(on: executor) { try await LocalSocketStream.connect(to: name, options: options) }
            await waitUntilAwaited()
            let listener = try LocalSocketListener(name)
            try await client.value().writeAll("x\n")
            try await assertEqual("x") { try await listener.accept().readLine() }
        }
    }

    func testOtherErrorsAreNotWaitedOut() async throws {
        // Where a file is instead of the directory, no server can appear.
        let missing = try LocalSocketName.path(path("file/s"))
        try Data().write(to: URL(fileURLWithPath: path("file")))
        for executor in Self.executors {
            for wait in [LocalSocketStream.ConnectWait.unbounded, .timeout(.seconds(20)), .deferred] {
                let options = options(wait)
                await assertThrows(.notFound, .connect) {
                    try await on(executor) { try await LocalSocketStream.connect(to: missing, options: options) }
                }
            }
        }
    }

    func testCancelling() async throws {
        for (name, executor) in try eachNameAndExecutor() {
            for wait in [LocalSocketStream.ConnectWait.unbounded, .timeout(.seconds(20)), .deferred] {
                let options = options(wait)
                let client = RunningTask(on: executor) {
                    _ = try await LocalSocketStream.connect(to: name, options: options).readLine()
                }
                await waitUntilAwaited()
                client.cancel()
                await assertThrows(.cancelled, .connect) { try await client.value() }
            }
        }
    }
}
