// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess

// What awaited messages stand on: attempts, none of which waits, and the poller in between.

private let watched = Int(CIP_WATCHED | CIP_READABLE)

/// Makes one attempt to receive a message.
private func attempt(_ stream: NamedPipeStream) throws(IPCError) -> [UInt8]? {
    var message = IncomingMessage(limit: 1 << 20)
    let result = message.receive(stream.descriptorCore)
    return try message.whole(result, stream.descriptorCore)
}

/// Receives a message as the awaited form does.
private func receive(_ stream: NamedPipeStream, _ poller: inout Poller) throws(IPCError) -> [UInt8]? {
    while true {
        do throws(IPCError) { return try attempt(stream) } catch { if error.code != .wouldBlock { throw error } }
        _ = poller.wait(.seconds(5))
    }
}

/// Gives up again and again, and each time lets go of the read that has begun.
private func receiveInVain(_ stream: NamedPipeStream) throws(IPCError) -> [UInt8]? {
    while true {
        do throws(IPCError) { return try attempt(stream) } catch { if error.code != .wouldBlock { throw error } }
        _ = stream.descriptorCore.mailbox.withdraw()
    }
}

private func receiveInTime(_ stream: NamedPipeStream) throws(IPCError) -> [UInt8]? {
    while true {
        do throws(IPCError) { return try stream.receiveMessage(timeout: .microseconds(100)) } catch {
            if error.code != .timedOut { throw error }
        }
    }
}

