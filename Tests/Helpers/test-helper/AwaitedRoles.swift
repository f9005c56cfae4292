// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import Synchronization

/// Runs what awaits in a task on the event loop's thread, and blocks this one meanwhile.
func runAwaited(_ body: @escaping @Sendable () async throws -> Void) throws {
    let outcome = Mutex<Result<Void, any Error>>(.success(()))
    let ended = DispatchSemaphore(value: 0)
    Task(executorPreference: EventLoop.shared) {
        do { try await body() } catch { outcome.withLock { $0 = .failure(error) } }
        ended.signal()
    }
    ended.wait()
    try outcome.withLock { try $0.get() }
}

/// Does what `writeWithoutReader` does, awaited.
func writeWithoutReaderAwaited(_ kind: String) async throws {
    signal(SIGPIPE, SIG_DFL)
    do {
        switch kind {
        case "pipe":
            let (sender, receiver) = try UnnamedPipe.create()
            receiver.close()
            try await sender.writeAll("x")
        case "socket":
            let (one, other) = try LocalSocketStream.pair()
            other.close()
            try await one.writeAll("x")
        default:
            let receiver = try await FIFOFile.openReceiver(at: kind, waitsForSender: false)
            let sender = try await FIFOFile.openSender(at: kind)
            receiver.close()
            try await sender.writeAll("x")
        }
    } catch { report(error) }
    saySurvived()
}

/// Sends a line over the pipe that the program was started with.
func sendAwaited(over descriptor: RawDescriptor) async throws {
    try await UnnamedPipeSender(adopting: descriptor).writeAll("from the child \(getpid())\n")
}

/// Says what comes over the pipe that the program was started with, up to its end.
func receiveAwaited(over descriptor: RawDescriptor) async throws {
    for try await line in try UnnamedPipeReceiver(adopting: descriptor).lines { say("got \(line)") }
    say("end")
}
