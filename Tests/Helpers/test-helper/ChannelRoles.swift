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

/// Echoes messages while signals interrupt every call, until there are no more.
func echoMessagesInStorm(from receiving: RawDescriptor, to sending: RawDescriptor) throws {
    let receiver = try IPCBytesReceiver(adopting: IPCDescriptor(adopting: receiving))
    let sender = try IPCBytesSender(adopting: IPCDescriptor(adopting: sending))
    startStorm(restarting: false)
    say("ready")
    var count = 0
    do throws(IPCError) {
        while true {
            // By different forms in turn: they wait in different ways.
            let message = try count % 2 == 0 ? receiver.receive() : receiver.receive(timeout: .seconds(20))
            if count % 4 < 2 { try sender.send(message) } else { try sender.send(message, timeout: .seconds(20)) }
            count += 1
        }
    } catch { say("\(error.code) after \(count)") }
    sayHowManySignals()
}

/// What the tests send to a process first.
struct Introduction: Codable, Sendable {
    var name: String
    var words: IPCReceiver<String>
    var back: IPCSender<IPCSender<String>>
}

/// Sends back a sender of its own, and has a word by it; then says what comes.
func introduce(over descriptor: RawDescriptor) throws {
    let channel = try IPCReceiver<Introduction>(adopting: IPCDescriptor(adopting: descriptor))
    let introduction = try channel.receive()
    let (sender, receiver) = try IPCChannel.make(of: String.self)
    try introduction.back.send(sender)
    sender.close()
    say("told \(try receiver.receive()) and \(try introduction.words.receive())")
    do throws(IPCError) { _ = try receiver.receive() } catch { say("\(error.code)") }
}
