// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// What Redis answers.
enum RedisReply: Equatable, Sendable {
    case status(String)
    case error(String)
    case number(Int)
    case bytes([UInt8])
    case array([RedisReply])
    case nothing

    static func text(_ text: String) -> RedisReply { .bytes(Array(text.utf8)) }
}

/// A client of Redis: its protocol (RESP2) over a stream.
struct RedisClient: Sendable {
    struct Nonsense: Error { let line: String? }

    let stream: UnixStream

    /// Sends commands without waiting for their answers.
    func send(_ commands: [[String]]) throws { try stream.writeAll(Self.encode(commands)) }

    func send(_ commands: [[String]]) async throws { try await stream.writeAll(Self.encode(commands)) }

    /// The next answer.
    func receive() throws -> RedisReply {
        switch try Header(stream.readLine(timeout: .seconds(20))) {
        case .whole(let reply): return reply
        case .bytes(let count): return .bytes(try stream.readExactly(count + 2, timeout: .seconds(20)).dropLast(2))
        case .array(let count): return .array(try (0..<count).map { _ in try receive() })
        }
    }

    func receive() async throws -> RedisReply {
        switch try await Header(stream.readLine(timeout: .seconds(20))) {
        case .whole(let reply): return reply
        case .bytes(let count):
            return .bytes(try await stream.readExactly(count + 2, timeout: .seconds(20)).dropLast(2))
        case .array(let count):
            var replies: [RedisReply] = []
            for _ in 0..<count { replies.append(try await receive()) }
            return .array(replies)
        }
    }

    func call(_ command: String...) throws -> RedisReply {
        try send([command])
        return try receive()
    }

    func call(_ command: String...) async throws -> RedisReply {
        try await send([command])
        return try await receive()
    }

    private static func encode(_ commands: [[String]]) -> String {
        commands.map { words in
            "*\(words.count)\r\n" + words.map { "$\($0.utf8.count)\r\n\($0)\r\n" }.joined()
        }.joined()
    }

    /// The first line of an answer, and what is to follow.
    private enum Header {
        case whole(RedisReply)
        case bytes(Int)
        case array(Int)

        init(_ line: String?) throws {
            guard let line, let kind = line.first else { throw Nonsense(line: line) }
            let rest = String(line.dropFirst())
            switch (kind, Int(rest)) {
            case ("+", _): self = .whole(.status(rest))
            case ("-", _): self = .whole(.error(rest))
            case (":", let number?): self = .whole(.number(number))
            case ("$", -1), ("*", -1): self = .whole(.nothing)
            case ("$", let count?): self = .bytes(count)
            case ("*", let count?): self = .array(count)
            default: throw Nonsense(line: line)
            }
        }
    }
}

/// A Redis of the test's own, at a path alone, which keeps nothing.
///
/// It ends with its last reference, and with the test.
final class RedisServer: Sendable {
    /// A shell that ends it when there is no more input, whichever way this process ends.
    private let shell: ChildProcess
    private let address: UnixSocketAddress

    /// Starts it, with its socket and its log in a directory.
    init(in directory: String) throws {
        try requireProgram("redis-server")
        let path = directory + "/redis"
        address = try .path(path)
        shell = try ChildProcess(
            "/bin/sh",
            [
                "-c", "redis-server \"$@\" >/dev/null 2>&1 & cat; kill $! 2>/dev/null; wait $!", "redis",
                "--port", "0", "--unixsocket", path, "--unixsocketperm", "700", "--dir", directory, "--save", "",
                "--logfile", path + ".log",
            ]
        )
    }

    deinit { end() }

    /// Ends it, and returns its exit status.
    @discardableResult
    func end() -> Int32 {
        shell.closeInput()
        return shell.wait()
    }

    func connect() throws -> RedisClient {
        RedisClient(stream: try UnixStream.connect(toAddress: address, options: options))
    }

    func connect() async throws -> RedisClient {
        RedisClient(stream: try await UnixStream.connect(toAddress: address, options: options))
    }

    /// It may still be starting.
    private var options: UnixStream.ConnectOptions {
        var options = UnixStream.ConnectOptions()
        options.waitsForServer = true
        options.wait = .timeout(.seconds(20))
        return options
    }
}
