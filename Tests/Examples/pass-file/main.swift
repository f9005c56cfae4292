// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Passes an open file to another process, which could not open it itself: by then it has no name any more.
//
//     swift run pass-file

import Foundation
import Interprocess

/// Starts the other process, and passes the file to whoever connects.
func send() throws {
    let path = NSTemporaryDirectory() + "pass-file-\(getpid())"
    try Data("what is in the file\n".utf8).write(to: URL(fileURLWithPath: path))
    let file = try IPCDescriptor(adopting: open(path, O_RDONLY))
    unlink(path)

    let listener = try UnixListener(address: .path(path))
    let child = Process()
    child.executableURL = URL(fileURLWithPath: CommandLine.arguments[0])
    child.arguments = ["receive", path]
    try child.run()
    let stream = try listener.accept(timeout: .seconds(10))
    try stream.sendAll(Array("a file without a name".utf8), with: .descriptors(file))
    print("process \(getpid()) has sent it")
    child.waitUntilExit()
    if child.terminationStatus != 0 { exit(1) }
}

/// The other process: prints what it is told, and what is in the file that comes with it.
func receive(from path: String) throws {
    let stream = try UnixStream.connect(toAddress: .path(path))
    let (bytes, message) = try stream.receive(upTo: 4096, maximumDescriptors: 1, timeout: .seconds(10))
    guard let descriptor = message.descriptors.first else {
        print("no file came")
        exit(1)
    }
    print("process \(getpid()) has received \(String(decoding: bytes, as: UTF8.self))")
    // Detaching gives the descriptor away: the file handle owns it from here on.
    let file = FileHandle(fileDescriptor: try descriptor.detach(), closeOnDealloc: true)
    print("it reads: \(String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self))", terminator: "")
}

if CommandLine.arguments.count == 3, CommandLine.arguments[1] == "receive" {
    try receive(from: CommandLine.arguments[2])
} else {
    try send()
}
