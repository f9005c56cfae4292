// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess
internal import CWindowsTests

let streamTests = [
    Test("the server's peer is the client, and the client's the server") { () throws(IPCError) in
        let pair = try connected()
        checkEqual(Int64(try pair.server.peerProcessID), wt_own_process_id())
        checkEqual(Int64(try pair.client.peerProcessID), wt_own_process_id())
        checkEqual(try pair.server.peerSessionID, try pair.client.peerSessionID)
        check(pair.server.isServer && !pair.client.isServer, "the ends do not know which they are")
    },
    Test("lines go both ways") { () throws(IPCError) in
        let pair = try connected()
        try pair.client.writeAll("hello\r\nwor")
        checkEqual(try pair.server.readLine(), "hello")
        try pair.server.writeAll("one\ntwo\n")
        checkEqual(try pair.client.readLine(), "one")
        checkEqual(try pair.client.readLine(), "two")
        try pair.client.writeAll("ld")
        pair.client.close()
        checkEqual(try pair.server.readLine(), "world")
        check(try pair.server.readLine() == nil, "the end of the stream does not show")
    },
    Test("two threads read and write one stream at once, all buffers full") { () throws(IPCError) in
        var options = NamedPipeListener.Options()
        options.receiveBufferSize = 512
        options.sendBufferSize = 512
        try talkBothWays(try connected(options), pattern(1 << 20))
        try talkBothWays(try connected(), pattern(4 << 20))
    },
    Test("what was written before closing comes, and then the end") { () throws(IPCError) in
        let bytes = pattern(40_000)
        let pair = try connected()
        try pair.server.writeAll(bytes)
        pair.server.close()
        checkEqual(try pair.client.readToEnd(), bytes)
        checkEqual(try pair.client.read(upTo: 1), [])
        let other = try connected()
        try other.client.writeAll(bytes)
        other.client.close()
        checkEqual(try other.server.readExactly(bytes.count), bytes)
        checkEqual(try other.server.read(upTo: 1), [])
    },
    Test("writing to a peer that has left is a broken pipe") { () throws(IPCError) in
        let pair = try connected()
        pair.client.close()
        checkThrows(.brokenPipe) { () throws(IPCError) in try pair.server.writeAll("x") }
        checkThrows(.brokenPipe) { () throws(IPCError) in try pair.server.writeAll("x", timeout: .seconds(1)) }
        checkThrows(.brokenPipe) { () throws(IPCError) in try pair.server.peek() }
    },
    Test("pieces of memory are filled and sent in their order") { () throws(IPCError) in
        let pair = try connected()
        let (first, second) = (pattern(1000), pattern(3000))
        let sent = try unsafe first.span.bytes.withUnsafeBytes { (one) throws(IPCError) -> Int in
            try unsafe second.span.bytes.withUnsafeBytes { (two) throws(IPCError) -> Int in
                try unsafe pair.client.write(gathering: [one, two])
            }
        }
        pair.client.close()
        checkEqual(try pair.server.readToEnd(), Array((first + second).prefix(sent)))
    },
    Test("a duplicate is the same end, open until both are closed") { () throws(IPCError) in
        let pair = try connected()
        let copy = try pair.server.duplicate()
        try copy.writeAll("one\n")
        pair.server.close()
        try copy.writeAll("two\n")
        checkEqual(try pair.client.readLine(), "one")
        checkEqual(try pair.client.readLine(), "two")
        try pair.client.writeAll("three\n")
        checkEqual(try copy.readLine(), "three")
        copy.close()
        check(try pair.client.readLine() == nil, "the end of the stream does not show")
    },
    Test("a handle is given away, and adopted") { () throws(IPCError) in
        let pair = try connected()
        let client = try NamedPipeStream(adopting: try pair.client.detach())
        checkThrows(.closed) { () throws(IPCError) in try pair.client.writeAll("x") }
        let server = try NamedPipeStream(adopting: try pair.server.detach())
        check(server.isServer && !client.isServer, "the ends do not know which they are")
        try client.writeAll("hello\n")
        checkEqual(try server.readLine(), "hello")
    },
    Test("bytes that were read ahead are not given away by mistake") { () throws(IPCError) in
        let pair = try connected()
        try pair.client.writeAll("one\ntwo\n")
        checkEqual(try pair.server.readLine(), "one")
        checkThrows(.busy) { () throws(IPCError) in try pair.server.detach() }
        checkEqual(pair.server.takeBuffered(), Array("two\n".utf8))
        _ = try NamedPipeStream(adopting: try pair.server.detach())
    },
    Test("what is no pipe is not adopted") { () throws(IPCError) in
        let wake = cip_wake_create()
        checkThrows(.invalidArgument) { () throws(IPCError) in try NamedPipeStream(adopting: wake) }
        cip_wake_destroy(wake)
        let file = wt_open_own_program()
        checkThrows(.invalidArgument) { () throws(IPCError) in try NamedPipeStream(adopting: file) }
        _ = cip_close(file)
    },
    Test("a pipe that knows no overlapped operations is not adopted, and stays as it was") { () throws(IPCError) in
        var (receiver, sender): (Int64, Int64) = (-1, -1)
        check(unsafe wt_make_synchronous_pipe(&receiver, &sender), "no pipe was made")
        for end in [receiver, sender] {
            checkThrows(.invalidArgument) { () throws(IPCError) in try NamedPipeStream(adopting: end) }
        }
        checkThrows(.invalidArgument) { () throws(IPCError) in try UnnamedPipeReceiver(adopting: receiver) }
        checkEqual(cip_close(receiver), 0)
        checkEqual(cip_close(sender), 0)
    },
    Test("the peer has read everything") { () throws(IPCError) in
        let pair = try connected()
        try pair.server.writeAll("hello\n")
        let flushing = Background { () throws(IPCError) in try pair.server.waitUntilRead() }
        awaitCalls(1, on: pair.server)
        checkEqual(try pair.client.readLine(), "hello")
        try flushing.value()
        pair.client.close()
        try pair.server.waitUntilRead()
    },
]

/// Both ends send the same while they receive it.
func talkBothWays(_ pair: Connected, _ bytes: [UInt8]) throws(IPCError) {
    let writers = [pair.server, pair.client].map { stream in
        Background { () throws(IPCError) in try stream.writeAll(bytes) }
    }
    let readers = [pair.server, pair.client].map { stream in
        Background { () throws(IPCError) in try stream.readExactly(bytes.count) }
    }
    for writer in writers { try writer.value() }
    for reader in readers { checkEqual(try reader.value(), bytes) }
}
