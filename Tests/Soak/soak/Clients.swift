// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess

/// What a client does, between its coming and its going.
enum Behaviour: CaseIterable {
    case talk, halfClose, ask, askForMuch, passPipe, passChannels
    // And what none should do.
    case sayNothing, dribble, neverRead, strewDescriptors, babble, stopHalfway, die

    /// What is drawn; some of it takes long, and shall be rare.
    static func drawn(_ dice: inout Dice) -> Behaviour {
        let behaviour = allCases[.random(in: 0..<allCases.count, using: &dice)]
        let isRare = [.sayNothing, .neverRead, .die].contains(behaviour)
        return isRare && Int.random(in: 0..<16, using: &dice) != 0 ? .talk : behaviour
    }
}

private let limit = Duration.seconds(40)

/// Is one client after another; tells how many when all have gone.
func beClients(_ names: Names, seed: UInt64, rounds: Int) async throws {
    let starter = try IPCChild.inheritedStream()
    var dice = Dice(seed: seed)
    for _ in 0..<rounds {
        let behaviour = Behaviour.drawn(&dice)
        do {
            try await behave(behaviour, names, &dice)
        } catch {
            throw Failure("a client (\(behaviour), seed \(seed)): \(error)")
        }
        // One line each, so that those of a process that is killed are counted too.
        try await starter.writeAll(".\n")
    }
}

private func behave(_ behaviour: Behaviour, _ names: Names, _ dice: inout Dice) async throws {
    switch behaviour {
    case .talk: try await talk(names, &dice)
    case .halfClose: try await halfClose(names, &dice)
    case .ask, .askForMuch, .passPipe, .passChannels: try await order(behaviour, names, &dice)
    default: try await misbehave(behaviour, names, &dice)
    }
}

private func talk(_ names: Names, _ dice: inout Dice) async throws {
    let stream = try await LocalSocketStream.connect(to: names.echo)
    for _ in 0..<Int.random(in: 1...20, using: &dice) {
        let line = String(repeating: "\(dice.next()) ", count: .random(in: 1...200, using: &dice))
        try await stream.writeAll(line + "\n")
        guard try await stream.readLine(timeout: limit) == line else { throw Failure("another line came back") }
    }
}

/// Sends much, and nothing more; reads at the same time, up to the end.
private func halfClose(_ names: Names, _ dice: inout Dice) async throws {
    let stream = try await LocalSocketStream.connect(to: names.echo)
    let bytes = dice.bytes(.random(in: 0...1 << 20, using: &dice))
    async let back = stream.readToEnd(limit: 2 << 20, timeout: limit)
    try await stream.writeAll(bytes, timeout: limit)
    try await stream.shutdown(.send)
    guard try await back == bytes else { throw Failure("other bytes came back") }
}

private func order(_ behaviour: Behaviour, _ names: Names, _ dice: inout Dice) async throws {
    let connection = try await IPCConnection<Delivery, Order>.connect(to: names.orders)
    for _ in 0..<Int.random(in: 1...5, using: &dice) {
        let most = behaviour == .askForMuch ? 2 << 20 : 2000
        var order = Order(bytes: dice.bytes(.random(in: 0...most, using: &dice)))
        var pipe: UnnamedPipeReceiver?
        var (answers, words): (IPCReceiver<[UInt8]>?, IPCSender<[UInt8]>?)
        if behaviour == .passPipe {
            let (sender, receiver) = try UnnamedPipe.create()
            order.pipe = try IPCDescriptor(adopting: sender.detach())
            pipe = receiver
        }
        if behaviour == .passChannels {
            let (sender, receiver) = try IPCChannel.make(of: [UInt8].self)
            let (toServer, atServer) = try IPCChannel.make(of: [UInt8].self)
            (order.answers, answers, words, order.words) = (sender, receiver, toServer, atServer)
            order.wordCount = 3
            for _ in 0..<3 { try await words?.send(order.bytes, timeout: limit) }
        }
        let delivery = try await connection.request(order, timeout: limit)
        order.pipe?.close()
        order.answers?.close()
        guard delivery.bytes == order.bytes, delivery.byteCount == order.wordCount * order.bytes.count else {
            throw Failure("another reply came")
        }
        if let pipe, try await pipe.readToEnd(timeout: limit) != order.bytes {
            throw Failure("the pipe has other bytes")
        }
        for _ in 0..<order.wordCount where try await answers?.receive(timeout: limit) != order.bytes {
            throw Failure("the channel has another message")
        }
    }
}
