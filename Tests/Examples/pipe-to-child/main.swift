// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Hands the ends of unnamed pipes to child processes, in the two usual ways. `swift run pipe-to-child`

import Foundation
import Interprocess

/// With Foundation: a pipe becomes a child's standard input, another one its standard output.
func withFoundation() throws {
    let (toChild, childInput) = try UnnamedPipe.create()
    let (childOutput, fromChild) = try UnnamedPipe.create()

    let child = Process()
    child.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    child.arguments = ["tr", "a-z", "A-Z"]
    // Detaching gives the descriptors away: the file handles own them from here on.
    child.standardInput = FileHandle(fileDescriptor: try childInput.detach(), closeOnDealloc: true)
    child.standardOutput = FileHandle(fileDescriptor: try childOutput.detach(), closeOnDealloc: true)
    try child.run()
    // Only the child must hold its ends now: the end of a stream comes when the last sender is closed.
    try (child.standardInput as? FileHandle)?.close()
    try (child.standardOutput as? FileHandle)?.close()

    try toChild.writeAll("hello from the parent\n")
    toChild.close()
    print("Process:     the child says: \(try fromChild.readLine() ?? "nothing")")
    child.waitUntilExit()
}

/// With posix_spawn: the child gets the end under a number that both sides know, and adopts it.
func withSpawn() throws {
    let (sender, receiver) = try UnnamedPipe.create()

    #if canImport(Darwin)
    var actions: posix_spawn_file_actions_t?
    #else
    var actions = posix_spawn_file_actions_t()
    #endif
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    // In the child alone: no other program that starts at this moment inherits the end.
    try sender.withUnsafeDescriptor { _ = posix_spawn_file_actions_adddup2(&actions, $0, 3) }

    var arguments = [strdup(CommandLine.arguments[0]), strdup("--child"), strdup("3"), nil]
    defer { arguments.forEach { free($0) } }
    var child: pid_t = 0
    let result = posix_spawn(&child, CommandLine.arguments[0], &actions, nil, &arguments, environ)
    guard result == 0 else { throw POSIXError(POSIXErrorCode(rawValue: result) ?? .ENOENT) }
    sender.close()

    while let line = try receiver.readLine() { print("posix_spawn: the child says: \(line)") }
    var status: Int32 = 0
    waitpid(child, &status, 0)
    if status != 0 { exit(1) }
}

if CommandLine.arguments.count == 3, CommandLine.arguments[1] == "--child" {
    let sender = try UnnamedPipeSender(adopting: RawDescriptor(CommandLine.arguments[2]) ?? -1)
    try sender.writeAll("hello from process \(getpid())\n")
} else {
    try withFoundation()
    try withSpawn()
}
