// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

final class AcceptAsyncTests: InterprocessTestCase {
    func testTimeout() async throws {
        for (name, executor) in try eachNameAndExecutor() {
            let listener = try LocalSocketListener(name)
            let start = ContinuousClock.now
            for limit in [Duration.milliseconds(80), .zero, .seconds(-1)] {
                await assertThrows(.timedOut, .accept) {
                    try await on(executor) { try await listener.accept(timeout: limit) }
                }
            }
            XCTAssertGreaterThanOrEqual(ContinuousClock.now - start, .milliseconds(80))
            // A client that is there needs no time.
            let client = try await LocalSocketStream.connect(to: name)
            try await client.writeAll("x\n")
            let server = try await on(executor) { try await listener.accept(timeout: .zero) }
            try await assertEqual("x") { try await server.readLine() }
            // Nor does one that comes meanwhile need all of it.
            let accepting = RunningTask(on: executor) { try await listener.accept(timeout: .seconds(25)) }
            await waitUntilAwaited(listener)
            _ = try await LocalSocketStream.connect(to: name)
            _ = try await accepting.value()
        }
    }

    /// Nonblocking mode is about the calls that block: those that suspend do so all the same.
    func testNonblockingModes() async throws {
        for (name, executor) in try eachNameAndExecutor() {
            for mode in [LocalSocketListener.Nonblocking.neither, .accept, .stream, .both] {
                var options = LocalSocketListener.Options()
                options.nonblocking = mode
                let listener = try LocalSocketListener(name, options: options)
                await assertThrows(.timedOut, .accept) {
                    try await on(executor) { try await listener.accept(timeout: .milliseconds(1)) }
                }
                let accepting = RunningTask(on: executor) { try await listener.accept() }
                await waitUntilAwaited(listener)
                let client = try await LocalSocketStream.connect(to: name)
                let stream = try await accepting.value()
                let reading = RunningTask(on: executor) { try await stream.readLine() }
                await waitUntilAwaited(stream)
                try await client.writeAll("x\n")
                try await assertEqual("x") { try await reading.value() }
                listener.close()
            }
        }
    }

    func testCloseEndsAllWhoAccept() async throws {
        for (name, executor) in try eachNameAndExecutor() {
            let listener = try LocalSocketListener(name)
            let servers = (0..<5).map { number in
                RunningTask(on: executor) { try await listener.accept(timeout: number == 0 ? .seconds(25) : nil) }
            }
            await waitUntilAwaited(listener, by: 5)
            listener.close()
            for server in servers { await assertThrows(.closed, .accept) { try await server.value() } }
            await assertThrows(.closed, .accept) { try await listener.accept() }
            await assertThrows(.closed, .accept) { try await listener.accept(timeout: .zero) }
            XCTAssertEqual(FileImage(name.description)?.isSocket, nil)
        }
    }

    func testSeveralAcceptAndEachClientComesOnce() async throws {
        for (name, executor) in try eachNameAndExecutor() {
            let listener = try LocalSocketListener(name)
            let servers = (0..<4).map { _ in
                RunningTask(on: executor) {
                    var seen: [String] = []
                    while let stream = try? await listener.accept() {
                        if let line = try await stream.readLine() { seen.append(line) }
                    }
                    return seen
                }
            }
            for number in 0..<200 {
                let client = try await LocalSocketStream.connect(to: name)
                try await client.writeAll("\(number)\n")
                try await assertEqual([]) { try await client.read(upTo: 1) }
            }
            listener.close()
            var seen: [Int] = []
            for server in servers { seen += try await server.value().compactMap { Int($0) } }
            XCTAssertEqual(seen.sorted(), Array(0..<200))
        }
    }

    /// The client that comes is the next caller's, or that of another one who waits.
    func testCancelling() async throws {
        for (name, executor) in try eachNameAndExecutor() {
            let listener = try LocalSocketListener(name)
            let only = RunningTask(on: executor) { try await listener.accept() }
            await waitUntilAwaited(listener)
            only.cancel()
            await assertThrows(.cancelled, .accept) { try await only.value() }

            var servers: [RunningTask<String?>] = []
            for number in 1...5 {
                servers.append(RunningTask(on: executor) { try await listener.accept().readLine() })
                await waitUntilAwaited(listener, by: number)
            }
            // The first, one in the middle, and the last.
            for number in [0, 2, 4] { servers[number].cancel() }
            for number in [0, 2, 4] {
                await assertThrows(.cancelled, .accept) { try await servers[number].value() }
            }
            for number in [1, 3] {
                let client = try await LocalSocketStream.connect(to: name)
                try await client.writeAll("\(number)\n")
                // They are served in the order in which they came.
                try await assertEqual("\(number)") { try await servers[number].value() }
            }
            // One that is cancelled already takes no client away from anybody.
            let client = try await LocalSocketStream.connect(to: name)
            try await client.writeAll("last\n")
            let cancelled = RunningTask(on: executor) {
                while !Task.isCancelled { await Task.yield() }
                return try await listener.accept()
            }
            cancelled.cancel()
            await assertThrows(.cancelled, .accept) { try await cancelled.value() }
            try await assertEqual("last") { try await listener.accept(timeout: .zero).readLine() }
        }
    }

    /// Clients that have left before they are accepted: what they sent is there, and then the end.
    func testClientsThatHaveLeft() async throws {
        for (name, executor) in try eachNameAndExecutor() {
            let listener = try LocalSocketListener(name)
            try await LocalSocketStream.connect(to: name).close()
            let writer = try await LocalSocketStream.connect(to: name)
            try await writer.writeAll("bye\n")
            writer.close()
            let holder = try ChildProcess.helper("hold", name.description)
            holder.expect("connected")
            holder.crash()

            let streams = try await on(executor) {
                var streams: [LocalSocketStream] = []
                for _ in 0..<3 { streams.append(try await listener.accept(timeout: .seconds(5))) }
                return streams
            }
            try await assertEqual([]) { try await streams[0].read(upTo: 1) }
            await assertThrows(.brokenPipe, .write) { try await streams[0].writeAll("too late") }
            try await assertEqual("bye") { try await streams[1].readLine() }
            try await assertEqual(nil) { try await streams[1].readLine() }
            try await assertEqual([]) { try await streams[2].read(upTo: 1) }
            try await assertEqual(holder.pid) { try await streams[2].peerCredentials().processID }
        }
    }

    func testDetachWhileATaskAccepts() async throws {
        let name = try uniquePathName()
        let listener = try LocalSocketListener(name)
        let accepting = RunningTask { try await listener.accept() }
        await waitUntilAwaited(listener)
        assertThrows(.busy, .detach) { try listener.detach() }
        // It has been no disturbance.
        _ = try await LocalSocketStream.connect(to: name)
        _ = try await accepting.value()
        let adopted = try LocalSocketListener(adopting: try listener.detach())
        // The socket is in another object of the same loop now, where everything goes on.
        let again = RunningTask(on: EventLoop.shared) { try await adopted.accept() }
        await waitUntilAwaited(adopted)
        _ = try await LocalSocketStream.connect(to: name)
        _ = try await again.value()
    }
}
