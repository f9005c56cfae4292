// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Programs that talk over local sockets.
//
//     swift run talk                  a server and six client processes, over both kinds of names; ends by itself
//     swift run talk serve NAME       a server: what you type goes to every client
//     swift run talk connect NAME     a client: what you type goes to the server
//
// A NAME with a slash in it is a socket file's path, any other a name in the system's namespace. What is sent are lines
// of text, so other programs can take either part: `socat - UNIX-CONNECT:/tmp/talk.sock`, `socat -
// ABSTRACT-CONNECT:com.example.talk`.

import Foundation
import Interprocess

/// A name as it is given on the command line.
func parse(_ text: String) throws(IPCError) -> LocalSocketName {
    text.contains("/") ? try .path(text) : try .namespaced(text)
}

/// Prints a line at once, also into a pipe or a file.
func say(_ line: String) {
    FileHandle.standardOutput.write(Data((line + "\n").utf8))
}

let arguments = Array(CommandLine.arguments.dropFirst())
do {
    switch (arguments.first, arguments.count) {
    case (nil, 0): try await demonstrate()
    case ("serve", 2): try await serve(parse(arguments[1]))
    case ("connect", 2): try await connect(to: parse(arguments[1]))
    case ("greet", 2): exit(try await greet(parse(arguments[1])) ? 0 : 1)
    default:
        say("usage: talk [serve NAME | connect NAME]")
        exit(2)
    }
} catch {
    FileHandle.standardError.write(Data("talk: \(error)\n".utf8))
    exit(1)
}
