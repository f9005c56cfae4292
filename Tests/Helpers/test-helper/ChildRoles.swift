// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess

/// Answers each line of the process that has started this one.
func echoToParent() throws {
    let stream = try IPCChild.inheritedStream()
    while let line = try stream.readLine() { try stream.writeAll(line + "\n") }
}

/// Tells the process that has started this one what it has.
func describeChild() throws {
    let stream = try IPCChild.inheritedStream()
    let connection = try stream.withUnsafeDescriptor { $0 }
    let open = (0..<1024).filter { fcntl(Int32($0), F_GETFD) >= 0 }.map { "\($0)" }.joined(separator: " ")
    try stream.writeAll("open \(open)\nconnection \(connection)\n")
    try stream.writeAll("close-on-exec \(fcntl(connection, F_GETFD) == FD_CLOEXEC)\n")
    var blocked = sigset_t()
    pthread_sigmask(SIG_BLOCK, nil, &blocked)
    let signals = Set(Int32(1)...64)
    try stream.writeAll("blocked \(signals.filter { sigismember(&blocked, $0) == 1 }.count)\n")
    let ignored = signals.filter { number in
        var action = sigaction()
        return sigaction(number, nil, &action) == 0 && isIgnored(action)
    }
    try stream.writeAll("ignored \(ignored.sorted())\n")
    do { _ = try IPCChild.inheritedStream() } catch { try stream.writeAll("again \(error.code)\n") }
    let environment = ProcessInfo.processInfo.environment
    try stream.writeAll("variables \(environment["TEST_ADDED"] ?? "-") \(environment["PATH"] == nil ? "-" : "PATH")\n")
    try stream.writeAll("arguments \(CommandLine.arguments.dropFirst(2).joined(separator: "|"))\n")
}

/// Whether it is SIG_IGN.
private func isIgnored(_ action: sigaction) -> Bool {
    #if canImport(Darwin)
    unsafeBitCast(action.__sigaction_u.__sa_handler, to: Int.self) == 1
    #else
    unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1
    #endif
}

/// Takes the connection, and has another program in its place, which shall not find it.
func replaceChild() throws {
    let stream = try IPCChild.inheritedStream()
    try stream.writeAll("taken\n")
    var arguments = [strdup(CommandLine.arguments[0]), strdup("take-inherited"), nil]
    execv(CommandLine.arguments[0], &arguments)
}

/// Prints what comes of taking the connection.
func takeInherited() {
    do {
        _ = try IPCChild.inheritedStream()
        say("taken")
    } catch { say("\(error.code)") }
}

/// Waits for a message in a group of receivers, and then for its end; the parent says when they come.
func selectForParent() throws {
    let stream = try IPCChild.inheritedStream()
    let group = try IPCReceiverGroup()
    let (sender, receiver) = try IPCChannel.makeBytes()
    try group.add(receiver)
    Thread {
        _ = try? stream.readLine()
        try? sender.send([1])
        sender.close()
    }.start()
    try stream.writeAll("waits\n")
    while true {
        switch try group.next() {
        case .message: try stream.writeAll("message\n")
        case .closed: return try stream.writeAll("closed\n")
        case .failed(_, let error): return report(error)
        }
    }
}

/// Answers requests of the process that has started this one.
func answerParent() throws {
    let parent = try IPCConnection<[Int], Int>.toParent()
    do {
        while true {
            let message = try parent.receiveMessage()
            try message.reply(message.value.reduce(0, +))
        }
    } catch {
        if error.code != .disconnected { throw error }
    }
}
