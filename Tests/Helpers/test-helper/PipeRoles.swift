// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import Synchronization

/// Sends that many bytes over a pipe of its own, and says how many came.
func sendToItself(bytes: Int) throws {
    let (sender, receiver) = try UnnamedPipe.create()
    Thread {
        do { try sender.writeAll([UInt8](repeating: 1, count: bytes), timeout: .seconds(20)) } catch { report(error) }
        sender.close()
    }.start()
    say("got \(try receiver.readToEnd(timeout: .seconds(20)).count)")
}

/// Takes what comes over the pipe that it was started with, on two threads, and says at its end how many bytes it got.
func count(over descriptor: RawDescriptor) throws {
    let receiver = try UnnamedPipeReceiver(adopting: descriptor)
    say("ready")
    let total = Atomic(0)
    let threads = DispatchGroup()
    for _ in 0..<2 {
        threads.enter()
        Thread {
            do {
                while case let count = try receiver.read(upTo: 7, timeout: .seconds(20)).count, count > 0 {
                    total.add(count, ordering: .relaxed)
                }
            } catch { report(error) }
            threads.leave()
        }.start()
    }
    threads.wait()
    say("got \(total.load(ordering: .relaxed))")
}

/// Reads without waiting from the pipe that it was started with.
func readAtOnce(from descriptor: RawDescriptor) throws {
    let receiver = try UnnamedPipeReceiver(adopting: descriptor)
    receiver.setNonblocking(true)
    say("got \(try receiver.read(upTo: 100).count)")
}

/// Writes without waiting to the pipe that it was started with.
func writeAtOnce(to descriptor: RawDescriptor) throws {
    let sender = try UnnamedPipeSender(adopting: descriptor)
    sender.setNonblocking(true)
    say("sent \(try sender.write([UInt8](repeating: 1, count: 100)))")
}
