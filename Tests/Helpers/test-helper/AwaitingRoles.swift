// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess

/// Lets that many tasks wait, on the default pool and on an event loop, for what never comes; then ends as told: by
/// returning, by a task on either executor, or not at all.
func exit(awaiting count: Int, _ ending: String) throws {
    let pairs = try (0..<200).map { _ in try LocalSocketStream.pair() }
    let started = DispatchSemaphore(value: 0)
    for number in 0..<count {
        let (stream, _) = pairs[number % pairs.count]
        Task(executorPreference: number % 2 == 0 ? nil : EventLoop.shared) {
            started.signal()
            if number % 3 == 0 { _ = try await stream.read(upTo: 1, timeout: .seconds(3600)) }
            _ = try await stream.readExactly(1000)
        }
    }
    for _ in 0..<count { started.wait() }
    // Among them now, so that the loop has come to wait.
    let (one, other) = try LocalSocketStream.pair()
    let echoed = DispatchSemaphore(value: 0)
    Task(executorPreference: EventLoop.shared) {
        _ = try await one.readLine()
        echoed.signal()
    }
    try other.writeAll("x\n")
    echoed.wait()
    say("waiting \(count)")
    if ending == "return" { return withExtendedLifetime(pairs) {} }
    if ending != "never" { Task(executorPreference: ending == "loop" ? EventLoop.shared : nil) { exit(7) } }
    while true { sleep(100) }
}

/// Receives from one client up to the end in a task whose event loop is interrupted by signals all the time, and says
/// how much it was and whether every byte was the right one.
func receiveAwaitedInStorm(_ name: LocalSocketName, restarting: Bool) throws {
    let listener = try LocalSocketListener(name)
    try runAwaited {
        startStorm(restarting: restarting)
        say("ready")
        let stream = try await listener.accept()
        var count = 0
        while true {
            let bytes =
                try await count % 2 == 0 ? stream.read(upTo: 60_001) : stream.read(upTo: 7001, timeout: .seconds(20))
            if bytes.isEmpty { break }
            for byte in bytes {
                guard byte == pattern(count) else {
                    say("error wrong byte at \(count)")
                    exit(1)
                }
                count += 1
            }
        }
        try await stream.writeAll("done\n")
        say("received \(count)")
    }
    sayHowManySignals()
}

func sendAwaitedInStorm(_ name: LocalSocketName, _ count: Int, restarting: Bool) throws {
    try runAwaited {
        startStorm(restarting: restarting)
        let stream = try await LocalSocketStream.connect(to: name)
        var sent = 0
        while sent < count {
            let bytes = (sent..<min(count, sent + 300_007)).map(pattern)
            try await stream.writeAll(bytes, timeout: sent % 2 == 0 ? nil : .seconds(20))
            sent += bytes.count
        }
        try await stream.shutdown(.send)
        say("answer \(try await stream.readLine() ?? "none")")
    }
    sayHowManySignals()
}
