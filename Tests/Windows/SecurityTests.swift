// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess
internal import CWindowsTests

let securityTests = [
    Test("descriptors and their texts are the same") { () throws(IPCError) in
        for sddl in [
            "D:P(A;;GA;;;WD)", "O:BAG:SYD:P(A;;GA;;;AU)(D;;GR;;;BA)", "O:S-1-5-21-1-2-3-1000G:BA", "D:(A;;FR;;;WD)",
        ] {
            let descriptor = try SecurityDescriptor(sddl: sddl)
            let again = try SecurityDescriptor(sddl: descriptor.sddl)
            check(descriptor == again, "it has changed: \(descriptor.sddl)")
            check(contains(descriptor.sddl, "D:") == contains(sddl, "D:"), "its list of rights: \(descriptor.sddl)")
        }
        // Owner and group are two.
        let both = try SecurityDescriptor(sddl: "O:BAG:SYD:")
        check(contains(both.sddl, "O:BA") && contains(both.sddl, "G:SY"), "owner and group: \(both.sddl)")
    },
    Test("no list of rights, an empty one, and a null one are three") { () throws(IPCError) in
        let (none, empty) = (try SecurityDescriptor(sddl: "O:BA"), try SecurityDescriptor(sddl: "O:BAD:"))
        check(none != empty, "none and an empty one are the same")
        check(!contains(none.sddl, "D:") && contains(empty.sddl, "D:"), "\(none.sddl), \(empty.sddl)")
        let null = try SecurityDescriptor(sddl: "O:BAD:NO_ACCESS_CONTROL")
        // Wine does not know this word, and takes it for an empty list.
        if null == empty { return isNotExecuted("a null list of rights in SDDL") }
        check(null != none, "none and a null one are the same")
        check(contains(null.sddl, "NO_ACCESS_CONTROL"), "the null one is lost: \(null.sddl)")
    },
    Test("what is no text of a descriptor is not taken") { () throws(IPCError) in
        for sddl in ["nonsense", "D:(A;;GA;;;", "D:P(A;;GA;;;NOBODY)", "X:"] {
            checkThrows(.invalidArgument) { () throws(IPCError) in try SecurityDescriptor(sddl: sddl) }
        }
    },
    Test("everyone whom a descriptor names can connect") { () throws(IPCError) in
        let descriptors = [
            try SecurityDescriptor.currentUser(), try .authenticatedUsers(), try .everyone(),
            try SecurityDescriptor(sddl: "O:BAG:BAD:P(A;;GA;;;WD)"),
        ]
        for descriptor in descriptors {
            var options = NamedPipeListener.Options()
            options.securityDescriptor = descriptor
            let pair = try connected(options)
            let found = try SecurityDescriptor(of: pair.server)
            check(contains(found.sddl, "D:"), "the pipe has no list of rights: \(found.sddl)")
        }
        check(contains(try SecurityDescriptor.administrators().sddl, "BA"), "administrators are not named")
    },
    Test("by default the current user alone has rights") { () throws(IPCError) in
        let pair = try connected()
        let found = try SecurityDescriptor(of: pair.server).sddl
        let user = try SecurityDescriptor.currentUser().sddl
        checkEqual(found.utf8.count { $0 == UInt8(ascii: "(") }, 1)
        // The right to all things is spelled out for a pipe.
        let name = user.utf8.split(separator: UInt8(ascii: ";")).last.map { String(decoding: Array($0), as: UTF8.self) }
        check(contains(found, name ?? "nobody"), "\(found) is not \(user)")
    },
    Test("a descriptor that gives nobody rights keeps clients out") { () throws(IPCError) in
        var options = NamedPipeListener.Options()
        options.securityDescriptor = try SecurityDescriptor(sddl: "D:P")
        let listener = try NamedPipeListener(uniquePath(), options: options)
        do throws(IPCError) {
            _ = try NamedPipeStream.connect(to: listener.path)
            // Wine does not look at a pipe's rights when a client opens it.
            isNotExecuted("access is refused to those who have no rights")
        } catch {
            check(error.code == .permissionDenied, error.description)
        }
    },
    Test("a direction that the pipe does not have is refused") { () throws(IPCError) in
        for (server, client) in [
            (NamedPipeDirection.clientToServer, NamedPipeDirection.duplex), (.clientToServer, .serverToClient),
            (.serverToClient, .duplex), (.serverToClient, .clientToServer),
        ] {
            var options = NamedPipeListener.Options()
            options.direction = server
            var clientOptions = NamedPipeStream.ConnectOptions()
            clientOptions.direction = client
            checkThrows(.permissionDenied) { () throws(IPCError) in try connected(options, clientOptions) }
        }
        var options = NamedPipeListener.Options()
        options.direction = .clientToServer
        var clientOptions = NamedPipeStream.ConnectOptions()
        clientOptions.direction = .clientToServer
        let pair = try connected(options, clientOptions)
        checkThrows(.permissionDenied) { () throws(IPCError) in try pair.server.writeAll("x") }
        checkThrows(.permissionDenied) { () throws(IPCError) in try pair.client.read(upTo: 1) }
        checkThrows(.permissionDenied) { () throws(IPCError) in
            try pair.client.read(upTo: 1, timeout: .milliseconds(20))
        }
    },
    Test("a server acts as its client as long as it says") { () throws(IPCError) in
        var clientOptions = NamedPipeStream.ConnectOptions()
        clientOptions.allows = .impersonation
        let pair = try connected(NamedPipeListener.Options(), clientOptions)
        try pair.client.writeAll("x")
        checkEqual(try pair.server.read(upTo: 1), Array("x".utf8))
        check(!wt_has_thread_token(), "the thread acts as somebody before")
        do throws(IPCError) {
            check(try pair.server.withClientsIdentity { wt_has_thread_token() }, "the thread acts as itself")
        } catch {
            isNotExecuted("acting as the client: \(error.description)")
        }
        check(!wt_has_thread_token(), "the thread acts as somebody afterwards")
    },
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
        // Wine lets it be, so that the flag is looked at, and Windows' answer is given in its place.
        let listener = try NamedPipeListener(uniquePath())
        checkEqual(wt_first_creation().open & 0x0008_0000, 0x0008_0000)
        checkEqual(wt_last_creation().open & 0x0008_0000, 0)
        wt_fail_creations(1, 5)
        checkThrows(.permissionDenied) { () throws(IPCError) in try NamedPipeListener(listener.path) }
        wt_fail_creations(1000, 231)
        checkThrows(.busy) { () throws(IPCError) in try NamedPipeListener(listener.path) }
        wt_fail_creations(0, 0)
        isNotExecuted("the first instance is the first")
    },
    Test("at the limit of instances, accepting waits for one to go") { () throws(IPCError) in
        // Wine lets one more be, so that Windows' answer is given in its place.
        wt_fail_creations(0, 0)
        var options = NamedPipeListener.Options()
        options.instanceLimit = 1
        options.idleInstances = 1
        let listener = try NamedPipeListener(uniquePath(), options: options)
        checkEqual(wt_last_creation().instance_limit, 1)
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
        isNotExecuted("the system keeps to the limit of instances")
    },
]

private func failure(_ code: Int64) -> IPCError { IPCError(result: -code, .connect, name: nil) }

/// How the last instance of a listener was made.
private func creation(_ options: NamedPipeListener.Options) throws(IPCError) -> wt_creation {
    _ = try NamedPipeListener(uniquePath(), options: options)
    return wt_last_creation()
}
