// SPDX-License-Identifier: MIT OR Apache-2.0

#if os(Windows)
import Interprocess

/// Makes the pipe of a log, to which every user of the machine may write.
func makeLog(at path: String) throws(IPCError) -> NamedPipeListener {
    var options = NamedPipeListener.Options()
    options.mode = .messages
    // By default only the current user may connect.
    options.securityDescriptor = try .authenticatedUsers()
    return try NamedPipeListener(path, options: options)
}

/// Serves so many clients, one after the other: each message is an entry, and is answered by its number.
func keepLog(
    _ listener: NamedPipeListener,
    clients: Int,
    _ show: (_ entry: String, _ process: UInt32) -> Void
) throws(IPCError) {
    var count = 0
    for _ in 0..<clients {
        let client = try listener.accept(timeout: .seconds(10))
        while let entry = try client.receiveMessage(timeout: .seconds(10)) {
            count += 1
            show(String(decoding: entry, as: UTF8.self), try client.peerProcessID)
            try client.sendMessage(Array("entry \(count)".utf8))
        }
    }
}

/// Writes entries into a log, and returns what it answers.
func write(_ entries: [String], toLogAt path: String) throws(IPCError) -> [String] {
    var options = NamedPipeStream.ConnectOptions()
    options.receiveMode = .messages
    options.timeout = .seconds(10)
    let log = try NamedPipeStream.connect(to: path, options: options)
    var answers: [String] = []
    for entry in entries {
        // Lines, or none at all: it arrives as the one message that it is.
        try log.sendMessage(Array(entry.utf8))
        let answer = try log.receiveMessage(timeout: .seconds(10)) ?? []
        answers.append(String(decoding: answer, as: UTF8.self))
    }
    return answers
}
#endif
