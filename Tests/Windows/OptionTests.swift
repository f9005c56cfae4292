// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess
internal import CWindowsTests

// What the options come to, and what Wine does not enforce: the flags are looked at, and Windows' answer is given in its place.

let optionTests = [
    Test("pipes are made as the options say") { () throws(IPCError) in
        let plain = try creation(NamedPipeListener.Options())
        // Overlapped, both ways; bytes, no remote clients; any number of them.
        checkEqual(plain.open, 0x4000_0003)
        checkEqual(plain.mode, 8)
        checkEqual(plain.instance_limit, 255)
        checkEqual(plain.send_buffer, 65_536)
        checkEqual(plain.receive_buffer, 65_536)
        checkEqual(plain.default_wait, 0)
        check(!plain.is_inheritable, "it is inherited")
        var options = NamedPipeListener.Options()
        options.direction = .clientToServer
        options.mode = .messages
        options.writeThrough = true
        options.acceptsRemoteClients = true
        options.instanceLimit = 7
        options.sendBufferSize = 1
        options.receiveBufferSize = 2
        options.defaultWait = .milliseconds(300)
        options.inheritable = true
        let special = try creation(options)
        checkEqual(special.open, 0xC000_0001)
        checkEqual(special.mode, 6)
        checkEqual(special.instance_limit, 7)
        checkEqual(special.send_buffer, 1)
        checkEqual(special.receive_buffer, 2)
        checkEqual(special.default_wait, 300)
        check(special.is_inheritable, "it is not inherited")
    },
    Test("the system's codes have their meaning") { () throws(IPCError) in
        let meanings: [(Int64, IPCError.Code)] = [
            (2, .notFound), (5, .permissionDenied), (6, .invalidArgument), (8, .resourcesExhausted),
            (109, .brokenPipe), (121, .timedOut), (206, .nameTooLong), (231, .busy), (232, .brokenPipe),
            (233, .notConnected), (234, .messageTooLarge), (258, .wouldBlock), (1368, .permissionDenied),
            (9999, .system),
        ]
        for (code, meaning) in meanings { checkThrows(meaning) { () throws(IPCError) in throw failure(code) } }
        check(
            contains(failure(231).description, "ERROR_PIPE_BUSY, 231"),
            "it is not named: \(failure(231).description)"
        )
    },
    Test("options that contradict each other are refused") { () throws(IPCError) in
        var options = (1...5).map { _ in NamedPipeListener.Options() }
        options[0].instanceLimit = 0
        options[1].instanceLimit = 255
        options[2].idleInstances = 0
        options[3].idleInstances = 33
        options[4].sendBufferSize = -1
        for option in options {
            checkThrows(.invalidArgument) { () throws(IPCError) in
                try NamedPipeListener(uniquePath(), options: option)
            }
        }
    },
    Test("a name that somebody has is not shared") { () throws(IPCError) in
        // Wine lets it be, so that the flag is looked at, and Windows' answer is given in its place, too.
        let listener = try NamedPipeListener(uniquePath())
        checkEqual(wt_first_creation().open & 0x0008_0000, 0x0008_0000)
        checkEqual(wt_last_creation().open & 0x0008_0000, 0)
        wt_fail_creations(1, 5)
        checkThrows(.permissionDenied) { () throws(IPCError) in try NamedPipeListener(listener.path) }
        wt_fail_creations(1000, 231)
        checkThrows(.busy) { () throws(IPCError) in try NamedPipeListener(listener.path) }
        wt_fail_creations(0, 0)
        do throws(IPCError) {
            _ = try NamedPipeListener(listener.path)
            isNotExecuted("the first instance is the first")
        } catch {
            check(error.code == .permissionDenied, error.description)
        }
    },
    Test("at the limit of instances, accepting waits for one to go") { () throws(IPCError) in
        wt_fail_creations(0, 0)
        var options = NamedPipeListener.Options()
        options.instanceLimit = 1
        options.idleInstances = 1
        let listener = try NamedPipeListener(uniquePath(), options: options)
        checkEqual(wt_last_creation().instance_limit, 1)
        let address = try PipeAddress(path: Array(listener.path.utf8))
        let another = unsafe options.withSystemOptions(isFirst: false) {
            unsafe cip_named_pipe_create(address.units, $0)
        }
        if another >= 0 {
            _ = cip_close(another)
            isNotExecuted("the system keeps to the limit of instances")
        } else {
            checkEqual(another, -231)
        }
        wt_fail_creations(1_000_000, 231)
        let first = try NamedPipeStream.connect(to: listener.path)
        let server = try listener.accept()
        checkThrows(.timedOut) { () throws(IPCError) in try listener.accept(timeout: .milliseconds(50)) }
        listener.setNonblocking(true)
        checkThrows(.wouldBlock) { () throws(IPCError) in try listener.accept() }
        listener.setNonblocking(false)
        let accepting = Background { () throws(IPCError) in try listener.accept() }
        server.close()
        first.close()
        wt_fail_creations(0, 0)
        let second = try connectWhenThere(listener.path)
        let stream = try accepting.value()
        try second.writeAll("hello\n")
        checkEqual(try stream.readLine(), "hello")
    },
]

private func failure(_ code: Int64) -> IPCError { IPCError(result: -code, .connect, name: nil) }

/// How the last instance of a listener was made.
private func creation(_ options: NamedPipeListener.Options) throws(IPCError) -> wt_creation {
    _ = try NamedPipeListener(uniquePath(), options: options)
    return wt_last_creation()
}
