// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess
internal import CWindowsTests

/// Both kinds of names, of which nobody else has one.
private func names() throws(IPCError) -> [LocalSocketName] {
    [
        try .namespaced("interprocess-test-\(cip_random())"), try .path(uniquePath()),
        try .namedPipe("interprocess-test-\(cip_random())"),
    ]
}

/// Both ends of a connection.
private struct Sockets: Sendable {
    let server: LocalSocketStream
    let client: LocalSocketStream

    init(_ name: LocalSocketName) throws(IPCError) {
        let listener = try LocalSocketListener(name)
        client = try LocalSocketStream.connect(to: name)
        server = try listener.accept()
    }
}

/// Sends a line and receives one at the same time, twice, the second time with another end.
private func converse(_ stream: LocalSocketStream, _ own: String, _ others: String) throws(IPCError) {
    checkEqual(Int64(try stream.peerCredentials().processID ?? 0), wt_own_process_id())
    stream.setNonblocking(true)
    stream.setNonblocking(false)
    for end in ["\n", "\0"] {
        let sending = Background { () throws(IPCError) in try stream.writeAll(own + end) }
        let expected = Array((others + end).utf8)
        checkEqual(try stream.readExactly(expected.count), expected)
        try sending.value()
    }
}

let localSocketTests = [
    Test("a local socket serves 80 clients, 6 at a time") { () throws(IPCError) in
        for name in try names() {
            let listener = try LocalSocketListener(name)
            let clients = Background { () throws(IPCError) in
                for _ in 0..<80 / 6 + 1 {
                    let batch = (0..<6).map { _ in
                        Background { () throws(IPCError) in
                            let stream = try LocalSocketStream.connect(to: name)
                            try converse(stream, "Message from client!", "Message from server!")
                        }
                    }
                    for client in batch { try client.value() }
                }
            }
            var served = 0
            for client in listener.incoming {
                try converse(try client.get(), "Message from server!", "Message from client!")
                served += 1
                if served == 6 * (80 / 6 + 1) { break }
            }
            try clients.value()
            listener.close()
            checkThrows(.notFound) { () throws(IPCError) in try LocalSocketStream.connect(to: name) }
        }
    },
    Test("a local socket without a server") { () throws(IPCError) in
        for name in try names() {
            checkThrows(.notFound) { () throws(IPCError) in try LocalSocketStream.connect(to: name) }
            var options = LocalSocketStream.ConnectOptions()
            options.waitsForServer = true
            options.wait = .timeout(.milliseconds(100))
            checkThrows(.timedOut) { () throws(IPCError) in
                try LocalSocketStream.connect(to: name, options: options)
            }
            options.wait = .unbounded
            let waiting = Background { [options] () throws(IPCError) in
                try LocalSocketStream.connect(to: name, options: options)
            }
            for _ in 0..<20 { rest() }
            let listener = try LocalSocketListener(name)
            let server = try listener.accept()
            try waiting.value().writeAll("late\n")
            checkEqual(try server.readLine(), "late")
        }
    },
    Test("a local socket without a client") { () throws(IPCError) in
        for name in try names() {
            var options = LocalSocketListener.Options()
            options.nonblocking = .accept
            let listener = try LocalSocketListener(name, options: options)
            checkThrows(.wouldBlock) { () throws(IPCError) in try listener.accept() }
            listener.setNonblocking(.neither)
            checkThrows(.timedOut) { () throws(IPCError) in try listener.accept(timeout: .milliseconds(50)) }
            let accepting = Background { () throws(IPCError) in try listener.accept() }
            awaitCalls(1, on: listener)
            listener.close()
            checkThrows(.closed) { () throws(IPCError) in try accepting.value() }
        }
    },
    Test("a name that is taken") { () throws(IPCError) in
        let name = try names()[0]
        let listener = try LocalSocketListener(name)
        do throws(IPCError) {
            _ = try LocalSocketListener(name)
            isNotExecuted("the first instance is the first")
        } catch {
            check(error.code == .addressInUse, error.description)
        }
        listener.close()
        _ = try LocalSocketListener(name)
    },
    Test("names mean pipes") { () throws(IPCError) in
        let spaced = try LocalSocketName.namespaced("a b")
        checkEqual(spaced.description as String?, #"\\.\pipe\a b"#)
        check(spaced.isPath && spaced.isNamespaced, "it is both")
        check(try spaced == .path(#"\\.\pipe\a b"#), "the same pipe")
        checkThrows(.invalidName) { () throws(IPCError) in try LocalSocketName.path(#"C:\x.sock"#) }
        checkThrows(.invalidName) { () throws(IPCError) in try LocalSocketName.namespaced("") }
        checkThrows(.nameTooLong) { () throws(IPCError) in
            try LocalSocketName.namespaced(String(repeating: "x", count: 300))
        }
    },
    Test("halves of a local socket, and streams of halves") { () throws(IPCError) in
        let pair = try Sockets(try names()[0])
        let (receiver, sender) = try pair.client.split()
        let echo = Background { () throws(IPCError) in
            while let line = try pair.server.readLine() { try pair.server.writeAll(line + "\n") }
        }
        try sender.writeAll("x\n")
        checkEqual(try receiver.readLine(), "x")
        let other = try Sockets(try names()[0])
        let (_, foreign) = try other.client.split()
        checkThrows(.invalidArgument) { () throws(IPCError) in try LocalSocketStream.reunite(receiver, foreign) }
        try LocalSocketStream.reunite(receiver, sender).close()
        pair.client.close()
        try echo.value()
    },
    Test("a pair, timeouts, a full buffer, and what was read ahead") { () throws(IPCError) in
        let (one, other) = try LocalSocketStream.pair()
        checkThrows(.timedOut) { () throws(IPCError) in try one.read(upTo: 1, timeout: .milliseconds(50)) }
        one.setNonblocking(true)
        checkThrows(.wouldBlock) { () throws(IPCError) in try one.read(upTo: 1) }
        var sent = 0
        do throws(IPCError) {
            while true { sent += try one.write(pattern(10_000)) }
        } catch {
            check(error.code == .wouldBlock, error.description)
        }
        let bytes = try other.readExactly(sent)
        checkEqual(Array(bytes.suffix(10_000)), pattern(10_000))
        try other.writeAll("1\n2\n3")
        one.setNonblocking(false)
        checkEqual(try one.readLine(), "1")
        checkEqual(one.takeBuffered(), Array("2\n3".utf8))
        other.close()
        checkEqual(try one.read(upTo: 1), [])
        checkThrows(.brokenPipe) { () throws(IPCError) in try one.writeAll("x") }
    },
    Test("closing ends what waits on a local socket") { () throws(IPCError) in
        let pair = try Sockets(try names()[0])
        let reading = Background { () throws(IPCError) in try pair.client.read(upTo: 1) }
        let writing = Background { () throws(IPCError) in try pair.client.writeAll(pattern(1 << 20)) }
        awaitCalls(2, on: pair.client)
        for _ in 0..<20 { rest() }
        pair.client.close()
        checkThrows(.closed) { () throws(IPCError) in try reading.value() }
        checkThrows(.closed) { () throws(IPCError) in try writing.value() }
    },
]

let unnamedPipeTests = [
    Test("what was sent into an unnamed pipe outlives its sender") { () throws(IPCError) in
        let (sender, receiver) = try UnnamedPipe.create()
        let sending = Background { () throws(IPCError) in
            try sender.writeAll("a line\n")
            sender.close()
        }
        try sending.value()
        checkEqual(try receiver.readLine(), "a line")
        checkEqual(try receiver.read(upTo: 1), [])
        check(try receiver.readLine() == nil, "the end of the stream does not show")
    },
    Test("an unnamed pipe whose receiver has gone") { () throws(IPCError) in
        let (sender, receiver) = try UnnamedPipe.create()
        receiver.close()
        checkThrows(.brokenPipe) { () throws(IPCError) in try sender.writeAll("x") }
    },
    Test("an unnamed pipe holds as much as it says") { () throws(IPCError) in
        var options = UnnamedPipe.Options()
        options.bufferSize = 8192
        options.nonblocking = true
        let (sender, receiver) = try UnnamedPipe.create(options)
        checkThrows(.wouldBlock) { () throws(IPCError) in try receiver.read(upTo: 1) }
        var sent = 0
        do throws(IPCError) {
            while true { sent += try sender.write(pattern(1000)) }
        } catch {
            check(error.code == .wouldBlock, error.description)
        }
        check(sent >= 8000 && sent <= 10_000, "\(sent) bytes were sent")
        checkEqual(try receiver.readExactly(sent).count, sent)
        options.bufferSize = 0
        checkThrows(.invalidArgument) { () throws(IPCError) in _ = try UnnamedPipe.create(options) }
    },
    Test("an end of an unnamed pipe is given away, and adopted") { () throws(IPCError) in
        let (sender, receiver) = try UnnamedPipe.create()
        let adopted = try UnnamedPipeSender(adopting: try sender.detach())
        try adopted.writeAll("x")
        checkEqual(try receiver.readExactly(1), Array("x".utf8))
        checkThrows(.closed) { () throws(IPCError) in try sender.writeAll("x") }
        checkThrows(.timedOut) { () throws(IPCError) in try receiver.read(upTo: 1, timeout: .milliseconds(20)) }
        adopted.close()
        checkEqual(try receiver.read(upTo: 1), [])
    },
    Test("the ends of an unnamed pipe know its size") { () throws(IPCError) in
        var options = UnnamedPipe.Options()
        options.bufferSize = 8192
        let (sender, receiver) = try UnnamedPipe.create(options)
        checkEqual(try sender.bufferSize, 8192)
        receiver.close()
    },
    Test("pieces that are written without a limit of time are there when the call returns") { () throws(IPCError) in
        var options = UnnamedPipe.Options()
        options.bufferSize = 4096
        let (sender, receiver) = try UnnamedPipe.create(options)
        let bytes = pattern(100_000)
        let writing = Background { () throws(IPCError) in
            try unsafe bytes.span.bytes.withUnsafeBytes { (memory) throws(IPCError) -> Int in
                try unsafe sender.write(gathering: [memory])
            }
        }
        awaitCalls(1, on: sender)
        for _ in 0..<20 { rest() }
        check(!writing.isDone, "it did not wait")
        checkEqual(try receiver.readExactly(bytes.count), bytes)
        checkEqual(try writing.value(), bytes.count)
    },
]
