// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess

// What the event loop stands on: the loop itself needs Swift's concurrency, which is not there in Embedded Swift.

/// A poller, and what it has told last.
struct Poller: ~Copyable {
    private var poller = cip_poller()

    init() throws(IPCError) {
        let result = unsafe cip_poller_create(&poller)
        if result < 0 { throw IPCError(result: result, .wait, name: nil) }
    }

    deinit {
        var copy = poller
        unsafe cip_poller_destroy(&copy)
    }

    mutating func set(_ core: DescriptorCore, _ before: Int, _ now: Int, _ token: UInt64) {
        let result = unsafe cip_poller_set(
            &poller,
            core.waitable(.receive),
            core.waitable(.send),
            Int64(before),
            Int64(now),
            token
        )
        checkEqual(result, 0)
    }

    /// The tokens and kinds of the events that come within a time; none as well when it is woken.
    mutating func wait(_ limit: Duration) -> [(token: UInt64, ready: Int64)] {
        let deadline = Deadline(after: limit)
        _ = unsafe cip_poller_set_alarm(&poller, deadline.nanoseconds)
        while true {
            let events = take()
            let told = events.filter { $0.ready != Int64(CIP_ALARM) }
            // The alarm may be one that was set before.
            if !told.isEmpty || events.isEmpty || deadline.hasPassed { return told }
        }
    }

    private mutating func take() -> [(token: UInt64, ready: Int64)] {
        let events = [cip_event](capacity: Int(CIP_POLLER_CAPACITY)) { events in
            unsafe events.withUnsafeMutableBufferPointer { (memory, count) in
                count = Int(max(0, unsafe cip_poller_wait(&poller, memory.baseAddress.unsafelyUnwrapped, true)))
            }
        }
        return events.map { ($0.token, $0.ready) }
    }

    mutating func checkTells(_ token: UInt64, _ ready: Int, file: StaticString = #fileID, line: Int = #line) {
        // Twice, for it is told of as long as it is so.
        for _ in 0..<2 {
            let events = wait(.seconds(5))
            let right = events.count == 1 && events[0].token == token && events[0].ready == Int64(ready)
            check(right, "\(events.count) events", file: file, line: line)
        }
    }

    mutating func checkIsSilent(file: StaticString = #fileID, line: Int = #line) {
        // What was told is looked at once more.
        _ = wait(.milliseconds(20))
        check(wait(.milliseconds(20)).isEmpty, "an event", file: file, line: line)
    }

    var copy: cip_poller { poller }
}

private let watched = Int(CIP_WATCHED)
private let readable = Int(CIP_READABLE)
private let writable = Int(CIP_WRITABLE)

