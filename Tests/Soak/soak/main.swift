// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A server that is used, and misused, by thousands of client processes for as long as you like: does it stay as it is?
//
//     swift run -c release soak --minutes 30
//
// It fails when the server's memory, descriptors or threads grow, when anything comes back otherwise than it was sent, or
// when the server or a client that behaves well stops.

import Foundation
import Interprocess

/// Prints a line at once, also into a pipe or a file.
func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

/// Something that must not happen.
struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

do {
    var words = Array(CommandLine.arguments.dropFirst())
    switch words.first {
    case "--server": try await serve(words[1])
    case "--client": try await beClients(Names(words[1]), seed: UInt64(words[2]) ?? 0, rounds: Int(words[3]) ?? 0)
    case "--steady": try beSteady(Names(words[1]), seed: UInt64(words[2]) ?? 0)
    default: if try await !Soak(Arguments(&words)).run() { exit(1) }
    }
} catch {
    FileHandle.standardError.write(Data("soak: \(error)\n".utf8))
    exit(1)
}
