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
    Test("a descriptor of many rights comes whole") { () throws(IPCError) in
        for count in [1, 17, 18, 200] {
            let sddl = "O:BAG:SYD:P" + String(repeating: "(A;;GA;;;WD)", count: count)
            let descriptor = try SecurityDescriptor(sddl: sddl)
            checkEqual(descriptor.sddl.utf8.count { $0 == UInt8(ascii: "(") }, count)
            check(try SecurityDescriptor(sddl: descriptor.sddl) == descriptor, "it has changed: \(count) entries")
        }
    },
    // What reads the text is the system: here are how much room it gets, its errors, and what becomes of what it takes.
    Test("made-up texts are refused, or come back as they are") { () throws(IPCError) in
        let pieces = [
            "O:", "G:", "D:", "D:P", "BA", "SY", "AU", "S-1-5-21-1-2-3-1000", "(A;;GA;;;WD)", "(D;;GR;;;BA)",
            "(A;OICI;GA;;;SY)", "(A;;0x1f01ff;;;BA)", "(A;;GA", ";;;", ")", "S-1-", "x", "ä", " ",
        ]
        var (state, taken) = (UInt64(88_172_645_463_325_252), 0)
        func choice(_ limit: Int) -> Int {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Int(state % UInt64(limit))
        }
        for _ in 0..<4000 {
            var text = choice(2) == 0 ? "O:BAG:SYD:" : ""
            for _ in 0...choice(8) { text += pieces[choice(choice(2) == 0 ? pieces.count : 12)] }
            do throws(IPCError) {
                let descriptor = try SecurityDescriptor(sddl: text)
                let again = try SecurityDescriptor(sddl: descriptor.sddl)
                check(again.sddl.utf8.elementsEqual(descriptor.sddl.utf8), "it has changed: \(text)")
                taken += 1
            } catch {
                check(error.code == .invalidArgument, "\(text): \(error.description)")
            }
        }
        check(taken > 100, "\(taken) texts were taken")
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
]
