// SPDX-License-Identifier: MIT OR Apache-2.0

let closingTests = [
    Test("closing ends an accept that waits") { () throws(IPCError) in
        for timeout in [nil, Duration.seconds(30)] {
            let listener = try NamedPipeListener(uniquePath())
            let waiting = (1...3).map { _ in
                Background { () throws(IPCError) in _ = try listener.accept(timeout: timeout) }
            }
            awaitCalls(3, on: listener)
            try checkEndsPromptly(waiting) { listener.close() }
            checkThrows(.closed) { () throws(IPCError) in try listener.accept() }
        }
    },
    Test("closing ends reads that wait") { () throws(IPCError) in
        for timeout in [nil, Duration.seconds(30)] {
            let pair = try connected()
            let waiting = (1...3).map { _ in
                Background { () throws(IPCError) in _ = try pair.server.read(upTo: 1, timeout: timeout) }
            }
            awaitCalls(3, on: pair.server)
            try checkEndsPromptly(waiting) { pair.server.close() }
            checkThrows(.closed) { () throws(IPCError) in try pair.server.read(upTo: 1) }
        }
    },
    Test("closing ends reads of lines and messages that wait") { () throws(IPCError) in
        let lines = try connected()
        let line = (1...3).map { _ in Background { () throws(IPCError) in _ = try lines.client.readLine() } }
        let messages = try connectedByMessages()
        let message = (1...3).map { _ in
            Background { () throws(IPCError) in _ = try messages.client.receiveMessage() }
        }
        for waiting in line + message { check(!waiting.isDone, "it did not wait") }
        awaitCalls(3, on: lines.client)
        awaitCalls(3, on: messages.client)
        try checkEndsPromptly(line) { lines.client.close() }
        try checkEndsPromptly(message) { messages.client.close() }
    },
    Test("closing ends writes that wait") { () throws(IPCError) in
        for timeout in [nil, Duration.seconds(30)] {
            let pair = try connected()
            let waiting = (1...2).map { _ in
                Background { () throws(IPCError) in try pair.server.writeAll(pattern(1 << 20), timeout: timeout) }
            }
            awaitCalls(2, on: pair.server)
            try checkEndsPromptly(waiting) { pair.server.close() }
            checkThrows(.closed) { () throws(IPCError) in try pair.server.writeAll("x") }
        }
    },
    Test("closing ends messages that wait to be sent") { () throws(IPCError) in
        for timeout in [nil, Duration.seconds(30)] {
            let pair = try connectedByMessages()
            let waiting = (1...2).map { _ in
                Background { () throws(IPCError) in
                    while true { try pair.server.sendMessage(pattern(1 << 18), timeout: timeout) }
                }
            }
            awaitCalls(2, on: pair.server)
            try checkEndsPromptly(waiting) { pair.server.close() }
        }
    },
    Test("closing may be repeated, and says so") { () throws(IPCError) in
        let pair = try connected()
        check(!pair.server.isClosed, "it is closed at first")
        for _ in 1...2 { pair.server.close() }
        check(pair.server.isClosed, "it is not closed")
        checkThrows(.closed) { () throws(IPCError) in try pair.server.peerProcessID }
        checkThrows(.closed) { () throws(IPCError) in try pair.server.duplicate() }
        checkThrows(.closed) { () throws(IPCError) in try pair.server.peek() }
        checkThrows(.closed) { () throws(IPCError) in try pair.server.waitUntilRead() }
        checkThrows(.closed) { () throws(IPCError) in try pair.server.detach() }
    },
    Test("closing while bytes go to and fro ends everything, time and again") { () throws(IPCError) in
        for _ in 1...100 {
            let pair = try connected()
            let talking = [pair.server, pair.client].flatMap { stream in
                [
                    Background { () throws(IPCError) in while true { try stream.writeAll(pattern(3000)) } },
                    Background { () throws(IPCError) in while try !stream.read(upTo: 5000).isEmpty {} },
                ]
            }
            pair.server.close()
            for thread in talking {
                do throws(IPCError) { try thread.value() } catch {
                    check(error.code == .closed || error.code == .brokenPipe, error.description)
                }
            }
        }
    },
]

/// Checks that the calls throw `.closed`, and do so soon.
private func checkEndsPromptly(_ waiting: [Background<Void>], _ close: () -> Void) throws(IPCError) {
    for call in waiting { check(!call.isDone, "it did not wait") }
    let taken = try milliseconds { () throws(IPCError) in
        close()
        for call in waiting { checkThrows(.closed) { () throws(IPCError) in try call.value() } }
    }
    check(taken < 5000, "it took \(taken) ms")
}
