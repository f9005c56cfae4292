// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import Synchronization

/// Says what is in the region that it was started with.
func readRegion(_ descriptor: RawDescriptor) throws {
    let region = try SharedRegion(adopting: descriptor)
    say("got \(region.withUnsafeBytes { String(decoding: $0, as: UTF8.self) })")
}

/// What a test sends to a process that reads a pool.
struct PoolGreeting: Codable, Sendable {
    var reader: SharedRegionPool.Reader
    var handles: IPCReceiver<SharedRegionPool.Handle>
}

/// Adds up the bytes of each message in a pool; ends with the last one open, in an instant, when it is told to.
func readPool(over descriptor: RawDescriptor, thenDie: Bool) throws {
    let channel = try IPCReceiver<PoolGreeting>(adopting: IPCDescriptor(adopting: descriptor))
    let greeting = try channel.receive()
    say("ready")
    do throws(IPCError) {
        while true {
            let content = try greeting.reader.open(greeting.handles.receive())
            say("sum \(content.withUnsafeBytes { $0.reduce(0) { $0 &+ UInt64($1) } })")
            if thenDie { kill(getpid(), SIGKILL) }
        }
    } catch { say("\(error.code)") }
}

/// Counts up the number at the beginning of the memory that it is sent.
func countInMemory(over descriptor: RawDescriptor, times: Int) throws {
    let channel = try IPCReceiver<UnsafeSharedMemory>(adopting: IPCDescriptor(adopting: descriptor))
    let memory = try channel.receive()
    say("ready")
    for _ in 0..<times { memory.withAtomic(UInt64.self, at: 0) { _ = $0.wrappingAdd(1, ordering: .relaxed) } }
    say("done")
}
