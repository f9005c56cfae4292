// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess

/// Listens at a name in the namespace and at a path, starts three client processes for each, and has a word with all of
/// them.
func demonstrate() throws {
    let names: [LocalSocketName] = [
        try .namespaced("com.example.talk.\(getpid())"),
        try .path(NSTemporaryDirectory() + "talk-\(getpid()).sock"),
    ]
    let listeners = try names.map { name throws(IPCError) in try LocalSocketListener(name) }
    for listener in listeners {
        say("listening at \(listener.name?.description ?? "?")")
        Thread {
            for case .success(let client) in listener.incoming {
                // Each client has a thread of its own, so that a slow one holds nobody up.
                Thread { welcome(client) }.start()
            }
        }.start()
    }

    let processes = try names.flatMap { name in
        // As it stands on the command line: without the mark of the namespace.
        let text = name.description.hasPrefix("@") ? String(name.description.dropFirst()) : name.description
        return try (1...3).map { _ in
            try Process.run(URL(fileURLWithPath: ownPath), arguments: ["greet", text])
        }
    }
    for process in processes { process.waitUntilExit() }
    for listener in listeners { listener.close() }
    guard processes.allSatisfy({ $0.terminationStatus == 0 }) else { exit(1) }
    say("\(processes.count) clients were served")
}

/// The server's side of a conversation: says who came, and answers each line.
private func welcome(_ client: LocalSocketStream) {
    do {
        let peer = try client.peerCredentials()
        let who = "pid \(text(peer.processID)), uid \(text(peer.userID))"
        say("server: a client came: \(who)")
        while let line = try client.readLine(timeout: .seconds(10)) {
            say("server: it says: \(line)")
            try client.writeAll("welcome, \(who)\n")
        }
    } catch {
        say("server: \(error)")
    }
}

/// The client's side: says something, and prints the answer.
func greet(_ name: LocalSocketName) throws {
    let stream = try LocalSocketStream.connect(to: name)
    try stream.writeAll("hello from \(getpid()) over \(name)\n")
    guard let answer = try stream.readLine(timeout: .seconds(10)) else {
        say("client \(getpid()): the server hung up")
        exit(1)
    }
    say("client \(getpid()): the server answers: \(answer)")
    exit(answer.hasPrefix("welcome, pid \(getpid()),") ? 0 : 1)
}

func text(_ number: (some BinaryInteger)?) -> String { number.map { "\($0)" } ?? "unknown" }

private var ownPath: String {
    #if os(Linux)
    "/proc/self/exe"
    #else
    Bundle.main.executablePath ?? CommandLine.arguments[0]
    #endif
}
