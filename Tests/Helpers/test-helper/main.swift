// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The other process in the tests. The first argument says what to do; what the test has to know is printed, a line
// each.

import Foundation
import Interprocess

/// Ends with the code of an error in a line of its own, or what it is if it is none of the library's.
func report(_ error: any Error) {
    if let error = error as? IPCError { say("error \(error.code)") } else { say("error \(error)") }
}

func say(_ line: String) {
    FileHandle.standardOutput.write(Data((line + "\n").utf8))
}

/// A name as the tests write it: `@name` or a path.
func name(_ text: String) throws -> LocalSocketName {
    text.hasPrefix("@") ? try .namespaced(String(text.dropFirst())) : try .path(text)
}

/// A number as the tests write it.
func number<Number: FixedWidthInteger>(_ text: String) -> Number {
    guard let number = Number(text) else {
        say("error \(text) is not a number")
        exit(1)
    }
    return number
}

var arguments = Array(CommandLine.arguments.dropFirst())

// Becomes another user first, in other groups, where the tests run as root.
var otherGroups: [gid_t] = []
if arguments.first == "--groups" {
    otherGroups = arguments[1].split(separator: ",").compactMap { gid_t($0) }
    arguments.removeFirst(2)
}
if arguments.first == "--uid", let user = UInt32(arguments[1]) {
    guard setgroups(otherGroups.count, otherGroups) == 0, setgid(user) == 0, setuid(user) == 0 else {
        say("error cannot become user \(user)")
        exit(1)
    }
    arguments.removeFirst(2)
}

// Joins a group of processes, or, with 0, leads one of its own.
if arguments.first == "--group" {
    guard setpgid(0, number(arguments[1])) == 0 else {
        say("error cannot join the group \(arguments[1])")
        exit(1)
    }
    arguments.removeFirst(2)
}

