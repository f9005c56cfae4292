// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess

/// Replies to requests until its input ends: with the text in capitals, or not at all.
func serveConnections(_ name: LocalSocketName) async throws {
    let server = try IPCServer<String, String>(name)
    say("ready")
    Thread {
        while readLine() != nil {}
        server.close()
    }.start()
    try await server.serve { text, _ in
        if text == "wait" { try await Task.sleep(for: .seconds(1000)) }
        return text.uppercased()
    }
    say("closed")
}

/// Makes that many requests, one after the other, and looks at the replies.
func makeRequests(_ name: LocalSocketName, _ count: Int) throws {
    let connection = try IPCConnection<String, String>.connect(to: name)
    for number in 0..<count {
        let text = "\(getpid()) \(number) " + String(repeating: "x", count: number % 3 == 0 ? 100_000 : 10)
        guard try connection.request(text) == text.uppercased() else {
            say("error another reply came")
            exit(1)
        }
    }
    say("done \(count)")
}

/// Is that many clients at the same time, each of which makes a request for each line of input; then all leave.
func beManyClients(_ name: LocalSocketName, _ count: Int) async throws {
    var clients: [IPCConnection<String, String>] = []
    for _ in 0..<count { clients.append(try await .connect(to: name)) }
    say("connected")
    while readLine() != nil {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (number, client) in clients.enumerated() {
                group.addTask {
                    guard try await client.request("client \(number)") == "CLIENT \(number)" else {
                        say("error another reply came")
                        exit(1)
                    }
                }
            }
            try await group.waitForAll()
        }
        say("served")
    }
    for client in clients { client.close() }
}

/// Sends large values without end, of which it is killed in the middle.
func sendLargeValues(_ name: LocalSocketName) throws {
    let connection = try IPCConnection<String, [UInt8]>.connect(to: name)
    say("connected")
    while true { try connection.send([UInt8](repeating: 7, count: 32 << 20)) }
}

/// Says who it is to a server for one.
func comeAlone(_ name: LocalSocketName) throws {
    let connection = try IPCConnection<String, Int32>.connect(to: name)
    try connection.send(getpid())
    say("told \(try connection.receive())")
}
