// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A chat of many: what one client says, all others hear. A slow one keeps nobody waiting.
//
//     swift run chat                 a server and four client processes, which greet each other; ends by itself
//     swift run chat serve NAME      a server; end it with control-C
//     swift run chat join NAME       a client: what you type goes to all others; end it with control-D
//
// A NAME is one in the system's namespace, such as com.example.chat.

import Foundation
import Interprocess

/// Serves, and starts clients, which end once each of them knows all others.
func demonstrate() async throws {
    let name = "com.example.chat.\(ProcessInfo.processInfo.processIdentifier)"
    let listener = try LocalSocketListener(.namespaced(name))
    async let serving: Void = Room().serve(listener)
    let count = 4
    let clients = try (1...count).map { _ in
        try IPCChild.spawn(CommandLine.arguments[0], arguments: ["greet", name, "\(count - 1)"])
    }
    for client in clients {
        guard try await client.wait(timeout: .seconds(20)).isSuccess else { exit(1) }
    }
    listener.close()
    try await serving
    say("\(count) clients know each other")
}

/// Greets whoever comes, until it has heard of so many others.
func greet(_ name: LocalSocketName, until count: Int) throws {
    let own = "\(ProcessInfo.processInfo.processIdentifier)"
    let stream = try LocalSocketStream.connect(to: name)
    var others: Set<String> = []
    while others.count < count {
        guard let line = try stream.readLine(timeout: .seconds(10)) else { exit(1) }
        let other = String(line.prefix { $0.isNumber })
        if other == own { continue }
        say("\(own) hears: \(line)")
        others.insert(other)
        if line.hasSuffix(" has come") { try stream.writeAll("welcome, \(other)\n") }
    }
}

/// Prints what the others say, and tells them what is typed, until either side ends.
func join(_ name: LocalSocketName) throws {
    var options = LocalSocketStream.ConnectOptions()
    options.wait = .timeout(.seconds(10))
    options.waitsForServer = true
    let stream = try LocalSocketStream.connect(to: name, options: options)
    Thread.detachNewThread {
        while let line = readLine() { try? stream.writeAll(line + "\n") }
        try? stream.shutdown(.send)
    }
    while let line = try stream.readLine() { say(line) }
}

/// Prints a line at once, also into a pipe or a file.
func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

let arguments = Array(CommandLine.arguments.dropFirst())
do {
    switch (arguments.first, arguments.count) {
    case (nil, 0): try await demonstrate()
    case ("serve", 2): try await Room().serve(LocalSocketListener(.namespaced(arguments[1])))
    case ("join", 2): try join(.namespaced(arguments[1]))
    case ("greet", 3): try greet(.namespaced(arguments[1]), until: Int(arguments[2]) ?? 0)
    default:
        say("usage: chat [serve NAME | join NAME]")
        exit(2)
    }
} catch {
    FileHandle.standardError.write(Data("chat: \(error)\n".utf8))
    exit(1)
}
