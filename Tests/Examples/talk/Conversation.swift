// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import Synchronization

/// Prints what the clients say, and tells all of them what is typed, until there is no more input.
func serve(_ name: LocalSocketName) async throws {
    let listener = try LocalSocketListener(name)
    say("listening at \(name); what you type goes to every client, end with control-D")
    let clients = Mutex<[ObjectIdentifier: LocalSocketStream]>([:])
    var options = LocalSocketListener.ServeOptions()
    options.gracePeriod = .zero
    // Serving ends when this function does.
    async let _: Void = listener.serve(options: options) { client in
        clients.withLock { $0[ObjectIdentifier(client)] = client }
        let peer = try await client.peerCredentials()
        let who = "pid \(text(peer.processID)), uid \(text(peer.userID))"
        say("[\(who) has come]")
        while let line = try? await client.readLine() { say("[\(who)] \(line)") }
        say("[\(who) has left]")
        clients.withLock { $0[ObjectIdentifier(client)] = nil }
    }
    for await line in typedLines {
        for client in clients.withLock({ Array($0.values) }) {
            // A client that does not read must not keep the others waiting.
            do { try await client.writeAll(line + "\n", timeout: .seconds(1)) } catch { say("[\(error)]") }
        }
    }
}

/// Prints what the server says, and tells it what is typed, until either side ends.
func connect(to name: LocalSocketName) async throws {
    var options = LocalSocketStream.ConnectOptions()
    options.wait = .timeout(.seconds(10))
    options.waitsForServer = true
    try await LocalSocketStream.withConnection(to: name, options: options) { stream in
        let server = try await stream.peerCredentials()
        say("connected to \(name): pid \(text(server.processID)), uid \(text(server.userID)); end with control-D")
        async let _: Void = {
            for await line in typedLines { try await stream.writeAll(line + "\n") }
            // The server may still have something to say.
            try await stream.shutdown(.send)
        }()
        while let line = try? await stream.readLine() { say(line) }
    }
}

/// The lines that are typed.
///
/// Reading them blocks, and so has a thread of its own.
private var typedLines: AsyncStream<String> {
    AsyncStream { lines in
        Thread {
            while let line = readLine() { lines.yield(line) }
            lines.finish()
        }.start()
    }
}
