// SPDX-License-Identifier: MIT OR Apache-2.0

internal import Synchronization

let clientTests =
    [(NamedPipeMode.bytes, "bytes"), (.messages, "messages")].flatMap { (mode, name) in
        [
            Test("80 clients, 6 at a time: \(name) both ways") { () throws(IPCError) in
                try serveManyClients(mode, .duplex)
            },
            Test("80 clients, 6 at a time: \(name) to the server") { () throws(IPCError) in
                try serveManyClients(mode, .clientToServer)
            },
            Test("80 clients, 6 at a time: \(name) to the client") { () throws(IPCError) in
                try serveManyClients(mode, .serverToClient)
            },
        ]
    } + [
        Test("clients that never read do not stop others") { () throws(IPCError) in
            let listener = try NamedPipeListener(uniquePath())
            var idle: [Connected] = []
            for _ in 1...5 {
                let client = try NamedPipeStream.connect(to: listener.path)
                let server = try listener.accept()
                checkThrows(.timedOut) { () throws(IPCError) in
                    try server.writeAll(pattern(1 << 20), timeout: .milliseconds(20))
                }
                idle.append(Connected(server: server, client: client))
            }
            let served = Background { () throws(IPCError) in
                let stream = try listener.accept()
                while let line = try stream.readLine() { try stream.writeAll(line + "\n") }
            }
            let client = try NamedPipeStream.connect(to: listener.path)
            try client.writeAll("hello\n")
            checkEqual(try client.readLine(timeout: .seconds(5)), "hello")
            client.close()
            try served.value()
            // Nor do they keep the server from closing, or from ending.
            let taken = try milliseconds { () throws(IPCError) in for pair in idle { pair.server.close() } }
            check(taken < 5000, "closing took \(taken) ms")
        },
        Test("a limit of one instance serves one client after another") { () throws(IPCError) in
            var options = NamedPipeListener.Options()
            options.instanceLimit = 1
            let listener = try NamedPipeListener(uniquePath(), options: options)
            for number in 1...5 {
                let client = Background { () throws(IPCError) in
                    let stream = try connectWhenThere(listener.path)
                    try stream.writeAll("\(number)\n")
                    return try stream.readLine().map { Array($0.utf8) }
                }
                let stream = try listener.accept()
                try stream.writeAll(try stream.readLine() ?? "nothing")
                stream.close()
                checkEqual(try client.value(), Array("\(number)".utf8))
            }
        },
        Test("when the listener is gone, nothing has its name") { () throws(IPCError) in
            let listener = try NamedPipeListener(uniquePath())
            let client = try NamedPipeStream.connect(to: listener.path)
            let server = try listener.accept()
            listener.close()
            server.close()
            client.close()
            checkThrows(.notFound) { () throws(IPCError) in try NamedPipeStream.connect(to: listener.path) }
        },
    ]

/// A server handles its clients one after another; the first one leaves before it is accepted.
private func serveManyClients(_ mode: NamedPipeMode, _ direction: NamedPipeDirection) throws(IPCError) {
    var options = NamedPipeListener.Options()
    options.mode = mode
    options.direction = direction
    let listener = try NamedPipeListener(uniquePath(), options: options)
    let talk = Talk(isOfMessages: mode == .messages, direction: direction)
    try talk.connect(to: listener.path).close()
    let server = Background { () throws(IPCError) in
        var served = 0
        while served < Talk.clients { if try talk.asServer(try listener.accept()) { served += 1 } }
        return served
    }
    let next = Next()
    let clients = (1...Talk.atOnce).map { _ in
        Background { () throws(IPCError) in
            while next.take() < Talk.clients { try talk.asClient(try talk.connect(to: listener.path)) }
        }
    }
    for client in clients { try client.value() }
    checkEqual(try server.value(), Talk.clients)
}

/// Connects as soon as there is a server: with one instance, there is none between two clients.
func connectWhenThere(_ path: String) throws(IPCError) -> NamedPipeStream {
    while true {
        do throws(IPCError) { return try NamedPipeStream.connect(to: path) } catch {
            if error.code != .notFound { throw error }
            rest()
        }
    }
}

private final class Next: Sendable {
    private let number = Atomic<Int>(0)
    func take() -> Int { number.wrappingAdd(1, ordering: .relaxed).oldValue }
}

/// What a server and a client say to each other.
private struct Talk: Sendable {
    static let clients = 80
    static let atOnce = 6

    let isOfMessages: Bool
    let direction: NamedPipeDirection

    func connect(to path: String) throws(IPCError) -> NamedPipeStream {
        var options = NamedPipeStream.ConnectOptions()
        options.direction = direction
        options.receiveMode = isOfMessages ? .messages : .bytes
        return try NamedPipeStream.connect(to: path, options: options)
    }

    /// Returns whether the client was there at all.
    func asServer(_ stream: NamedPipeStream) throws(IPCError) -> Bool {
        if direction != .serverToClient, try !hear("client", stream) { return false }
        if direction == .clientToServer { return true }
        do throws(IPCError) {
            try speak("server", stream)
            return true
        } catch {
            if error.code == .brokenPipe { return false }
            throw error
        }
    }

    func asClient(_ stream: NamedPipeStream) throws(IPCError) {
        if direction != .serverToClient { try speak("client", stream) }
        if direction != .clientToServer { check(try hear("server", stream), "the server left") }
    }

    private func speak(_ who: String, _ stream: NamedPipeStream) throws(IPCError) {
        for text in ["First from \(who)", "Second from \(who)"] {
            if isOfMessages { try stream.sendMessage(Array(text.utf8)) } else { try stream.writeAll(text + "\n") }
        }
    }

    private func hear(_ who: String, _ stream: NamedPipeStream) throws(IPCError) -> Bool {
        for text in ["First from \(who)", "Second from \(who)"] {
            let found =
                isOfMessages
                ? try stream.receiveMessage() : try stream.readLine().map { Array($0.utf8) }
            guard let found else { return false }
            checkEqual(found, Array(text.utf8))
        }
        return true
    }
}
