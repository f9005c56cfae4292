// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import Synchronization

/// Prints what the clients say, and tells all of them what is typed, until there is no more input.
func serve(_ name: LocalSocketName) throws {
    let listener = try LocalSocketListener(name)
    say("listening at \(name); what you type goes to every client, end with control-D")
    let clients = Mutex<[ObjectIdentifier: LocalSocketStream]>([:])
    Thread {
        for case .success(let client) in listener.incoming {
            clients.withLock { $0[ObjectIdentifier(client)] = client }
            Thread {
                let peer = try? client.peerCredentials()
                let who = "pid \(text(peer?.processID)), uid \(text(peer?.userID))"
                say("[\(who) has come]")
                while let line = try? client.readLine() { say("[\(who)] \(line)") }
                say("[\(who) has left]")
                clients.withLock { $0[ObjectIdentifier(client)] = nil }
            }.start()
        }
    }.start()
    while let line = readLine() {
        for client in clients.withLock({ Array($0.values) }) {
            // A client that does not read must not keep the others waiting.
            do { try client.writeAll(line + "\n", timeout: .seconds(1)) } catch { say("[\(error)]") }
        }
    }
    listener.close()
}

/// Prints what the server says, and tells it what is typed, until either side ends.
func connect(to name: LocalSocketName) throws {
    var options = LocalSocketStream.ConnectOptions()
    options.wait = .timeout(.seconds(10))
    options.waitsForServer = true
    let stream = try LocalSocketStream.connect(to: name, options: options)
    let server = try stream.peerCredentials()
    say("connected to \(name): pid \(text(server.processID)), uid \(text(server.userID)); end with control-D")
    let ended = DispatchSemaphore(value: 0)
    Thread {
        while let line = try? stream.readLine() { say(line) }
        ended.signal()
    }.start()
    Thread {
        while let line = readLine() {
            if (try? stream.writeAll(line + "\n")) == nil { break }
        }
        // The server may still have something to say.
        try? stream.shutdown(.send)
    }.start()
    ended.wait()
}