do {
    switch arguments.removeFirst() {
    case "serve": try serve(name(arguments[0]), clients: number(arguments[1]))
    case "listen": try listen(name(arguments[0]), arguments[1])
    case "race": try race(name(arguments[0]))
    case "connect": try connect(name(arguments[0]))
    case "echo": try echo(name(arguments[0]), lines: number(arguments[1]))
    case "hold": try hold(name(arguments[0]))
    case "descriptors": listDescriptors()
    case "write-without-reader": try writeWithoutReader(arguments[0])
    case "keep-pending-signal": try keepPendingSignal()
    case "send": try send(over: number(arguments[0]))
    case "receive": try receive(over: number(arguments[0]))
    case "send-to-itself": try sendToItself(bytes: number(arguments[0]))
    case "count": try count(over: number(arguments[0]))
    case "read-at-once": try readAtOnce(from: number(arguments[0]))
    case "write-at-once": try writeAtOnce(to: number(arguments[0]))
    case "write-without-reader-awaited":
        let kind = arguments[0]
        try runAwaited { try await writeWithoutReaderAwaited(kind) }
    case "send-awaited":
        let descriptor: RawDescriptor = number(arguments[0])
        try runAwaited { try await sendAwaited(over: descriptor) }
    case "receive-awaited":
        let descriptor: RawDescriptor = number(arguments[0])
        try runAwaited { try await receiveAwaited(over: descriptor) }
    case "talk-over": try talk(over: number(arguments[0]))
    case "activated": try activated()
    case "listen-slowly": try listenSlowly(name(arguments[0]))
    case "listen-in": try listen(in: arguments[0], arguments[1])
    case "race-rounds": try raceInRounds(name(arguments[0]), arguments[1])
    case "lock": lock(arguments[0])
    case "flood": try flood(name(arguments[0]))
    case "spin": try spin()
    case "identify": try identify(name(arguments[0]))
    case "storm-receive": try receiveInStorm(name(arguments[0]), restarting: arguments[1] == "restarting")
    case "storm-send":
        try sendInStorm(name(arguments[0]), number(arguments[1]), restarting: arguments[2] == "restarting")
    case "echo-messages": try echoMessages(over: number(arguments[0]))
    case "send-messages":
        try sendMessages(over: number(arguments[0]), count: Int(arguments[1]) ?? 0, size: Int(arguments[2]) ?? 0)
    case "echo-messages-in-storm":
        try echoMessagesInStorm(from: number(arguments[0]), to: number(arguments[1]))
    case "introduce": try introduce(over: number(arguments[0]))
    case "serve-connections":
        let server = try name(arguments[0])
        try runAwaited { try await serveConnections(server) }
    case "make-requests": try makeRequests(name(arguments[0]), number(arguments[1]))
    case "be-many-clients":
        let (server, count): (LocalSocketName, Int) = (try name(arguments[0]), number(arguments[1]))
        try runAwaited { try await beManyClients(server, count) }
    case "send-large-values": try sendLargeValues(name(arguments[0]))
    case "come-alone": try comeAlone(name(arguments[0]))
    case "region": try readRegion(number(arguments[0]))
    case "pool": try readPool(over: number(arguments[0]), thenDie: arguments.last == "die")
    case "count-in-memory": try countInMemory(over: number(arguments[0]), times: number(arguments[1]))
    case "exit": exit(number(arguments[0]))
    case "echo-to-parent": try echoToParent()
    case "describe-child": try describeChild()
    case "replace-child": try replaceChild()
    case "take-inherited": takeInherited()
    case "answer-parent": try answerParent()
    case "select-for-parent": try selectForParent()
    case "exit-awaiting": try exit(awaiting: number(arguments[0]), arguments[1])
    case "await-without-descriptors": try awaitWithoutDescriptors()
    case "storm-receive-awaited":
        try receiveAwaitedInStorm(name(arguments[0]), restarting: arguments[1] == "restarting")
    case "storm-send-awaited":
        try sendAwaitedInStorm(name(arguments[0]), number(arguments[1]), restarting: arguments[2] == "restarting")
    case "watch": try watch(arguments[0], capacity: number(arguments[1]))
    case "signal": try signal(number(arguments[0]), arguments[1], times: number(arguments[2]))
    case "probe": try probe(number(arguments[0]))
    case "end-watchers": try endWatchers(Signal(rawValue: number(arguments[0])))
    case "fork-watching": try forkWatching(Signal(rawValue: number(arguments[0])))
    case "echo-in-storm": try echoInStorm(name(arguments[0]))
    #if os(Linux)
    case "queue":
        try queue(number(arguments[0]), Signal(rawValue: number(arguments[1])), count: number(arguments[2]))
    case "count-values": try count(Signal(rawValue: number(arguments[0])), to: number(arguments[1]))
    case "count-values-awaited":
        let (signal, count): (Signal, Int32) = (Signal(rawValue: number(arguments[0])), number(arguments[1]))
        try runAwaited { try await countAwaited(signal, to: count) }
    case "overflow": try overflow(Signal(rawValue: number(arguments[0])))
    #endif
    case "serve-packets": try servePackets(address(arguments[0]), clients: number(arguments[1]))
    case "echo-packets": try echoPackets(address(arguments[0]), count: number(arguments[1]))
    case "serve-datagrams": try serveDatagrams(address(arguments[0]))
    case "echo-datagrams":
        try echoDatagrams(address(arguments[0]), from: address(arguments[1]), count: number(arguments[2]))
    case "send-datagram": try sendDatagram(address(arguments[0]), arguments[1])
    case "receive-datagram": try receiveDatagram(over: number(arguments[0]))
    case "pass-descriptors": try passDescriptors(address(arguments[0]), file: arguments[1])
    case "read-passed-pipes": try readPassedPipes(address(arguments[0]))
    case "receive-without-numbers": try receiveWithoutNumbers(address(arguments[0]), room: number(arguments[1]))
    case "present-credentials": try presentCredentials(address(arguments[0]))
    case "say": try speak(name(arguments[0]), arguments[1])
    case "dribble": try dribble(name(arguments[0]), arguments[1], arguments[2])
    case "pour": try pour(name(arguments[0]), arguments[1], arguments[2])
    case "crowd": try crowd(name(arguments[0]), number(arguments[1]))
    case "strew": try strew(name(arguments[0]), arguments[1], arguments[2], number(arguments[3]), number(arguments[4]))
    case "say-packets": try sayPackets(over: number(arguments[0]), arguments[1])
    case "begin-messages": try beginMessages(over: number(arguments[0]), number(arguments[1]), number(arguments[2]))
    case "plant": try plant(arguments[0], at: arguments[1])
    case "pose": try pose(name(arguments[0]))
    case "call": try call(name(arguments[0]), isOwnUserRequired: arguments.last == "own")
    default: say("error unknown role")
    }
} catch {
    report(error)
    exit(1)
}
