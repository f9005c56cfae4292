// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess

/// Listens at a name in the namespace and at a path, starts three client processes for each, and has a word with all of
/// them.
func demonstrate() async throws {
    let names: [LocalSocketName] = [
        try .namespaced("com.example.talk.\(getpid())"),
        try .path(NSTemporaryDirectory() + "talk-\(getpid()).sock"),
    ]
    let listeners = try names.map { name throws(IPCError) in try LocalSocketListener(name) }
    for name in names { say("listening at \(name)") }

    // Each listener serves in a task of its own, and each of its clients has one, too.
    async let first: Void = listeners[0].serve { try await welcome($0) }
    async let second: Void = listeners[1].serve { try await welcome($0) }

    let results = try await withThrowingTaskGroup(of: Bool.self) { group in
        for name in names {
            for _ in 1...3 { group.addTask { try await runClient(name) } }
        }
        return try await group.reduce(into: []) { $0.append($1) }
    }
    for listener in listeners { listener.close() }
    _ = try await (first, second)
    guard results.allSatisfy({ $0 }) else { exit(1) }
    say("\(results.count) clients were served")
}

/// The server's side of a conversation: says who came, and answers each line.
private func welcome(_ client: LocalSocketStream) async throws {
    do {
        let peer = try await client.peerCredentials()
        let who = "pid \(text(peer.processID)), uid \(text(peer.userID))"
        say("server: a client came: \(who)")
        for try await line in client.lines(timeout: .seconds(10)) {
            say("server: it says: \(line)")
            try await client.writeAll("welcome, \(who)\n")
        }
    } catch {
        say("server: \(error)")
    }
}

/// The client's side: says something, and prints the answer; returns whether it was the one to expect.
func greet(_ name: LocalSocketName) async throws -> Bool {
    try await LocalSocketStream.withConnection(to: name) { stream in
        try await stream.writeAll("hello from \(getpid()) over \(name)\n")
        guard let answer = try await stream.readLine(timeout: .seconds(10)) else {
            say("client \(getpid()): the server hung up")
            return false
        }
        say("client \(getpid()): the server answers: \(answer)")
        return answer.hasPrefix("welcome, pid \(getpid()),")
    }
}

/// Runs this program as a client, in a process of its own; returns whether all went well there.
private func runClient(_ name: LocalSocketName) async throws -> Bool {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: ownPath)
    // As it stands on the command line: without the mark of the namespace.
    let text = name.description.hasPrefix("@") ? String(name.description.dropFirst()) : name.description
    process.arguments = ["greet", text]
    return try await withCheckedThrowingContinuation { continuation in
        process.terminationHandler = { continuation.resume(returning: $0.terminationStatus == 0) }
        do { try process.run() } catch { continuation.resume(throwing: error) }
    }
}

func text(_ number: (some BinaryInteger)?) -> String { number.map { "\($0)" } ?? "unknown" }

private var ownPath: String {
    #if os(Linux)
    "/proc/self/exe"
    #else
    Bundle.main.executablePath ?? CommandLine.arguments[0]
    #endif
}
