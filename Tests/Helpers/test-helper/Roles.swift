// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess

/// Echoes every line of that many clients, each on a thread of its own, and ends.
func serve(_ name: LocalSocketName, clients: Int) throws {
    let listener = try LocalSocketListener(name)
    say("ready")
    let threads = DispatchGroup()
    for result in listener.incoming.prefix(clients) {
        let stream = try result.get()
        threads.enter()
        Thread {
            while let line = try? stream.readLine() {
                if (try? stream.writeAll(line + "\n")) == nil { break }
            }
            stream.close()
            threads.leave()
        }.start()
    }
    threads.wait()
}

/// Listens until its input ends, or it is killed.
///
/// Accepts nobody.
func listen(_ name: LocalSocketName, _ overwrite: String) throws {
    var options = LocalSocketListener.Options()
    options.overwrite = overwrite == "always" ? .always : overwrite == "never" ? .never : .ifStale
    let listener = try LocalSocketListener(name, options: options)
    say("ready")
    while readLine() != nil {}
    listener.close()
}

/// Starts to listen when told to, with others that do the same; says who it is to one client after another, until its
/// input ends.
func race(_ name: LocalSocketName) throws {
    say("waiting")
    _ = readLine()
    let listener: LocalSocketListener
    do { listener = try LocalSocketListener(name) } catch {
        say("lost \(error.code)")
        return
    }
    say("won")
    Thread {
        for result in listener.incoming {
            if let stream = try? result.get() { try? stream.writeAll("\(getpid())\n") }
        }
    }.start()
    while readLine() != nil {}
    listener.close()
}

/// Connects, and says whether that worked and what the first line from the server is.
func connect(_ name: LocalSocketName) throws {
    let stream = try LocalSocketStream.connect(to: name)
    say("connected")
    do {
        say("line \(try stream.readLine() ?? "none")")
    } catch { report(error) }
}

/// Sends numbered lines and checks that each comes back.
func echo(_ name: LocalSocketName, lines: Int) throws {
    let stream = try LocalSocketStream.connect(to: name)
    for number in 0..<lines {
        let line = "\(getpid()) \(number) " + String(repeating: "x", count: number % 3000)
        try stream.writeAll(line + "\n")
        guard try stream.readLine() == line else {
            say("error another line came back")
            exit(1)
        }
    }
    say("echoed \(lines)")
}

/// Connects and does nothing until its input ends, or it is killed.
func hold(_ name: LocalSocketName) throws {
    let stream = try LocalSocketStream.connect(to: name)
    say("connected")
    while readLine() != nil {}
    stream.close()
}

/// Says which descriptors beside the standard ones it was started with.
func listDescriptors() {
    let open = (3..<1024).filter { fcntl(Int32($0), F_GETFD) >= 0 }
    say("open " + open.map(String.init).joined(separator: " "))
}

/// Writes to a pipe, a FIFO or a socket whose receiver is gone, with SIGPIPE as every program has it at first.
func writeWithoutReader(_ kind: String) throws {
    signal(SIGPIPE, SIG_DFL)
    do {
        switch kind {
        case "pipe":
            let (sender, receiver) = try UnnamedPipe.create()
            receiver.close()
            try sender.writeAll("x")
        case "socket":
            let (one, other) = try LocalSocketStream.pair()
            other.close()
            try one.writeAll("x")
        default:
            let receiver = try FIFOFile.openReceiver(at: kind, waitsForSender: false)
            let sender = try FIFOFile.openSender(at: kind)
            receiver.close()
            try sender.writeAll("x")
        }
    } catch { report(error) }
    saySurvived()
}

/// Says so, unless a SIGPIPE that came on this thread while it was blocked, and was not taken, comes now.
func saySurvived() {
    var broken = sigset_t()
    sigemptyset(&broken)
    sigaddset(&broken, SIGPIPE)
    pthread_sigmask(SIG_UNBLOCK, &broken, nil)
    say("survived")
}

/// Writes to pipes that nobody reads while a SIGPIPE of somebody else's waits to be taken, and says whether it still does.
func keepPendingSignal() throws {
    var broken = sigset_t()
    sigemptyset(&broken)
    sigaddset(&broken, SIGPIPE)
    pthread_sigmask(SIG_BLOCK, &broken, nil)
    pthread_kill(pthread_self(), SIGPIPE)
    for _ in 0..<3 {
        let (sender, receiver) = try UnnamedPipe.create()
        receiver.close()
        do { try sender.writeAll("x") } catch { report(error) }
    }
    var pending = sigset_t()
    sigpending(&pending)
    say(sigismember(&pending, SIGPIPE) == 1 ? "still pending" : "taken away")
}

/// Sends a line over the pipe that it was started with.
func send(over descriptor: RawDescriptor) throws {
    try UnnamedPipeSender(adopting: descriptor).writeAll("from the child \(getpid())\n")
}

/// Says what comes over the pipe that it was started with, up to its end.
func receive(over descriptor: RawDescriptor) throws {
    let receiver = try UnnamedPipeReceiver(adopting: descriptor)
    while let line = try receiver.readLine() { say("got \(line)") }
    say("end")
}

/// Echoes the lines of the stream that it was started with.
func talk(over descriptor: RawDescriptor) throws {
    let stream = try LocalSocketStream(adopting: descriptor)
    while let line = try stream.readLine() { try stream.writeAll("child: " + line + "\n") }
}

/// Serves one client of each listener that it was started with, as systemd starts programs.
func activated() throws {
    // posix_spawn cannot tell a child its own number: a shell would; here the test says "mine".
    if ProcessInfo.processInfo.environment["LISTEN_PID"] == "mine" { setenv("LISTEN_PID", "\(getpid())", 1) }
    let listeners = try LocalSocketListener.inherited()
    say("listeners \(listeners.count)")
    for listener in listeners {
        say("name \(listener.name?.description ?? "none")")
        try listener.accept().writeAll("activated\n")
        listener.close()
    }
}

/// For each line of input, reads in vain for 300 milliseconds, spinning if it may, and says for how many of them the
/// processor was busy.
func spin() throws {
    let (one, other) = try LocalSocketStream.pair()
    one.spinTime = .seconds(1000)
    say("ready")
    while readLine() != nil {
        let before = clock()
        _ = try? one.read(upTo: 1, timeout: .milliseconds(300))
        say("busy \((clock() - before) * 1000 / CLOCKS_PER_SEC)")
    }
    other.close()
}
