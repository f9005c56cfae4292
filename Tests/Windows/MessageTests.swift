// SPDX-License-Identifier: MIT OR Apache-2.0

let messageTests = [
    Test("messages of any length keep their bounds") { () throws(IPCError) in
        let pair = try connectedByMessages()
        let messages = [[], Array("ten bytes!".utf8), [], pattern(5000), pattern(1 << 20), [7]]
        let sending = Background { () throws(IPCError) in
            for message in messages { try pair.client.sendMessage(message) }
            pair.client.close()
        }
        for message in messages { checkEqual(try pair.server.receiveMessage(), message) }
        check(try pair.server.receiveMessage() == nil, "the end of the stream does not show")
        try sending.value()
    },
    Test("a message that is too long is thrown away, and the next one is whole") { () throws(IPCError) in
        let pair = try connectedByMessages()
        for (length, limit) in [(11, 10), (5000, 4096), (5000, 0), (100_000, 99_999), (1 << 20, 5000)] {
            let sending = Background { () throws(IPCError) in
                try pair.server.sendMessage(pattern(length))
                try pair.server.sendMessage(Array("next".utf8))
            }
            let error = checkThrows(.messageTooLarge) { () throws(IPCError) in
                try pair.client.receiveMessage(limit: limit)
            }
            checkEqual(error?.bytesTransferred ?? -1, length)
            checkEqual(try pair.client.receiveMessage(limit: 4), Array("next".utf8))
            try sending.value()
        }
        try pair.server.sendMessage([])
        checkEqual(try pair.client.receiveMessage(limit: 0), [])
    },
    Test("messages under a time limit, and without waiting, come whole as well") { () throws(IPCError) in
        let pair = try connectedByMessages()
        for message in [[], pattern(10), pattern(1 << 20)] {
            try pair.client.sendMessage(message, timeout: .seconds(10))
            checkEqual(try pair.server.receiveMessage(timeout: .seconds(10)), message)
            pair.client.setNonblocking(true)
            try pair.client.sendMessage(message)
            pair.client.setNonblocking(false)
            checkEqual(try pair.server.receiveMessage(), message)
        }
    },
    Test("to look at a message does not take it") { () throws(IPCError) in
        let pair = try connectedByMessages()
        checkEqual(try pair.server.peek().available, 0)
        try pair.client.sendMessage(pattern(10))
        try pair.client.sendMessage(pattern(20))
        for _ in 1...2 {
            let found = try pair.server.peek()
            checkEqual(found.available, 30)
            checkEqual(found.nextMessage, 10)
        }
        checkEqual(try pair.server.receiveMessage(), pattern(10))
        checkEqual(try pair.server.peek().nextMessage, 20)
    },
    Test("a pipe of messages is read as bytes, where an empty message is not the end") { () throws(IPCError) in
        var options = NamedPipeListener.Options()
        options.mode = .messages
        options.receiveMode = .bytes
        let pair = try connected(options)
        for (sender, receiver) in [(pair.client, pair.server), (pair.server, pair.client)] {
            for message in ["ab", "", "cd\n", "", ""] { try sender.sendMessage(Array(message.utf8)) }
            try sender.sendMessage(Array("ef".utf8))
            checkEqual(try receiver.read(upTo: 1), Array("a".utf8))
            checkEqual(try receiver.readLine(timeout: .seconds(5)), "bcd")
            checkEqual(try receiver.readExactly(2), Array("ef".utf8))
            try sender.sendMessage([])
            checkThrows(.timedOut) { () throws(IPCError) in
                try receiver.read(upTo: 1, timeout: .milliseconds(20))
            }
            let reading = Background { () throws(IPCError) in try receiver.read(upTo: 2) }
            awaitCalls(1, on: receiver)
            try sender.sendMessage([])
            try sender.sendMessage(Array("gh".utf8))
            checkEqual(try reading.value(), Array("gh".utf8))
        }
    },
    Test("bytes cannot be read as messages") { () throws(IPCError) in
        var options = NamedPipeListener.Options()
        options.receiveMode = .messages
        checkThrows(.invalidArgument) { () throws(IPCError) in
            try NamedPipeListener(uniquePath(), options: options)
        }
        let listener = try NamedPipeListener(uniquePath())
        var clientOptions = NamedPipeStream.ConnectOptions()
        clientOptions.receiveMode = .messages
        checkThrows(.invalidArgument) { () throws(IPCError) in
            try NamedPipeStream.connect(to: listener.path, options: clientOptions)
        }
    },
    Test("threads that receive messages take turns, and none is torn") { () throws(IPCError) in
        let pair = try connectedByMessages()
        let receivers = (1...4).map { _ in
            Background { () throws(IPCError) in
                var count = 0
                while let message = try pair.server.receiveMessage() {
                    check(message == [UInt8](repeating: message[0], count: 3000), "a message was torn")
                    count += 1
                }
                return count
            }
        }
        for number in 0..<200 { try pair.client.sendMessage([UInt8](repeating: UInt8(number), count: 3000)) }
        pair.client.close()
        var count = 0
        for receiver in receivers { count += try receiver.value() }
        checkEqual(count, 200)
    },
]
