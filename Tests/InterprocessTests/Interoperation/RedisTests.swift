// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// Conversations with a server that everybody runs: Redis, over its Unix domain socket.
final class RedisTests: InterprocessTestCase {
    /// More than the kernel's buffers hold.
    private static let long = String(repeating: "0123456789abcdef", count: 1 << 16)

    func testCommands() throws {
        let redis = try RedisServer(in: directory)
        let client = try redis.connect()
        XCTAssertEqual(try client.call("PING"), .status("PONG"))
        guard case .bytes(let bytes) = try client.call("INFO", "server") else { return XCTFail("it says nothing") }
        let process = try XCTUnwrap(client.stream.peerCredentials().processID)
        XCTAssertTrue(String(decoding: bytes, as: UTF8.self).contains("\r\nprocess_id:\(process)\r\n"))
        XCTAssertEqual(try client.call("SET", "key", "a value\r\nof two lines"), .status("OK"))
        XCTAssertEqual(try client.call("GET", "key"), .text("a value\r\nof two lines"))
        XCTAssertEqual(try client.call("GET", "nothing"), .nothing)
        XCTAssertEqual(try client.call("SET", "long", Self.long), .status("OK"))
        XCTAssertEqual(try client.call("GET", "long"), .text(Self.long))
        XCTAssertEqual(try client.call("RPUSH", "list", "one", "two", ""), .number(3))
        XCTAssertEqual(
            try client.call("LRANGE", "list", "0", "-1"),
            .array([.text("one"), .text("two"), .text("")])
        )
        guard case .error(let text) = try client.call("GET", "list") else { return XCTFail("a list has no value") }
        XCTAssertTrue(text.hasPrefix("WRONGTYPE "), text)
        // It answers by closing the connection.
        try client.send([["SHUTDOWN", "NOSAVE"]])
        XCTAssertNil(try client.stream.readLine(timeout: .seconds(20)))
        XCTAssertEqual(redis.end(), 0)
    }

    func testAwaitedCommands() async throws {
        let redis = try RedisServer(in: directory)
        try await onEachExecutor {
            let client = try await redis.connect()
            try await assertEqual(.status("PONG")) { try await client.call("PING") }
            try await assertEqual(.status("OK")) { try await client.call("SET", "long", Self.long) }
            try await assertEqual(.text(Self.long)) { try await client.call("GET", "long") }
            try await assertEqual(.number(1)) { try await client.call("DEL", "long") }
            try await assertEqual(.nothing) { try await client.call("GET", "long") }
        }
        let client = try await redis.connect()
        try await client.send([["SHUTDOWN", "NOSAVE"]])
        try await assertEqual(nil) { try await client.stream.readLine(timeout: .seconds(20)) }
        XCTAssertEqual(redis.end(), 0)
    }

    /// Many commands on their way at once, which are answered in their order.
    func testPipelining() async throws {
        let redis = try RedisServer(in: directory)
        let commands = (1...10_000).map { ["INCRBY", "count", "\($0)"] }
        func sum(_ number: Int) -> RedisReply { .number(number * (number + 1) / 2) }
        try pipeline(redis, commands, sum)
        let client = try await redis.connect()
        try await assertEqual(.status("OK")) { try await client.call("SET", "count", "0") }
        async let sent: Void = client.send(commands)
        for number in 1...commands.count { try await assertEqual(sum(number)) { try await client.receive() } }
        try await sent
        XCTAssertEqual(redis.end(), 0)
    }

    private func pipeline(_ redis: RedisServer, _ commands: [[String]], _ expected: (Int) -> RedisReply) throws {
        let client = try redis.connect()
        // Redis stops to read when nobody reads its answers.
        let sending = Running { try client.send(commands) }
        for number in 1...commands.count { XCTAssertEqual(try client.receive(), expected(number)) }
        try sending.value()
    }

    /// What one client publishes, by blocking calls, comes to all that have subscribed, in order; they await it.
    func testPublishing() async throws {
        let redis = try RedisServer(in: directory)
        var subscribers: [RedisClient] = []
        for _ in 0..<5 {
            subscribers.append(try await redis.connect())
            try await assertEqual(.array([.text("subscribe"), .text("news"), .number(1)])) {
                try await subscribers[subscribers.count - 1].call("SUBSCRIBE", "news")
            }
        }
        let receiving = subscribers.map { client in
            RunningTask {
                for number in 0..<1000 {
                    try await assertEqual(.array([.text("message"), .text("news"), .text("message \(number)")])) {
                        try await client.receive()
                    }
                }
            }
        }
        let publishing = Running {
            let client = try redis.connect()
            for number in 0..<1000 {
                XCTAssertEqual(try client.call("PUBLISH", "news", "message \(number)"), .number(5))
            }
        }
        for task in receiving { try await task.value() }
        try publishing.value()
        XCTAssertEqual(redis.end(), 0)
    }

    /// Twenty clients at once, on threads and in tasks, count together.
    func testManyClients() async throws {
        let redis = try RedisServer(in: directory)
        let threads = (0..<10).map { _ in
            Running {
                let client = try redis.connect()
                for _ in 0..<100 { _ = try client.call("INCR", "count") }
            }
        }
        let tasks = (0..<10).map { _ in
            RunningTask {
                let client = try await redis.connect()
                for _ in 0..<100 { _ = try await client.call("INCR", "count") }
            }
        }
        for task in tasks { try await task.value() }
        for thread in threads { try thread.value() }
        let client = try await redis.connect()
        try await assertEqual(.text("2000")) { try await client.call("GET", "count") }
        XCTAssertEqual(redis.end(), 0)
    }
}
