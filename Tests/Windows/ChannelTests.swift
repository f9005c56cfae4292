// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess
internal import CWindowsTests

// Channels for bytes, whose packets are a named pipe's messages.

let channelTests = [
    Test("a message on a channel arrives as it is, whatever its size") { () throws(IPCError) in
        let (sender, receiver) = try IPCChannel.makeBytes()
        let whole = FrameHead.maximumPacket - FrameHead.size
        for count in [0, 1, 8, 4096, whole - 1, whole, whole + 1, 200_000, 1 << 20, 5_000_001] {
            let sending = Background { () throws(IPCError) in try sender.send(pattern(count)) }
            checkEqual(try receiver.receive(), pattern(count))
            try sending.value()
        }
        checkEqual(try receiver.tryReceive() ?? [1], [1])
    },
    Test("messages on a channel keep their order and their bounds") { () throws(IPCError) in
        let (sender, receiver) = try IPCChannel.makeBytes()
        let sending = Background { () throws(IPCError) in
            for number in 0..<500 { try sender.send(pattern(number * 37 % 5000)) }
            sender.close()
        }
        for number in 0..<500 { checkEqual(try receiver.receive(), pattern(number * 37 % 5000)) }
        checkThrows(.disconnected) { () throws(IPCError) in try receiver.receive() }
        checkThrows(.disconnected) { () throws(IPCError) in try receiver.tryReceive() }
        try sending.value()
    },
    Test("threads send by one end, and by others for the same channel, and no message is torn") { () throws(IPCError) in
        let (sender, receiver) = try IPCChannel.makeBytes()
        let sizes = [10, 3000, 70_000, 65_528]
        let senders = try sizes.map { (size) throws(IPCError) in
            let own = try duplicate(sender)
            let byte = UInt8(size % 251)
            return [sender, own].map { sender in
                Background { () throws(IPCError) in
                    for _ in 0..<20 { try sender.send([UInt8](repeating: byte, count: size)) }
                    if sender === own { own.close() }
                }
            }
        }
        for _ in 0..<sizes.count * 40 {
            let message = try receiver.receive(timeout: .seconds(30))
            check(sizes.contains(message.count), "a message of \(message.count) bytes came")
            check(message.allSatisfy { $0 == UInt8(message.count % 251) }, "a message was torn")
        }
        for pair in senders { for sender in pair { try sender.value() } }
        sender.close()
        checkThrows(.disconnected) { () throws(IPCError) in try receiver.receive() }
    },
    Test("processes send by one channel") { () throws(IPCError) in
        let (sender, receiver) = try IPCChannel.makeBytes()
        try sender.setInheritable(true)
        let handle = try sender.withUnsafeDescriptor { $0 }
        let processes = (1...3).map { start("tests.exe", "send-packets \(handle) \($0)") }
        sender.close()
        var counts = [0, 0, 0, 0]
        while true {
            do throws(IPCError) {
                let message = try receiver.receive()
                let first = Int(message.first ?? 0)
                check((1...3).contains(first) && message.allSatisfy { $0 == message[0] }, "a message was torn")
                if (1...3).contains(first) { counts[first] += 1 }
            } catch {
                if error.code != .disconnected { throw error }
                break
            }
        }
        check(counts == [0, 40, 40, 40], "\(counts[1]), \(counts[2]) and \(counts[3]) messages came")
        for process in processes { checkEqual(wt_wait(process), 0) }
    },
    Test("a sender is told that the receiver is gone") { () throws(IPCError) in
        for received in [true, false] {
            let (sender, receiver) = try IPCChannel.makeBytes()
            try sender.send([1])
            if received { checkEqual(try receiver.receive(), [1]) }
            receiver.close()
            checkThrows(.disconnected) { () throws(IPCError) in try sender.send([2]) }
            checkThrows(.disconnected) { () throws(IPCError) in try sender.send([2], timeout: .seconds(1)) }
            checkThrows(.disconnected) { () throws(IPCError) in try sender.trySend([2]) }
            checkThrows(.closed) { () throws(IPCError) in try receiver.receive() }
        }
    },
    Test("a sender that waits for room is told when the receiver goes") { () throws(IPCError) in
        let (sender, receiver) = try IPCChannel.makeBytes()
        for timeout in [nil, Duration.seconds(50)] {
            if timeout == nil { fill(sender) }
            let sending = Background { () throws(IPCError) in try sender.send(pattern(60_000), timeout: timeout) }
            awaitCalls(1, on: sender)
            if timeout == nil { checkEqual(try receiver.receive(), pattern(60_000)) } else { receiver.close() }
            if timeout == nil {
                try sending.value()
            } else {
                checkThrows(.disconnected) { () throws(IPCError) in try sending.value() }
            }
        }
    },
    Test("what a sender sent arrives after it is closed") { () throws(IPCError) in
        let (sender, receiver) = try IPCChannel.makeBytes()
        try sender.send([1])
        try sender.trySend([2])
        try sender.send([3], timeout: .seconds(5))
        sender.close()
        for number in 1...3 { checkEqual(try receiver.receive(), [UInt8(number)]) }
        checkThrows(.disconnected) { () throws(IPCError) in try receiver.receive() }
        checkThrows(.closed) { () throws(IPCError) in try sender.send([4]) }
    },
    Test("a full channel has its senders wait, and loses nothing of what it took") { () throws(IPCError) in
        let (sender, receiver) = try IPCChannel.makeBytes()
        let taken = fill(sender)
        check(taken > 1, "the channel took \(taken) messages")
        let took = try milliseconds { () throws(IPCError) in
            checkThrows(.timedOut) { () throws(IPCError) in
                try sender.send(pattern(60_000), timeout: .milliseconds(50))
            }
        }
        check(took >= 50 && took < 5000, "a time limit of 50 ms took \(took) ms")
        checkThrows(.wouldBlock) { () throws(IPCError) in try sender.trySend(pattern(60_000)) }
        let sending = Background { () throws(IPCError) in try sender.send(Array("the last".utf8) + pattern(60_000)) }
        awaitCalls(1, on: sender)
        for _ in 0..<taken { checkEqual(try receiver.receive(), pattern(60_000)) }
        checkEqual(try receiver.receive(), Array("the last".utf8) + pattern(60_000))
        try sending.value()
        check(try receiver.tryReceive() == nil, "a message came that was not taken")
    },
    Test("a large message that is given up in the middle does not come") { () throws(IPCError) in
        let (sender, receiver) = try IPCChannel.makeBytes()
        checkThrows(.timedOut) { () throws(IPCError) in try sender.send(pattern(1 << 20), timeout: .milliseconds(20)) }
        checkThrows(.wouldBlock) { () throws(IPCError) in try sender.trySend(pattern(1 << 20)) }
        check(try receiver.tryReceive() == nil, "a message came that was given up")
        try sender.send([7])
        checkEqual(try receiver.receive(), [7])
    },
    Test("receiving keeps to its time limit") { () throws(IPCError) in
        let (sender, receiver) = try IPCChannel.makeBytes()
        check(try receiver.tryReceive() == nil, "something came")
        let took = try milliseconds { () throws(IPCError) in
            checkThrows(.timedOut) { () throws(IPCError) in try receiver.receive(timeout: .milliseconds(50)) }
        }
        check(took >= 50 && took < 5000, "a time limit of 50 ms took \(took) ms")
        let receiving = Background { () throws(IPCError) in try receiver.receive(timeout: .seconds(50)) }
        awaitCalls(1, on: receiver)
        try sender.send([5])
        checkEqual(try receiving.value(), [5])
    },
    Test("closing an end of a channel ends the calls that wait on it") { () throws(IPCError) in
        for timeout in [nil, Duration.seconds(50)] {
            let (sender, receiver) = try IPCChannel.makeBytes()
            let receiving = Background { () throws(IPCError) in try receiver.receive(timeout: timeout) }
            awaitCalls(1, on: receiver)
            receiver.close()
            checkThrows(.closed) { () throws(IPCError) in try receiving.value() }
            let other = try IPCChannel.makeBytes()
            fill(other.sender)
            let sending = Background { () throws(IPCError) in
                try other.sender.send(pattern(60_000), timeout: timeout)
            }
            awaitCalls(1, on: other.sender)
            other.sender.close()
            checkThrows(.closed) { () throws(IPCError) in try sending.value() }
            withExtendedLifetime(sender) {}
        }
    },
    Test("threads that receive from one channel share its messages") { () throws(IPCError) in
        let (sender, receiver) = try IPCChannel.makeBytes()
        let receivers = (1...4).map { _ in
            Background { () throws(IPCError) in
                var count = 0
                while true {
                    do throws(IPCError) { count += try receiver.receive().count } catch {
                        if error.code != .disconnected { throw error }
                        return count
                    }
                }
            }
        }
        for number in 1...100 { try sender.send(pattern(number)) }
        sender.close()
        var count = 0
        for receiver in receivers { count += try receiver.value() }
        checkEqual(count, 5050)
    },
    Test("what no sender sends is refused, and the channel goes on") { () throws(IPCError) in
        let (sender, receiver) = try IPCChannel.makeBytes()
        var tooLong = [UInt8](repeating: 0, count: 3 * FrameHead.maximumPacket)
        tooLong.replaceSubrange(0..<4, with: [0xF8, 0xFF, 0, 0])
        let packets: [[UInt8]] = [
            [1], [1, 2, 3, 4, 5, 6, 7], [8, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 9, 0, 0, 0], [0, 0, 0, 0, 0, 0, 1, 0],
            // A handle that is none, none at all, the same one twice, and too many.
            [0, 0, 0, 0, 0, 1, 0, 0], [0, 0, 0, 0, 0, 1, 0, 0] + [UInt8](repeating: 0xFF, count: 8),
            [0, 0, 0, 0, 0, 2, 0, 0] + [4, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0],
            [0, 0, 0, 0, 0, 255, 0, 0] + pattern(255 * 8),
            [0xFF, 0xFF, 0xFF, 0x7F, 0, 0, 0, 0], tooLong,
        ]
        for packet in packets {
            let writing = Background { () throws(IPCError) in writeRaw(packet, sender) }
            let error = checkThrows(.protocolViolation) { () throws(IPCError) in try receiver.receive() }
            if error == nil { fail("of the packet that begins with \(packet.prefix(8))", "", 0) }
            try writing.value()
            try sender.send([42])
            checkEqual(try receiver.receive(timeout: .seconds(10)), [42])
        }
        // An empty one is not the end.
        writeRaw([], sender)
        checkThrows(.timedOut) { () throws(IPCError) in try receiver.receive(timeout: .milliseconds(20)) }
        let receiving = Background { () throws(IPCError) in try receiver.receive() }
        awaitCalls(1, on: receiver)
        writeRaw([], sender)
        try sender.send([43])
        checkEqual(try receiving.value(), [43])
    },
    Test("several messages in one packet come one by one") { () throws(IPCError) in
        let (sender, receiver) = try IPCChannel.makeBytes()
        writeRaw([1, 0, 0, 0, 0, 0, 0, 0, 7, 2, 0, 0, 0, 0, 0, 0, 0, 8, 9], sender)
        checkEqual(try receiver.receive(), [7])
        checkEqual(try receiver.tryReceive(), [8, 9])
        check(try receiver.tryReceive() == nil, "something came")
    },
    Test("a message that is larger than the limit is refused at both ends") { () throws(IPCError) in
        var options = IPCChannel.Options()
        options.maximumMessageSize = 100
        let (sender, receiver) = try IPCChannel.makeBytes(options)
        checkThrows(.messageTooLarge) { () throws(IPCError) in try sender.send(pattern(101)) }
        let unlimited = try duplicate(sender)
        for count in [101, 100_000] {
            let sending = Background { () throws(IPCError) in try unlimited.send(pattern(count)) }
            checkThrows(.messageTooLarge) { () throws(IPCError) in try receiver.receive() }
            try sending.value()
        }
        try sender.send(pattern(100))
        checkEqual(try receiver.receive(), pattern(100))
    },
    Test("only an end of a channel is taken for one, and for the one that it is") { () throws(IPCError) in
        let (sender, receiver) = try IPCChannel.makeBytes()
        checkThrows(.invalidArgument) { () throws(IPCError) in
            try IPCBytesReceiver(adopting: try copy(of: sender))
        }
        checkThrows(.invalidArgument) { () throws(IPCError) in
            try IPCBytesSender(adopting: try copy(of: receiver))
        }
        let pair = try connected()
        checkThrows(.invalidArgument) { () throws(IPCError) in
            try IPCBytesSender(adopting: try copy(of: pair.client))
        }
        checkThrows(.invalidArgument) { () throws(IPCError) in
            try IPCBytesReceiver(adopting: try copy(of: pair.server))
        }
        let other = try IPCBytesReceiver(adopting: try copy(of: receiver))
        try sender.send([3])
        checkEqual(try other.receive(), [3])
    },
    Test("the pipe of a channel has one client, which is here, and takes no others from elsewhere") {
        () throws(IPCError) in
        let (sender, receiver) = try IPCChannel.makeBytes()
        let creation = wt_last_creation()
        checkEqual(creation.instance_limit, 1)
        // FILE_FLAG_FIRST_PIPE_INSTANCE; PIPE_TYPE_MESSAGE, PIPE_READMODE_MESSAGE and PIPE_REJECT_REMOTE_CLIENTS.
        check(creation.open & 0x0008_0000 != 0, "another one could have the name")
        checkEqual(creation.mode, 0x4 | 0x2 | 0x8)
        withExtendedLifetime((sender, receiver)) {}
    },
]

