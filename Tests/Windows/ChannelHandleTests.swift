// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess
internal import CWindowsTests

/// What goes with messages on a channel: handles.
let channelHandleTests = [
    Test("handles arrive with a message on a channel, and are closed where nobody takes them") { () throws(IPCError) in
        let (sender, receiver) = try IPCChannel.makeBytes()
        for size in [0, 10, 200_000] {
            let pair = try connected()
            let sending = Background { () throws(IPCError) in
                try sender.send(pattern(size), with: [pair.client, pair.client])
                pair.client.close()
            }
            let message = try receiver.receiveMessage()
            try sending.value()
            checkEqual(message.bytes, pattern(size))
            checkEqual(message.descriptorCount, 2)
            let raw = try message.takeDescriptor(1).detach()
            checkThrows(.invalidArgument) { () throws(IPCError) in try message.takeDescriptor(1) }
            checkThrows(.invalidArgument) { () throws(IPCError) in try message.takeDescriptor(2) }
            let client = try NamedPipeStream(adopting: raw)
            try client.writeAll("through a handle\n")
            checkEqual(try pair.server.readLine(), "through a handle")
        }
    },
    Test("the most handles arrive with a message on a channel, and no more") { () throws(IPCError) in
        let (sender, receiver) = try IPCChannel.makeBytes()
        let pair = try connected()
        checkThrows(.messageTooLarge) { () throws(IPCError) in
            try sender.send([1], with: Array(repeating: pair.client, count: 254))
        }
        try sender.send(pattern(65_520), with: Array(repeating: pair.client, count: 253))
        let message = try receiver.receiveMessage()
        checkEqual(message.bytes, pattern(65_520))
        checkEqual(message.descriptorCount, 253)
    },
    Test("a message on a channel that is not sent leaves no handles behind") { () throws(IPCError) in
        let (sender, receiver) = try IPCChannel.makeBytes()
        let pair = try connected()
        fill(sender)
        let before = wt_handle_count()
        for timeout in [Duration.milliseconds(1), .milliseconds(20)] {
            checkThrows(.timedOut) { () throws(IPCError) in
                try sender.send(pattern(60_000), with: [pair.client], timeout: timeout)
            }
        }
        checkEqual(wt_handle_count(), before)
        receiver.close()
        checkThrows(.disconnected) { () throws(IPCError) in try sender.send([1], with: [pair.client]) }
    },
    Test("handles of another process arrive on a channel, also after it has ended") { () throws(IPCError) in
        let (sender, receiver) = try IPCChannel.makeBytes()
        try sender.setInheritable(true)
        let handle = try sender.withUnsafeDescriptor { $0 }
        let process = start("tests.exe", "send-handle \(handle)")
        sender.close()
        let message = try receiver.receiveMessage()
        checkEqual(wt_wait(process), 0)
        checkEqual(message.bytes, Array("a handle".utf8))
        let other = try IPCBytesReceiver(adopting: try message.takeDescriptor(0))
        checkEqual(try other.receive(), Array("from a process that has ended".utf8))
        checkThrows(.disconnected) { () throws(IPCError) in try other.receive() }
    },
    Test("handles reach a receiver that has moved to another process") { () throws(IPCError) in
        let (sender, receiver) = try IPCChannel.makeBytes()
        try receiver.setInheritable(true)
        let handle = try receiver.withUnsafeDescriptor { $0 }
        let process = start("tests.exe", "use-handle \(handle)")
        receiver.close()
        let pair = try connected()
        try sender.send(Array("use it".utf8), with: [pair.client])
        pair.client.close()
        checkEqual(try pair.server.readLine(), "used it")
        checkEqual(wt_wait(process), 0)
        checkThrows(.disconnected) { () throws(IPCError) in try sender.send([1]) }
    },
]

/// This program once more, in one of its roles on a channel, an end of which it has inherited; `false` if it has no such role.
func playsChannelRole(_ role: String, _ handle: String, _ number: String) -> Bool {
    let role = Array(role.utf8)
    do throws(IPCError) {
        if role == Array("send-packets".utf8) {
            try sendPackets(handle, number)
        } else if role == Array("send-handle".utf8) {
            try sendHandle(handle)
        } else if role == Array("use-handle".utf8) {
            try useHandle(handle)
        } else {
            return false
        }
        wt_exit(0)
    } catch {
        say(error.description)
        wt_exit(1)
    }
    return true
}

private func inherited(_ handle: String) throws(IPCError) -> IPCDescriptor {
    try IPCDescriptor(adopting: RawDescriptor(handle) ?? -1)
}

private func sendPackets(_ handle: String, _ number: String) throws(IPCError) {
    let sender = try IPCBytesSender(adopting: try inherited(handle))
    let byte = UInt8(number) ?? 0
    for count in 0..<40 { try sender.send([UInt8](repeating: byte, count: 1 + count * count * 71)) }
}

private func sendHandle(_ handle: String) throws(IPCError) {
    let sender = try IPCBytesSender(adopting: try inherited(handle))
    let other = try IPCChannel.makeBytes()
    try other.sender.send(Array("from a process that has ended".utf8))
    try sender.send(Array("a handle".utf8), with: [other.receiver])
}

private func useHandle(_ handle: String) throws(IPCError) {
    let receiver = try IPCBytesReceiver(adopting: try inherited(handle))
    let message = try receiver.receiveMessage()
    checkEqual(message.bytes, Array("use it".utf8))
    try NamedPipeStream(adopting: try message.takeDescriptor(0).detach()).writeAll("used it\n")
}
