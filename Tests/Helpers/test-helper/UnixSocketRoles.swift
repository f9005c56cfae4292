// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess

/// An address as the tests write it: `@name` or a path.
func address(_ text: String) throws -> UnixSocketAddress {
    #if os(Linux)
    if text.hasPrefix("@") { return try .abstract(String(text.dropFirst())) }
    #endif
    return try .path(text)
}

/// Echoes all messages of that many clients, each on a thread of its own, and ends.
func servePackets(_ address: UnixSocketAddress, clients: Int) throws {
    let listener = try UnixPacketListener(address: address)
    say("ready")
    let threads = DispatchGroup()
    for _ in 0..<clients {
        let socket = try listener.accept()
        threads.enter()
        Thread {
            while let (bytes, message) = try? socket.receive(upTo: 5000), !message.isEnd {
                if (try? socket.send(bytes)) == nil { break }
            }
            socket.close()
            threads.leave()
        }.start()
    }
    threads.wait()
}

/// Sends packets of many sizes and checks that each comes back as it was.
func echoPackets(_ address: UnixSocketAddress, count: Int) throws {
    let socket = try UnixPacketSocket.connect(to: address)
    for number in 0..<count {
        let bytes = (0..<number * 37 % 5000).map { pattern(number + $0) }
        try socket.send(bytes)
        let (echo, message) = try socket.receive(upTo: 5000)
        guard echo == bytes, !message.isTruncated, !message.isEnd else {
            say("error another packet came back")
            exit(1)
        }
    }
    say("echoed \(count)")
}

/// Sends datagrams back to whoever sent them, until a sender has asked it to end.
func serveDatagrams(_ address: UnixSocketAddress) throws {
    let socket = try UnixDatagramSocket(address: address)
    say("ready")
    while true {
        let (bytes, message) = try socket.receive(upTo: 5000)
        if bytes == Array("end".utf8) { break }
        guard let sender = message.sender else { continue }
        try socket.send(bytes, to: sender)
    }
    socket.close()
    say("ended")
}

/// Sends datagrams of many sizes and checks that each comes back as it was.
func echoDatagrams(_ server: UnixSocketAddress, from own: UnixSocketAddress, count: Int) throws {
    let socket = try UnixDatagramSocket(address: own)
    for number in 0..<count {
        let bytes = (0..<number * 37 % 5000).map { pattern(number + $0) }
        try socket.send(bytes, to: server)
        let (echo, message) = try socket.receive(upTo: 5000)
        guard echo == bytes, !message.isTruncated, message.sender == server else {
            say("error another datagram came back")
            exit(1)
        }
    }
    say("echoed \(count)")
}

/// Sends a datagram with nothing or with a line, and says what became of it.
func sendDatagram(_ address: UnixSocketAddress, _ text: String) throws {
    try UnixDatagramSocket().send(Array(text.utf8), to: address)
    say("sent")
}

/// Passes on the receiving end of a pipe, a socket and a file, each with a message of its own, and says into each what
/// it is.
func passDescriptors(_ address: UnixSocketAddress, file: String) throws {
    let stream = try UnixStream.connect(toAddress: address)
    let (sender, receiver) = try UnnamedPipe.create()
    try stream.sendAll(Array("pipe\n".utf8), with: .descriptors(receiver))
    receiver.close()
    try sender.writeAll("by pipe from \(getpid())\n")

    let (near, far) = try UnixStream.pair()
    try stream.sendAll(Array("socket\n".utf8), with: .descriptors(far))
    far.close()
    try near.writeAll("by socket from \(getpid())\n")

    let opened = open(file, O_RDONLY)
    let descriptor = try IPCDescriptor(adopting: opened)
    try stream.sendAll(Array("file\n".utf8), with: .descriptors(descriptor))
    descriptor.close()
    // The answer through the socket that was sent shows that it goes both ways.
    say("answer \(try near.readLine() ?? "none")")
}

/// Receives descriptors of pipes in one message, and says what comes through each.
func readPassedPipes(_ address: UnixSocketAddress) throws {
    let stream = try UnixStream.connect(toAddress: address)
    let (bytes, message) = try stream.receive(upTo: 100, maximumDescriptors: UnixAttachments.maximumDescriptors)
    say("message \(String(decoding: bytes, as: UTF8.self)) \(message.descriptors.count)")
    for descriptor in message.descriptors {
        say("line \(try UnnamedPipeReceiver(adopting: descriptor).readLine() ?? "none")")
    }
}

/// Receives descriptors while it may have only a few more, and says what became of that, and how many it has.
func receiveWithoutNumbers(_ address: UnixSocketAddress, room: Int) throws {
    let stream = try UnixStream.connect(toAddress: address)
    say("connected")
    _ = readLine()
    let before = openDescriptors()
    let free = (0..<1024).filter { !before.contains($0) }
    var limit = rlimit(rlim_cur: rlim_t(free[room]), rlim_max: 1024)
    #if canImport(Darwin)
    setrlimit(RLIMIT_NOFILE, &limit)
    #else
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    #endif
    do {
        let (_, message) = try stream.receive(upTo: 100, maximumDescriptors: 100)
        say("received \(message.descriptors.count)")
    } catch {
        say("failed \(error.code) \(error.bytesTransferred)")
    }
    say(openDescriptors() == before ? "none left open" : "left open")
    // The stream goes on.
    say("then \(try stream.readLine() ?? "none")")
}

private func openDescriptors() -> [Int] { (0..<1024).filter { fcntl(Int32($0), F_GETFD) >= 0 } }

#if os(Linux)
/// Presents its own credentials, and those of a process that it is not, or of another user.
func presentCredentials(_ address: UnixSocketAddress) throws {
    let stream = try UnixStream.connect(toAddress: address)
    var attachments = UnixAttachments()
    attachments.credentials = .own
    try stream.send([1], with: attachments)
    say("own sent")
    var others: [UnixCredentials] = [.own, .own, .own]
    others[0].processID = 1
    others[1].userID = 0
    others[2].groupID = 0
    for other in others {
        attachments.credentials = other
        do throws(IPCError) {
            try stream.send([2], with: attachments)
            say("another's sent")
        } catch { report(error) }
    }
}
#endif

/// Says what comes first over the datagram socket that it was started with, and from whom.
func receiveDatagram(over descriptor: RawDescriptor) throws {
    let (bytes, message) = try UnixDatagramSocket(adopting: descriptor).receive(upTo: 100)
    say("got \(String(decoding: bytes, as: UTF8.self)) from \(message.sender?.description ?? "nobody")")
}
