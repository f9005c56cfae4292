// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess

/// Bytes as the tests write them: two digits each.
private func bytes(_ text: String) -> [UInt8] {
    let digits = text.compactMap { $0.hexDigitValue }
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(16 * digits[$0] + digits[$0 + 1]) }
}

private func connectToAnyone(_ name: LocalSocketName) throws(IPCError) -> LocalSocketStream {
    var options = LocalSocketStream.ConnectOptions()
    options.requiresPeer = .anyone
    return try .connect(to: name, options: options)
}

/// Says something, and tells how much is said back until the other side has had enough.
func speak(_ name: LocalSocketName, _ text: String) throws {
    let stream = try connectToAnyone(name)
    say("connected")
    do throws(IPCError) {
        try stream.writeAll(bytes(text))
        say("ended after \(try stream.readToEnd().count)")
    } catch { say("ended by \(error.code)") }
}

/// Says one thing at once, and then another one, byte by byte, over and over, until the other side has had enough.
func dribble(_ name: LocalSocketName, _ first: String, _ slow: String) throws {
    let stream = try connectToAnyone(name)
    if !first.isEmpty { try stream.writeAll(bytes(first)) }
    say("connected")
    do throws(IPCError) {
        while true {
            for byte in bytes(slow) {
                try stream.writeAll([byte])
                // Slowly, which is what it is about.
                usleep(10_000)
            }
        }
    } catch { say("ended") }
}

/// Says one thing, and then another one as often as it can; never reads.
func pour(_ name: LocalSocketName, _ first: String, _ again: String) throws {
    let stream = try connectToAnyone(name)
    try stream.writeAll(bytes(first))
    say("connected")
    let block = [[UInt8]](repeating: bytes(again), count: 1000).flatMap(\.self)
    do throws(IPCError) {
        while true { try stream.writeAll(block) }
    } catch { say("ended") }
}

/// Comes with that many connections, and says nothing, until its input ends.
func crowd(_ name: LocalSocketName, _ count: Int) throws {
    var streams: [LocalSocketStream] = []
    for _ in 0..<count { streams.append(try connectToAnyone(name)) }
    say("connected")
    while readLine() != nil {}
    withExtendedLifetime(streams) {}
}

/// Says one thing, and then another one that often, each time with that many descriptors.
func strew(_ name: LocalSocketName, _ first: String, _ again: String, _ descriptors: Int, _ count: Int) throws {
    let stream = try connectToAnyone(name)
    var attachments = UnixAttachments()
    for _ in 0..<descriptors { attachments.add(rawDescriptor: 0) }
    if !first.isEmpty { try stream.writeAll(bytes(first)) }
    say("connected")
    var passed = 0
    do throws(IPCError) {
        for _ in 0..<count {
            // Of those on their way, the system bears only so many.
            while true {
                do throws(IPCError) {
                    try stream.sendAll(bytes(again), with: attachments)
                    break
                } catch { if error.code != .resourcesExhausted { throw error } }
            }
            passed += 1
        }
        say("passed \(passed)")
        while try !stream.read(upTo: 1000).isEmpty {}
        say("ended")
    } catch { say("ended after \(passed)") }
}

/// Sends packets, which are given with commas between them, on a channel.
func sayPackets(over descriptor: RawDescriptor, _ packets: String) throws {
    let socket = try UnixPacketSocket(adopting: descriptor)
    for packet in packets.split(separator: ",") { try socket.send(bytes(String(packet))) }
    say("said")
}

/// Begins that many messages of a channel, each with that many descriptors, and none of which it goes on with.
func beginMessages(over descriptor: RawDescriptor, _ count: Int, _ descriptors: Int) throws {
    let socket = try UnixPacketSocket(adopting: descriptor)
    var attachments = UnixAttachments()
    for _ in 0..<descriptors { attachments.add(rawDescriptor: 0) }
    for number in 0..<count {
        var packet: [UInt8] = [17, 0, 0, 0, 1, UInt8(descriptors), 0, 0]
        for word in [UInt64(number), 1 << 20] { withUnsafeBytes(of: word.littleEndian) { packet += $0 } }
        try socket.send(packet + [1], with: attachments)
    }
    // Now a whole one.
    try socket.send([1, 0, 0, 0, 0, 0, 0, 0, 42])
    say("begun \(count)")
    while readLine() != nil {}
}

/// Puts something at a path, where somebody else means to listen.
func plant(_ kind: String, at path: String) throws {
    var result: Int32 = 0
    switch kind {
    case "file": result = FileManager.default.createFile(atPath: path, contents: Data("planted".utf8)) ? 0 : -1
    case "directory": result = mkdir(path, 0o777)
    case "fifo": result = mkfifo(path, 0o666)
    case "link": result = symlink(path + ".target", path)
    case "socket":
        var options = LocalSocketListener.Options()
        options.access = .everyone
        options.reclaimsName = false
        try LocalSocketListener(.path(path), options: options).close()
    case "remove": result = unlink(path)
    default: result = -1
    }
    say(result == 0 ? "planted" : "error \(errno)")
}

/// Serves in the place of somebody else, and tells how much it was told by each client.
func pose(_ name: LocalSocketName) throws {
    var options = LocalSocketListener.Options()
    options.access = .everyone
    let listener = try LocalSocketListener(name, options: options)
    say("ready")
    Thread {
        for case .success(let stream) in listener.incoming {
            say("told \((try? stream.readToEnd().count) ?? -1)")
        }
    }.start()
    while readLine() != nil {}
    listener.close()
}

/// Connects, and has a word with the server, which may have to be of the same user.
func call(_ name: LocalSocketName, isOwnUserRequired: Bool) throws {
    var options = LocalSocketStream.ConnectOptions()
    if isOwnUserRequired { options.requiresPeer = .currentUser }
    let stream = try LocalSocketStream.connect(to: name, options: options)
    try stream.writeAll("secret")
    say("told")
}
