// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess
internal import CWindowsTests

// Talking to processes: to a program of another make (peer.c), and to this one once more.

let processTests = [
    Test("a client of another make sends and receives bytes") { () throws(IPCError) in
        let listener = try NamedPipeListener(uniquePath())
        let peer = startPeer("talk-bytes", listener.path)
        let stream = try listener.accept()
        checkEqual(try stream.readLine(), "hello")
        checkEqual(Int64(try stream.peerProcessID), wt_process_id(peer))
        try stream.writeAll("world\n")
        stream.close()
        checkEqual(wt_wait(peer), 0)
    },
    Test("a server of another make sends and receives bytes") { () throws(IPCError) in
        try withServingPeer("serve-bytes") { (path, peer) throws(IPCError) in
            let stream = try NamedPipeStream.connect(to: path)
            checkEqual(Int64(try stream.peerProcessID), wt_process_id(peer))
            try stream.writeAll("hello\n")
            checkEqual(try stream.readLine(), "world")
            try stream.writeAll("bye\n")
            check(try stream.readLine() == nil, "the end of the stream does not show")
        }
    },
    Test("a client of another make sends and receives messages") { () throws(IPCError) in
        var options = NamedPipeListener.Options()
        options.mode = .messages
        let listener = try NamedPipeListener(uniquePath(), options: options)
        let peer = startPeer("talk-messages", listener.path)
        let stream = try listener.accept()
        for count in [0, 10, 1 << 20] {
            let message = try stream.receiveMessage()
            checkEqual(message?.count ?? -1, count)
            try stream.sendMessage(message ?? [])
        }
        check(try stream.receiveMessage() == nil, "the end of the stream does not show")
        checkEqual(wt_wait(peer), 0)
    },
    Test("a server of another make sends and receives messages") { () throws(IPCError) in
        try withServingPeer("serve-messages") { (path, _) throws(IPCError) in
            var options = NamedPipeStream.ConnectOptions()
            options.receiveMode = .messages
            let stream = try NamedPipeStream.connect(to: path, options: options)
            for message in [[], pattern(10), pattern(1 << 20)] {
                try stream.sendMessage(message)
                checkEqual(try stream.receiveMessage(), message)
            }
        }
    },
    Test("what a process wrote comes after it has ended") { () throws(IPCError) in
        for isOfOtherMake in [true, false] {
            let listener = try NamedPipeListener(uniquePath())
            let process =
                isOfOtherMake
                ? startPeer("write-and-end", listener.path) : start("tests.exe", "write-and-end " + listener.path)
            checkEqual(wt_wait(process), 0)
            checkEqual(try listener.accept().readToEnd(), Array("last words".utf8))
        }
    },
    Test("a process inherits what it is meant to, and nothing else") { () throws(IPCError) in
        for isInheritable in [true, false] {
            let pair = try connected()
            if isInheritable { try pair.client.setInheritable(true) }
            let handle = try pair.client.withUnsafeDescriptor { $0 }
            let peer = startPeer("inherit", "\(handle)")
            check((wt_wait(peer) == 0) == isInheritable, "the handle was \(isInheritable ? "not " : "")inherited")
            pair.client.close()
            checkEqual(try pair.server.readToEnd(), isInheritable ? Array("inherited\n".utf8) : [])
        }
    },
    Test("all ends of a pipe can be made to be inherited") { () throws(IPCError) in
        var options = NamedPipeListener.Options()
        options.inheritable = true
        let pair = try connected(options)
        let handle = try pair.server.withUnsafeDescriptor { $0 }
        checkEqual(wt_wait(startPeer("inherit", "\(handle)")), 0)
        checkEqual(try pair.client.readLine(), "inherited")
    },
    Test("an adopted handle is inherited no longer") { () throws(IPCError) in
        let pair = try connected()
        try pair.client.setInheritable(true)
        let client = try NamedPipeStream(adopting: try pair.client.detach())
        let handle = try client.withUnsafeDescriptor { $0 }
        check(wt_wait(startPeer("inherit", "\(handle)")) != 0, "the handle was inherited")
    },
    Test("an end is shared with a process that runs") { () throws(IPCError) in
        let pair = try connected()
        let listener = try NamedPipeListener(uniquePath())
        let peer = startPeer("be-given", listener.path)
        let control = try listener.accept()
        try control.writeAll("\(try pair.client.share(withProcess: peer))")
        pair.client.close()
        checkEqual(try pair.server.readToEnd(), Array("given\n".utf8))
        checkEqual(wt_wait(peer), 0)
    },
]

/// This program once more: it writes, and ends at once.
func writeAndEnd(_ path: String) {
    do throws(IPCError) {
        let stream = try NamedPipeStream.connect(to: path)
        try stream.writeAll("last words")
        wt_exit(0)
    } catch {
        wt_exit(1)
    }
}

/// Has a program of another make listen, and waits until it does.
private func withServingPeer(
    _ role: String,
    _ body: (_ path: String, _ peer: Int64) throws(IPCError) -> Void
) throws(IPCError) {
    let ready = try NamedPipeListener(uniquePath())
    let path = uniquePath()
    let peer = startPeer(role, path, ready.path)
    _ = try ready.accept()
    try body(path, peer)
    checkEqual(wt_wait(peer), 0)
}
