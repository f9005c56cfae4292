// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess
internal import CWindowsTests

/// A path that nothing else has.
func uniquePath() -> String { #"\\.\pipe\interprocess-test-"# + cip_random().description }

/// Both ends of a connection.
struct Connected: Sendable {
    let server: NamedPipeStream
    let client: NamedPipeStream
}

/// A connection through a pipe that nobody else can connect to any more.
func connected(
    _ options: NamedPipeListener.Options = NamedPipeListener.Options(),
    _ clientOptions: NamedPipeStream.ConnectOptions = NamedPipeStream.ConnectOptions()
) throws(IPCError) -> Connected {
    let listener = try NamedPipeListener(uniquePath(), options: options)
    let client = try NamedPipeStream.connect(to: listener.path, options: clientOptions)
    return Connected(server: try listener.accept(), client: client)
}

/// A connection through a pipe that keeps messages.
func connectedByMessages() throws(IPCError) -> Connected {
    var options = NamedPipeListener.Options()
    options.mode = .messages
    var clientOptions = NamedPipeStream.ConnectOptions()
    clientOptions.receiveMode = .messages
    return try connected(options, clientOptions)
}

/// Bytes of which no two neighbours are equal.
func pattern(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 ^ ($0 >> 8) &* 31) } }

/// Waits until so many calls, or more, are under way on something.
func awaitCalls(_ count: UInt64, on owner: some DescriptorOwner) {
    waitUntil { owner.descriptorCore.callsUnderWay >= count }
}

/// A program of another make, in one of its roles.
func startPeer(_ role: String, _ path: String, _ more: String = "") -> Int64 {
    start("peer.exe", role + " " + path + " " + more)
}

func start(_ program: String, _ arguments: String) -> Int64 {
    let process = unsafe program.withCString { program in unsafe arguments.withCString { unsafe wt_start(program, $0) }
    }
    precondition(process >= 0, "the program cannot be started")
    return process
}
