// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A service with many clients: each makes requests of its own types, and gets replies.
//
//     swift run service               a server and three client processes; ends by itself
//     swift run service serve NAME    a server; end it with control-C
//     swift run service ask NAME      a client, which makes a few requests
//
// A NAME is one in the system's namespace, such as com.example.depot.

import Foundation
import Interprocess

let arguments = Array(CommandLine.arguments.dropFirst())
do {
    switch (arguments.first, arguments.count) {
    case (nil, 0): try await demonstrate()
    case ("serve", 2): try await Depot().serve(.namespaced(arguments[1]))
    case ("ask", 2): try await ask(.namespaced(arguments[1]))
    default:
        say("usage: service [serve NAME | ask NAME]")
        exit(2)
    }
} catch {
    FileHandle.standardError.write(Data("service: \(error)\n".utf8))
    exit(1)
}
