// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A server that is told by signals what to do: to read its settings again, and to end when its clients are served.
//
//     swift run orderly-end            starts such a server, sends it signals, and shows what it does
//     swift run orderly-end serve      the server; try control-C

#if !os(Windows)
import Foundation
import Interprocess

/// Serves until it is asked to end.
func serve() async throws {
    // Watched before anybody can know the process, so that none is missed.
    let signals = try Signals([.interrupt, .terminate, .hangup])
    let name = try LocalSocketName.namespaced("com.example.orderly-end.\(getpid())")
    let listener = try LocalSocketListener(name)
    say("process \(getpid()) serves at \(name)")
    var options = LocalSocketListener.ServeOptions()
    options.gracePeriod = .seconds(2)
    let server = Task { [options] in
        try await listener.serve(options: options) { client in
            for try await line in client.lines { try await client.writeAll("served: \(line)\n") }
        }
    }
    for try await info in signals {
        if info.signal != .hangup {
            say("\(info.signal) has come: ending")
            break
        }
        say("\(info.signal) has come: reading the settings again")
    }
    // Its clients have two seconds to come to an end.
    server.cancel()
    _ = await server.result
    say("no client is left")
}

/// Runs the server, and has it end.
func demonstrate() throws {
    let child = Process()
    child.executableURL = URL(fileURLWithPath: CommandLine.arguments[0])
    child.arguments = ["serve"]
    let output = Pipe()
    child.standardOutput = output
    try child.run()
    // Its first line says that it is there.
    say(String(decoding: output.fileHandleForReading.availableData, as: UTF8.self), terminator: "")
    let client = try LocalSocketStream.connect(to: .namespaced("com.example.orderly-end.\(child.processIdentifier)"))
    try Signal.hangup.send(to: child.processIdentifier)
    try client.writeAll("a request\n")
    say(try client.readLine(timeout: .seconds(10)) ?? "the server hung up")
    try Signal.terminate.send(to: child.processIdentifier)
    client.close()
    say(String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self), terminator: "")
    child.waitUntilExit()
    say("it ended with status \(child.terminationStatus)")
}

/// Prints a line at once, also into a pipe.
func say(_ line: String, terminator: String = "\n") {
    FileHandle.standardOutput.write(Data((line + terminator).utf8))
}

switch CommandLine.arguments.dropFirst() {
case []: try demonstrate()
case ["serve"]: try await serve()
default:
    say("usage: orderly-end [serve]")
    exit(2)
}
#else
print("this example sends signals, which Windows does not have")
#endif
