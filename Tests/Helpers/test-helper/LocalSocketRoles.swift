// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import Synchronization

/// Listens with room for one client, and accepts one more for each line of input.
func listenSlowly(_ name: LocalSocketName) throws {
    var options = LocalSocketListener.Options()
    options.backlog = 0
    options.access = .everyone
    let listener = try LocalSocketListener(name, options: options)
    say("ready")
    var clients: [LocalSocketStream] = []
    while readLine() != nil {
        clients.append(try listener.accept())
        say("accepted \(clients.count)")
    }
}

/// Listens at a path relative to a directory, and closes when its input ends, in another directory.
func listen(in directory: String, _ file: String) throws {
    _ = chdir(directory)
    let listener = try LocalSocketListener(.path(file))
    _ = chdir("/")
    say("ready")
    while readLine() != nil {}
    listener.close()
    say("closed")
}

/// For each line "go", starts to listen with others that do the same, and answers clients with its number if it wins;
/// for each line "die", leaves its file behind as a crash does; closes in good order when its input ends.
func raceInRounds(_ name: LocalSocketName, _ overwrite: String) throws {
    var options = LocalSocketListener.Options()
    options.overwrite = overwrite == "always" ? .always : .ifStale
    options.maxSpinTime = .seconds(20)
    var current: LocalSocketListener?
    say("waiting")
    while let line = readLine() {
        if line == "go" {
            do {
                let listener = try LocalSocketListener(name, options: options)
                current?.close()
                current = listener
                Thread {
                    for result in listener.incoming {
                        if let stream = try? result.get() { try? stream.writeAll("\(getpid())\n") }
                    }
                }.start()
                say("won")
            } catch { say("lost \(error.code)") }
        } else {
            current?.keepNameOnClose()
            current?.close()
            current = nil
            say("dead")
        }
    }
    current?.close()
}

/// Locks a directory, as any program may that can read it, until its input ends.
func lock(_ directory: String) {
    let descriptor = open(directory, O_RDONLY)
    say(flock(descriptor, LOCK_EX) == 0 ? "locked" : "error not locked")
    while readLine() != nil {}
    close(descriptor)
    say("unlocked")
}

/// Connects over and over again, with no pause, until it is killed.
func flood(_ name: LocalSocketName) throws {
    var options = LocalSocketStream.ConnectOptions()
    options.requiresPeer = .anyone
    options.wait = .timeout(.milliseconds(100))
    var isFlooding = false
    while true {
        do throws(IPCError) {
            try LocalSocketStream.connect(to: name, options: options).close()
        } catch {
            // The server has been flooded by others, as far as it goes.
            if error.code != .timedOut { return }
        }
        if !isFlooding { say("flooding") }
        isFlooding = true
    }
}

/// Says who serves, and stays connected until its input ends.
func identify(_ name: LocalSocketName) throws {
    let stream = try LocalSocketStream.connect(to: name)
    let peer = try stream.peerCredentials()
    say("peer \(peer.processID ?? -1) \(peer.userID ?? .max) \(peer.groupID ?? .max)")
    while readLine() != nil {}
}

// MARK: - Signals

private let signals = Atomic<Int>(0)

/// Lets signals rain on this thread, which interrupt its system calls.
func startStorm(restarting: Bool) {
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { _ in signals.add(1, ordering: .relaxed) }
    action.sa_flags = restarting ? SA_RESTART : 0
    sigaction(SIGUSR1, &action, nil)
    // An event loop's thread has it blocked.
    var storm = sigset_t()
    sigemptyset(&storm)
    sigaddset(&storm, SIGUSR1)
    pthread_sigmask(SIG_UNBLOCK, &storm, nil)
    let target = pthread_self()
    Thread {
        while true {
            pthread_kill(target, SIGUSR1)
            usleep(20)
        }
    }.start()
}

func sayHowManySignals() { say("signals \(signals.load(ordering: .relaxed))") }

/// The byte at a place in the transfer; the period is a prime, so that a lost piece of any even size shows.
func pattern(_ place: Int) -> UInt8 { UInt8(place % 251) }

/// Receives from one client up to the end, and says how much it was and whether every byte was the right one.
func receiveInStorm(_ name: LocalSocketName, restarting: Bool) throws {
    let listener = try LocalSocketListener(name)
    startStorm(restarting: restarting)
    say("ready")
    let stream = try listener.accept()
    var count = 0
    while true {
        // Read by different forms in turn: they wait in different ways.
        let bytes = try count % 2 == 0 ? stream.read(upTo: 60_001) : stream.read(upTo: 7001, timeout: .seconds(20))
        if bytes.isEmpty { break }
        for byte in bytes {
            guard byte == pattern(count) else {
                say("error wrong byte at \(count)")
                exit(1)
            }
            count += 1
        }
    }
    try stream.writeAll("done\n")
    say("received \(count)")
    sayHowManySignals()
}

func sendInStorm(_ name: LocalSocketName, _ count: Int, restarting: Bool) throws {
    startStorm(restarting: restarting)
    let stream = try LocalSocketStream.connect(to: name)
    var sent = 0
    while sent < count {
        let bytes = (sent..<min(count, sent + 300_007)).map(pattern)
        if sent % 2 == 0 { try stream.writeAll(bytes) } else { try stream.writeAll(bytes, timeout: .seconds(20)) }
        sent += bytes.count
    }
    try stream.shutdown(.send)
    say("answer \(try stream.readLine() ?? "none")")
    sayHowManySignals()
}
