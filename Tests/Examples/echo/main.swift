// SPDX-License-Identifier: MIT OR Apache-2.0
//
// An echo server and its client, both in the two forms of waiting: blocking a thread, and suspending a task.
//
//     swift run echo                   each server with each client; ends by itself
//     swift run echo serve NAME        a server that awaits
//     swift run echo call NAME         a client that blocks, for the lines that are typed

import Foundation
import Interprocess

/// Serves, a thread for each client, until the listener is closed.
func serveBlocking(_ listener: LocalSocketListener) {
    for case .success(let client) in listener.incoming {
        Thread.detachNewThread {
            while let line = try? client.readLine() { try? client.writeAll(line + "\n") }
        }
    }
}

/// Serves, a task for each client, until the listener is closed.
func serveAwaiting(_ listener: LocalSocketListener) async throws {
    try await listener.serve { client in
        for try await line in client.lines { try await client.writeAll(line + "\n") }
    }
}

func callBlocking(_ name: LocalSocketName, _ lines: [String]) throws -> [String] {
    let stream = try LocalSocketStream.connect(to: name)
    return try lines.map { line in
        try stream.writeAll(line + "\n")
        return try stream.readLine(timeout: .seconds(10)) ?? "the server hung up"
    }
}

func callAwaiting(_ name: LocalSocketName, _ lines: [String]) async throws -> [String] {
    try await LocalSocketStream.withConnection(to: name) { stream in
        var answers: [String] = []
        for line in lines {
            try await stream.writeAll(line + "\n")
            answers.append(try await stream.readLine(timeout: .seconds(10)) ?? "the server hung up")
        }
        return answers
    }
}

func demonstrate() async throws {
    for isAwaited in [false, true] {
        let name = try LocalSocketName.namespaced("com.example.echo.\(ProcessInfo.processInfo.processIdentifier)")
        let listener = try LocalSocketListener(name)
        let server = Task {
            if isAwaited { return try await serveAwaiting(listener) }
            // It blocks, and so has a thread of its own, and none of those that run tasks.
            await withCheckedContinuation { done in
                Thread.detachNewThread {
                    serveBlocking(listener)
                    done.resume()
                }
            }
        }
        print(isAwaited ? "the server awaits" : "the server blocks")
        print("  a client that awaits hears:", try await callAwaiting(name, ["hello", "world"]).joined(separator: " "))
        print("  a client that blocks hears:", try callBlocking(name, ["hello", "again"]).joined(separator: " "))
        listener.close()
        try await server.value
    }
}

let arguments = Array(CommandLine.arguments.dropFirst())
switch (arguments.first, arguments.count) {
case (nil, 0): try await demonstrate()
case ("serve", 2): try await serveAwaiting(LocalSocketListener(.namespaced(arguments[1])))
case ("call", 2):
    let name = try LocalSocketName.namespaced(arguments[1])
    while let line = readLine() { print(try callBlocking(name, [line])[0]) }
default:
    print("usage: echo [serve NAME | call NAME]")
    exit(2)
}