let awaitedMessageTests = [
    Test("messages come in their order, in whatever ways they are received") { () throws(IPCError) in
        let pair = try connectedByMessages()
        let lengths = [0, 3, 0, 0, 4095, 4096, 4097, 0, 70_000, 1]
        let messages = (0..<600).map { [UInt8](repeating: UInt8(truncatingIfNeeded: $0), count: lengths[$0 % 10]) }
        let sending = Background { () throws(IPCError) in
            for (number, message) in messages.enumerated() {
                if number % 7 == 0 { rest() }
                try pair.client.sendMessage(message, timeout: number % 3 == 0 ? .seconds(10) : nil)
            }
            pair.client.close()
        }
        var poller = try Poller()
        poller.set(pair.server.descriptorCore, 0, watched, 1)
        for (number, message) in messages.enumerated() {
            let received =
                switch number * 31 % 5 {
                case 0: try pair.server.receiveMessage()
                case 1: try receiveInTime(pair.server)
                case 2: try receiveInVain(pair.server)
                default: try receive(pair.server, &poller)
                }
            checkEqual(received, message)
        }
        check(try receive(pair.server, &poller) == nil, "the end of the stream does not show")
        poller.set(pair.server.descriptorCore, watched, 0, 1)
        try sending.value()
    },
    Test("a poller tells of an empty message, which stays the next one") { () throws(IPCError) in
        let pair = try connectedByMessages()
        var poller = try Poller()
        checkThrows(.wouldBlock) { () throws(IPCError) in try attempt(pair.server) }
        poller.set(pair.server.descriptorCore, 0, watched, 1)
        poller.checkIsSilent()
        try pair.client.sendMessage([])
        try pair.client.sendMessage([7])
        poller.checkTells(1, Int(CIP_READABLE))
        checkEqual(try pair.server.receiveMessage(timeout: .seconds(5)), [])
        checkEqual(try pair.server.receiveMessage(timeout: .seconds(5)), [7])
        checkThrows(.wouldBlock) { () throws(IPCError) in try attempt(pair.server) }
        poller.checkIsSilent()
        pair.client.close()
        poller.checkTells(1, Int(CIP_READABLE))
        check(try attempt(pair.server) == nil, "the end of the stream does not show")
        poller.checkTells(1, Int(CIP_READABLE))
        poller.set(pair.server.descriptorCore, watched, 0, 1)
    },
    Test("a call that gives up takes no message from the next one") { () throws(IPCError) in
        let pair = try connectedByMessages()
        checkThrows(.timedOut) { () throws(IPCError) in
            try pair.server.receiveMessage(timeout: .milliseconds(20))
        }
        let copy = try pair.server.duplicate()
        for message: [UInt8] in [[], [1], []] {
            try pair.client.sendMessage(message)
            checkEqual(try copy.receiveMessage(timeout: .seconds(5)), message)
        }
        checkThrows(.wouldBlock) { () throws(IPCError) in try attempt(pair.server) }
        check(pair.server.descriptorCore.mailbox.withdraw() == nil, "something has come")
        try pair.client.sendMessage([2])
        checkEqual(try copy.receiveMessage(timeout: .seconds(5)), [2])
    },
    Test("a read that began in a thread which has ended is made again") { () throws(IPCError) in
        let pair = try connectedByMessages()
        var poller = try Poller()
        try Background { () throws(IPCError) in
            checkThrows(.wouldBlock) { () throws(IPCError) in try attempt(pair.server) }
        }.value()
        poller.set(pair.server.descriptorCore, 0, watched, 1)
        for _ in 1...50 { rest() }
        try pair.client.sendMessage([])
        checkEqual(try receive(pair.server, &poller), [])
        poller.set(pair.server.descriptorCore, watched, 0, 1)
    },
    Test("closing and detaching end a read that is under way") { () throws(IPCError) in
        for _ in 1...50 {
            let pair = try connectedByMessages()
            checkThrows(.wouldBlock) { () throws(IPCError) in try attempt(pair.server) }
            checkThrows(.wouldBlock) { () throws(IPCError) in try attempt(pair.client) }
            pair.server.close()
            _ = try NamedPipeStream(adopting: try pair.client.detach())
        }
    },
    Test("an end that reads messages reads bytes, too, and leaves the rest") { () throws(IPCError) in
        let pair = try connectedByMessages()
        for message in ["abc", "", "de\n", "fg"] { try pair.client.sendMessage(Array(message.utf8)) }
        checkEqual(try pair.server.read(upTo: 2, timeout: .seconds(5)), Array("ab".utf8))
        checkThrows(.busy) { () throws(IPCError) in try pair.server.detach() }
        let found = try pair.server.peek()
        checkEqual(found.available, 6)
        checkEqual(found.nextMessage, 1)
        checkEqual(try pair.server.receiveMessage(), Array("c".utf8))
        checkEqual(try pair.server.receiveMessage(), [])
        checkEqual(try pair.server.readLine(), "de")
        let server = try NamedPipeStream(adopting: try pair.server.detach())
        checkEqual(try server.receiveMessage(), Array("fg".utf8))
        checkThrows(.timedOut) { () throws(IPCError) in try server.read(upTo: 1, timeout: .milliseconds(20)) }
        let reading = Background { () throws(IPCError) in try server.read(upTo: 1) }
        awaitCalls(1, on: server)
        try pair.client.sendMessage([])
        try pair.client.sendMessage([8])
        checkEqual(try reading.value(), [8])
        let waiting = Background { () throws(IPCError) in _ = try server.read(upTo: 1) }
        awaitCalls(1, on: server)
        server.close()
        checkThrows(.closed) { () throws(IPCError) in try waiting.value() }
    },
    Test("a message whose sender takes back the rest is none") { () throws(IPCError) in
        let pair = try connectedByMessages()
        let copy = try pair.client.duplicate()
        let sending = Background { () throws(IPCError) in try pair.client.sendMessage(pattern(1 << 20)) }
        checkEqual(try pair.server.read(upTo: 10), Array(pattern(10)))
        pair.client.close()
        checkThrows(.closed) { () throws(IPCError) in try sending.value() }
        checkThrows(.timedOut) { () throws(IPCError) in
            try pair.server.receiveMessage(timeout: .milliseconds(50))
        }
        try copy.sendMessage([9])
        checkEqual(try pair.server.receiveMessage(), [9])
    },
    Test("an end that reads bytes receives no messages") { () throws(IPCError) in
        let pair = try connected()
        checkThrows(.invalidArgument) { () throws(IPCError) in try pair.server.receiveMessage() }
    },
]