let pollerTests = [
    Test("a poller tells of clients, bytes, and the end") { () throws(IPCError) in
        var poller = try Poller()
        let name = try LocalSocketName.namespaced("interprocess-test-\(cip_random())")
        let listener = try LocalSocketListener(name)
        poller.set(listener.descriptorCore, 0, watched | readable, 7)
        poller.checkIsSilent()
        let client = try LocalSocketStream.connect(to: name)
        poller.checkTells(7, readable)
        let server = try listener.accept()
        poller.checkIsSilent()
        let token: UInt64 = 5 << 32 | 30
        poller.set(server.descriptorCore, 0, watched | readable, token)
        poller.checkIsSilent()
        try client.writeAll("hello")
        poller.checkTells(token, readable)
        checkEqual(try server.read(upTo: 10), Array("hello".utf8))
        poller.checkIsSilent()
        // What nobody wants is not told of.
        poller.set(server.descriptorCore, watched | readable, watched, token)
        try client.writeAll("again")
        poller.checkIsSilent()
        poller.set(server.descriptorCore, watched, watched | readable, token)
        poller.checkTells(token, readable)
        checkEqual(try server.read(upTo: 10), Array("again".utf8))
        client.close()
        poller.checkTells(token, readable)
        poller.set(server.descriptorCore, watched | readable, 0, token)
        poller.set(listener.descriptorCore, watched | readable, 0, 7)
        poller.checkIsSilent()
    },
    Test("a poller tells of room") { () throws(IPCError) in
        var poller = try Poller()
        let (one, other) = try LocalSocketStream.pair()
        poller.set(one.descriptorCore, 0, watched | writable, 1)
        poller.checkTells(1, writable)
        one.setNonblocking(true)
        var sent = 0
        do throws(IPCError) {
            while true { sent += try one.write(pattern(20_000)) }
        } catch {
            check(error.code == .wouldBlock, error.description)
        }
        poller.checkIsSilent()
        checkEqual(try other.readExactly(sent).count, sent)
        poller.checkTells(1, writable)
        poller.set(one.descriptorCore, watched | writable, 0, 1)
    },
    Test("a duplicate of what a poller knows is told of as well, and by another poller") { () throws(IPCError) in
        let (one, other) = try LocalSocketStream.pair()
        var poller = try Poller()
        var second = try Poller()
        poller.set(one.descriptorCore, 0, watched, 1)
        let copies = [try one.duplicate(), try one.duplicate()]
        poller.set(copies[0].descriptorCore, 0, watched | readable, 2)
        second.set(copies[1].descriptorCore, 0, watched | readable, 3)
        poller.checkIsSilent()
        second.checkIsSilent()
        for _ in 1...2 {
            try other.writeAll("x")
            poller.checkTells(2, readable)
            second.checkTells(3, readable)
            checkEqual(try copies[1].read(upTo: 2), Array("x".utf8))
            poller.checkIsSilent()
            second.checkIsSilent()
        }
        // What is given away and taken over is the same, too.
        second.set(copies[1].descriptorCore, watched | readable, 0, 3)
        let again = try LocalSocketStream(adopting: try copies[1].detach())
        second.set(again.descriptorCore, 0, watched | readable, 3)
        second.checkIsSilent()
        try other.writeAll("y")
        second.checkTells(3, readable)
        second.set(again.descriptorCore, watched | readable, 0, 3)
        poller.set(copies[0].descriptorCore, watched | readable, 0, 2)
        poller.set(one.descriptorCore, watched, 0, 1)
    },
    Test("blocking calls beside a poller are not told to it") { () throws(IPCError) in
        var poller = try Poller()
        let (one, other) = try LocalSocketStream.pair()
        poller.set(one.descriptorCore, 0, watched, 1)
        let reading = Background { () throws(IPCError) in try one.readExactly(100_000) }
        try other.writeAll(pattern(100_000))
        checkEqual(try reading.value(), pattern(100_000))
        let writing = Background { () throws(IPCError) in try one.writeAll(pattern(100_000)) }
        checkEqual(try other.readExactly(100_000), pattern(100_000))
        try writing.value()
        check(poller.wait(.milliseconds(20)).isEmpty, "an event")
        poller.set(one.descriptorCore, watched, 0, 1)
    },
    Test("a poller is woken by another thread") { () throws(IPCError) in
        var poller = try Poller()
        let copy = poller.copy
        let waking = Background { () throws(IPCError) in
            for _ in 0..<20 { rest() }
            var poller = copy
            checkEqual(unsafe cip_poller_wake(&poller), 0)
        }
        check(poller.wait(.seconds(10)).isEmpty, "an event")
        try waking.value()
        // Also when it was told before it waits.
        var second = poller.copy
        checkEqual(unsafe cip_poller_wake(&second), 0)
        check(try milliseconds { () throws(IPCError) in _ = poller.wait(.seconds(10)) } < 5000, "not woken")
    },
    Test("descriptors leave a poller at any moment") { () throws(IPCError) in
        var poller = try Poller()
        for round in 0..<300 {
            let (one, other) = try LocalSocketStream.pair()
            let wanted = watched | (round % 2 == 0 ? readable : readable | writable)
            poller.set(one.descriptorCore, 0, wanted, UInt64(round % 3))
            if round % 3 == 0 { try other.writeAll("x") }
            if round % 5 == 0 { _ = poller.wait(.zero) }
            poller.set(one.descriptorCore, wanted, 0, UInt64(round % 3))
            if round % 3 == 0 { checkEqual(try one.read(upTo: 1), Array("x".utf8)) }
        }
        poller.checkIsSilent()
    },
]
