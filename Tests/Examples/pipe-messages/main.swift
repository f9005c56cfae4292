// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Messages through a named pipe of Windows: several processes write entries into a log, and are told their numbers.
//
//     swift run pipe-messages                      a server and three client processes; ends by itself
//     swift run pipe-messages write PATH ENTRY...  a client; a PATH is like \\.\pipe\com.example.log

#if os(Windows)
import Interprocess

/// Keeps a log for three processes that it starts.
func demonstrate() throws {
    let listener = try makeLog(at: #"\\.\pipe\com.example.log."# + String(UInt64.random(in: 0...UInt64.max), radix: 36))
    let clients = try (1...3).map { number in
        let entries = ["client \(number) is there", "", "an entry\nof two lines"]
        return try IPCChild.spawn(CommandLine.arguments[0], arguments: ["write", listener.path] + entries)
    }
    try keepLog(listener, clients: clients.count) { entry, process in print("process \(process): \(entry)") }
    for client in clients where try !client.wait(timeout: .seconds(10)).isSuccess { fatalError("a client has failed") }
}

let arguments = Array(CommandLine.arguments.dropFirst())
if arguments.count > 2, arguments[0] == "write" {
    for answer in try write(Array(arguments[2...]), toLogAt: arguments[1]) { print(answer) }
} else {
    try demonstrate()
}
#else
print("this example uses Windows' named pipes, which other systems do not have")
#endif
