// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess

/// What no client should do, and a server has to bear; what becomes of the client is its own concern.
func misbehave(_ behaviour: Behaviour, _ names: Names, _ dice: inout Dice) async throws {
    let name = Bool.random(using: &dice) ? names.echo : names.orders
    let stream = try await LocalSocketStream.connect(to: name)
    do {
        switch behaviour {
        case .sayNothing: try await waitForTheEnd(stream)
        case .dribble: try await dribble(stream, &dice)
        case .neverRead:
            let bytes = dice.bytes(1 << 20)
            for _ in 0..<20 { try await stream.writeAll(bytes, timeout: .milliseconds(300)) }
        case .strewDescriptors:
            #if !os(Windows)
            var attachments = UnixAttachments()
            for _ in 0..<Int.random(in: 1...253, using: &dice) { attachments.add(stream) }
            for _ in 0..<10 { try await stream.send([1, 2, 3], with: attachments, timeout: .seconds(1)) }
            #endif
        case .babble:
            for _ in 0..<10 {
                let bytes = dice.bytes(.random(in: 1...3000, using: &dice))
                try await stream.writeAll(bytes, timeout: .seconds(1))
            }
        case .stopHalfway: try await breakOff(names, &dice)
        default:
            try await breakOff(names, &dice)
            kill(getpid(), SIGKILL)
        }
    } catch let error as IPCError {
        // Whether it was cut off, or had no room, is all the same; that the server is gone is not.
        if error.code == .connectionRefused || error.code == .notFound { throw error }
    }
}

/// Says nothing until the server has had enough.
private func waitForTheEnd(_ stream: LocalSocketStream) async throws {
    do {
        _ = try await stream.readToEnd(limit: 1 << 20, timeout: .seconds(30))
    } catch {
        if error.code == .timedOut { throw Failure("the server keeps a client that says nothing") }
    }
}

/// Says a byte now and then.
private func dribble(_ stream: LocalSocketStream, _ dice: inout Dice) async throws(IPCError) {
    for _ in 0..<5 {
        try await stream.writeAll([UInt8.random(in: .min ... .max, using: &dice)], timeout: .seconds(1))
        _ = try? await stream.read(upTo: 100, timeout: .milliseconds(20))
    }
}

/// Leaves in the middle of a large value.
private func breakOff(_ names: Names, _ dice: inout Dice) async throws(IPCError) {
    let connection = try await IPCConnection<Delivery, Order>.connect(to: names.orders)
    let order = Order(bytes: dice.bytes(4 << 20))
    _ = try? await connection.request(order, timeout: .milliseconds(.random(in: 0...3, using: &dice)))
}
