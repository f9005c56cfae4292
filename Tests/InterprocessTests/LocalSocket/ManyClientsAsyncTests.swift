// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

final class ManyClientsAsyncTests: InterprocessTestCase {
    override var timeLimit: TimeInterval { 120 }

    /// Echoes the lines of every client, each in a task of its own, until the listener is closed.
    ///
    /// - Returns: How many lines that were.
    @Sendable
    private static func serve(_ listener: LocalSocketListener) async throws -> Int {
        try await withThrowingTaskGroup(of: Int.self) { group in
            while let stream = try? await listener.accept() {
                group.addTask {
                    var count = 0
                    for try await line in stream.lines {
                        try await stream.writeAll(line + "\n")
                        count += 1
                    }
                    return count
                }
            }
            return try await group.reduce(0, +)
        }
    }

    private struct WrongLine: Error {}

    /// Sends numbered lines, and checks that each comes back.
    @Sendable
    private static func converse(_ stream: LocalSocketStream, _ number: Int, lines: Int) async throws {
        for line in 0..<lines {
            try await stream.writeAll("\(number) \(line)\n")
            guard try await stream.readLine() == "\(number) \(line)" else { throw WrongLine() }
        }
    }

    /// A thousand connections at once, each with its own conversation.
    func testThousandClientsAtOnce() async throws {
        let limit = DescriptorLimit(4096)
        defer { limit.restore() }
        if limit.count < 2200 { try skip("too few descriptors are allowed") }

        for (name, executor) in try eachNameAndExecutor() {
            let listener = try LocalSocketListener(name)
            let server = RunningTask(on: executor) { try await Self.serve(listener) }
            let clients = RunningTask(on: executor) {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    // All are connected before any says a word.
                    var streams: [LocalSocketStream] = []
                    for _ in 0..<1000 { streams.append(try await .connect(to: name)) }
                    for (number, stream) in streams.enumerated() {
                        group.addTask { try await Self.converse(stream, number, lines: 3) }
                    }
                    try await group.waitForAll()
                    for stream in streams { stream.close() }
                }
            }
            try await clients.value()
            listener.close()
            try await assertEqual(3000) { try await server.value() }
        }
    }

    /// The same number from eight tasks, one after another, with several that accept.
    func testThousandClientsOneAfterAnother() async throws {
        for (name, executor) in try eachNameAndExecutor() {
            let listener = try LocalSocketListener(name)
            let servers = (0..<2).map { _ in RunningTask(on: executor) { try await Self.serve(listener) } }
            let clients = (0..<8).map { task in
                RunningTask(on: executor) {
                    for number in 0..<125 {
                        let stream = try await LocalSocketStream.connect(to: name)
                        try await Self.converse(stream, 1000 * task + number, lines: 1)
                    }
                }
            }
            for client in clients { try await client.value() }
            listener.close()
            var count = 0
            for server in servers { count += try await server.value() }
            XCTAssertEqual(count, 1000)
        }
    }

    func testClientProcesses() throws {
        for (name, executor) in try eachNameAndExecutor() {
            let listener = try LocalSocketListener(name)
            let server = RunningTask(on: executor) { try await Self.serve(listener) }
            let clients = try (0..<20).map { _ in try ChildProcess.helper("echo", name.description, "100") }
            for client in clients {
                client.expect("echoed 100")
                XCTAssertEqual(client.wait(), 0)
            }
            listener.close()
            XCTAssertEqual(try server.value(), 2000)
        }
    }

    func testServerProcess() throws {
        for (name, executor) in try eachNameAndExecutor() {
            let server = try ChildProcess.helper("serve", name.description, "20")
            server.expect("ready")
            let clients = (0..<20).map { number in
                RunningTask(on: executor) {
                    let stream = try await LocalSocketStream.connect(to: name)
                    try await Self.converse(stream, number, lines: 100)
                }
            }
            for client in clients { try client.value() }
            XCTAssertEqual(server.wait(), 0)
        }
    }

    /// Clients that do not read, do not write, or do so a byte at a time do not delay the others.
    func testSlowClientsHoldUpNobody() async throws {
        for (name, executor) in try eachNameAndExecutor() {
            let listener = try LocalSocketListener(name)
            let server = RunningTask(on: executor) { try await Self.serve(listener) }
            let silent = try await LocalSocketStream.connect(to: name)
            let partial = try await LocalSocketStream.connect(to: name)
            try await partial.writeAll("no line feed yet")
            // Sends lines and reads no answer, until the server's answers fill the buffers, and then its own questions.
            let deaf = try await LocalSocketStream.connect(to: name)
            let question = String(repeating: "?", count: 1000) + "\n"
            let asking = RunningTask(on: executor) {
                try await deaf.writeAll(String(repeating: question, count: 4000))
                try await deaf.shutdown(.send)
            }
            await waitUntilAwaited(deaf)
            for number in 0..<50 {
                let client = try await LocalSocketStream.connect(to: name)
                try await on(executor) { try await Self.converse(client, number, lines: 20) }
            }
            XCTAssertFalse(asking.hasEnded)
            try await partial.writeAll("\n")
            try await assertEqual("no line feed yet") { try await partial.readLine() }
            try await assertEqual(4_004_000) { try await deaf.readToEnd().count }
            try await asking.value()
            for stream in [silent, partial, deaf] { stream.close() }
            listener.close()
            try await assertEqual(5001) { try await server.value() }
        }
    }
}