/// Another owner of the same thing.
private func copy(of owner: some DescriptorOwner) throws(IPCError) -> IPCDescriptor {
    let raw = try owner.withUnsafeDescriptor { $0 }
    return try IPCDescriptor(adopting: try OwnedDescriptor(result: cip_duplicate(raw), .duplicate, name: nil).release())
}

private func duplicate(_ sender: IPCBytesSender) throws(IPCError) -> IPCBytesSender {
    try IPCBytesSender(adopting: try copy(of: sender))
}

/// Sends until there is no room, and returns how many messages were taken.
@discardableResult
func fill(_ sender: IPCBytesSender) -> Int {
    var count = 0
    while (try? sender.trySend(pattern(60_000))) != nil { count += 1 }
    return count
}

/// Writes a packet as no sender does.
private func writeRaw(_ packet: [UInt8], _ sender: IPCBytesSender) {
    // An empty array may have no address, and an empty message has one.
    let (count, bytes) = (packet.count, packet + [0])
    let result = try? sender.withUnsafeDescriptor { handle in
        unsafe bytes.withUnsafeBytes {
            unsafe cip_handle_write(handle, $0.baseAddress.unsafelyUnwrapped, count, -1, -1)
        }
    }
    checkEqual(result ?? -1, Int64(count))
}
