// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess

/// Answers each message with what it says, by the sending end that came with the first one.
func echoMessages(over descriptor: RawDescriptor) throws {
    let receiver = try IPCBytesReceiver(adopting: IPCDescriptor(adopting: descriptor))
    say("ready")
    let first = try receiver.receiveMessage()
    let answers = try IPCBytesSender(adopting: first.takeDescriptor(0))
    try answers.send(first.bytes)
    do throws(IPCError) {
        while true { try answers.send(receiver.receive()) }
    } catch { say("\(error.code)") }
}

/// Sends that many messages of a size.
func sendMessages(over descriptor: RawDescriptor, count: Int, size: Int) throws {
    let sender = try IPCBytesSender(adopting: IPCDescriptor(adopting: descriptor))
    for number in 0..<count { try sender.send([UInt8](repeating: UInt8(truncatingIfNeeded: number), count: size)) }
    say("done")
}
