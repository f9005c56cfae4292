// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess

/// Signals as the tests write them: numbers with commas between.
private func signals(_ text: String) -> [Signal] {
    text.split(separator: ",").map { Signal(rawValue: number(String($0))) }
}

/// Says what is received, a line each, until its input ends or it is killed.
func watch(_ text: String, capacity: Int) throws {
    let watcher = try Signals(signals(text), capacity: capacity)
    Thread {
        while readLine() != nil {}
        watcher.close()
    }.start()
    say("ready")
    while let info = try? watcher.next() {
        say("\(info.signal.rawValue) from \(info.processID ?? 0) of \(info.userID ?? 0)")
    }
    say("closed")
}

/// Sends signals to a process, each as often as asked for, and says when that is done.
func signal(_ process: Int32, _ text: String, times: Int) throws {
    for _ in 0..<times {
        for signal in signals(text) { try signal.send(to: process) }
    }
    say("sent")
}

/// Says what asking for a process and signalling it come to.
func probe(_ process: Int32) throws {
    say("\(try Signal.status(ofProcess: process))")
    do { try Signal.terminate.send(to: process) } catch { say("\(error.code)") }
}

/// What a signal does: handler, flags and mask.
private func disposition(_ signal: Signal) -> [Int] {
    var now = sigaction()
    sigaction(signal.rawValue, nil, &now)
    return (1...64).map { Int(sigismember(&now.sa_mask, $0)) }
        + [unsafeBitCast(now.__sigaction_handler.sa_handler, to: Int.self), Int(now.sa_flags)]
}

/// Watches a signal twice, sends it to itself, and ends one watcher after the other; says whether all is as before, and
/// sends it once more.
func endWatchers(_ signal: Signal) throws {
    let before = disposition(signal)
    var watchers = [try Signals([signal]), try Signals([signal, .user1])]
    while let last = watchers.last {
        try signal.send(to: getpid())
        for watcher in watchers { say("received \(try watcher.next(timeout: .seconds(20)).signal)") }
        last.close()
        watchers.removeLast()
        say("same \(before == disposition(signal))")
    }
    try signal.send(to: getpid())
    say("survived")
}

/// Forks while it watches a signal, and says what ended the child, which has sent it to itself, and what of that came here.
func forkWatching(_ signal: Signal) throws {
    let watcher = try Signals([signal])
    guard let symbol = dlsym(nil, "fork") else { return }
    let child = unsafeBitCast(symbol, to: (@convention(c) () -> Int32).self)()
    if child == 0 {
        kill(getpid(), signal.rawValue)
        _exit(0)
    }
    var status: Int32 = 0
    waitpid(child, &status, 0)
    say("ended by \(status & 0x7f)")
    do { say("received \(try watcher.next(timeout: .zero))") } catch { say("\(error.code)") }
    try signal.send(to: getpid())
    say("received \(try watcher.next(timeout: .seconds(20)).signal)")
}

/// Echoes bytes to the server while signals come, and says when there were many of them, and how many bytes there were.
func echoInStorm(_ name: LocalSocketName) throws {
    let watcher = try Signals([.user1])
    let stream = try LocalSocketStream.connect(to: name)
    Thread {
        for _ in 0..<1000 where (try? watcher.next()) == nil { return say("error no signal") }
        say("stormed")
    }.start()
    say("ready")
    var echoed = 0
    while case let bytes = try stream.read(upTo: 70_000), !bytes.isEmpty {
        try stream.writeAll(bytes)
        echoed += bytes.count
    }
    say("echoed \(echoed)")
}

#if os(Linux)
/// Sends numbers to a process, one after another, as fast as they can be queued.
func queue(_ process: Int32, _ signal: Signal, count: Int32) throws {
    for value in 0..<count {
        while true {
            do throws(IPCError) {
                try signal.send(to: process, value: value)
                break
            } catch {
                if error.code != .resourcesExhausted { throw error }
                usleep(100)
            }
        }
    }
    say("sent")
}

/// Receives numbers from 0 on, in the one thread that it has, and says whether they all came, in order.
func count(_ signal: Signal, to count: Int32) throws {
    let watcher = try Signals([signal])
    say("ready")
    for expected in 0..<count {
        let info = try watcher.next(timeout: .seconds(20))
        guard info.value == expected, info.lostBefore == 0 else { return say("\(info) came instead of \(expected)") }
    }
    say("received \(count), lost \(watcher.lostCount)")
}

/// The same, awaited.
func countAwaited(_ signal: Signal, to count: Int32) async throws {
    let watcher = try Signals([signal])
    say("ready")
    var expected: Int32 = 0
    for try await info in watcher {
        guard info.value == expected, info.lostBefore == 0 else { return say("\(info) came instead of \(expected)") }
        expected += 1
        if expected == count { break }
    }
    say("received \(count), lost \(watcher.lostCount)")
}

/// Has room for as few signals as possible, and receives none until it is told to; says what is left then, and what is
/// told of the next one.
func overflow(_ signal: Signal) throws {
    let watcher = try Signals([signal], capacity: 1)
    say("ready")
    // Not by reading, in which the thread sanitizer keeps no more than one signal until it ends.
    var entry = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
    while poll(&entry, 1, -1) < 0 {}
    var values: [Int32?] = []
    while let info = try? watcher.next(timeout: .zero) { values.append(info.lostBefore == 0 ? info.value : nil) }
    say("in order \(values == (0..<Int32(values.count)).map { $0 })")
    say("received \(values.count), lost \(watcher.lostCount)")
    let next = try watcher.next(timeout: .seconds(20))
    say("then \(next.value ?? -1), before which \(next.lostBefore) were lost")
}
#endif
