// SPDX-License-Identifier: MIT OR Apache-2.0

#if !canImport(Darwin)
import CBenchmark
import Interprocess

/// What one process has of two channels, one each way.
protocol MessageEnds: Codable, Sendable {
    /// Makes both channels: one's own ends, and the other process's.
    static func make() throws(IPCError) -> (Self, Self)

    /// Receives a message, and checks its size.
    func receive() throws -> Bool
}

extension MessageEnds {
    /// Makes both channels, and gives the other process its ends.
    static func make(_ socket: Int32) throws -> Self {
        let (own, theirs) = try make()
        try IPCSender<Self>(adopting: IPCDescriptor(adopting: socket)).send(theirs)
        return own
    }

    static func receive(_ socket: Int32) throws -> Self {
        try IPCReceiver<Self>(adopting: IPCDescriptor(adopting: socket)).receive()
    }

    /// Measures what the order says.
    @inline(__always)
    func time(_ order: Order, _ send: () throws -> Void) throws -> Sample {
        if order.work == .echo {
            return try withTimes(order.count) { times in
                for _ in 0..<order.count / 10 { try roundTrip(send) }
                for done in 0..<order.count {
                    let start = cb_now()
                    try roundTrip(send)
                    times[done] = cb_now() - start
                }
            }
        }
        for _ in 0..<order.warmUp { try send() }
        try receiveOne()
        let start = cb_now()
        for _ in 0..<order.count { try send() }
        try receiveOne()
        return Sample(order.count, sinceNanoseconds: start)
    }

    /// Does the other process's part.
    @inline(__always)
    func obey(_ order: Order, _ send: () throws -> Void) throws {
        if order.work == .echo {
            while try receive() { try send() }
            return
        }
        for count in [order.warmUp, order.count] {
            for _ in 0..<count { try receiveOne() }
            try send()
        }
    }

    @inline(__always)
    private func roundTrip(_ send: () throws -> Void) throws {
        try send()
        try receiveOne()
    }

    @inline(__always)
    fileprivate func receiveOne() throws {
        if try !receive() { throw Failure("the other process ended early") }
    }
}

/// Receives; returns whether the other side is still there.
@inline(__always)
private func unlessDisconnected(_ receive: () throws(IPCError) -> Void) throws -> Bool {
    do throws(IPCError) {
        try receive()
        return true
    } catch {
        if error.code == .disconnected { return false }
        throw error
    }
}

struct BytesEnds: MessageEnds {
    let sender: IPCBytesSender
    let receiver: IPCBytesReceiver

    static func make() throws(IPCError) -> (BytesEnds, BytesEnds) {
        let there = try IPCChannel.makeBytes()
        let back = try IPCChannel.makeBytes()
        return (
            BytesEnds(sender: there.sender, receiver: back.receiver),
            BytesEnds(sender: back.sender, receiver: there.receiver)
        )
    }

    @inline(__always)
    func receive() throws -> Bool {
        try unlessDisconnected { () throws(IPCError) in try receiver.withMessage { (_) throws(IPCError) in } }
    }

    /// Measures messages as they come.
    func timeReceiving(_ order: Order) throws -> Sample {
        for _ in 0..<order.warmUp { try receiveOne() }
        let start = cb_now()
        for _ in 0..<order.count { try receiveOne() }
        return Sample(order.count, sinceNanoseconds: start)
    }

    /// Sends them, in a task on the thread of a loop.
    func sendCollected(_ memory: Memory, _ order: Order) throws {
        nonisolated(unsafe) let message = UnsafeRawBufferPointer(memory.bytes)
        let done = try LentPipe(lending: .sender)
        Task(executorPreference: EventLoop()) {
            do {
                if order.cpu >= 0 { try check(cb_pin(order.cpu), "pinning") }
                for _ in 0..<order.warmUp + order.count { try await sender.send(message) }
                try await sender.flush()
            } catch {
                cb_complain("\(error)")
                cb_fail()
            }
            cb_close(done.lent)
        }
        var byte: UInt8 = 0
        try check(cb_take(done.kept, &byte, 1), "waiting for a task")
        cb_close(done.kept)
    }
}

extension BytesEnds {
    /// Sends them, 1,000 by a call.
    func sendBatches(_ message: [UInt8], _ order: Order) throws {
        let batch = [[UInt8]](repeating: message, count: 1000)
        var left = order.warmUp + order.count
        while left > 0 {
            let count = min(left, 1000)
            try sender.send(contentsOf: count == batch.count ? batch : [[UInt8]](batch.prefix(count)))
            left -= count
        }
    }
}

/// Ends of channels for bytes, used as those for values are.
struct ArrayEnds: MessageEnds {
    let ends: BytesEnds

    static func make() throws(IPCError) -> (ArrayEnds, ArrayEnds) {
        let (own, theirs) = try BytesEnds.make()
        return (ArrayEnds(ends: own), ArrayEnds(ends: theirs))
    }

    @inline(__always)
    func receive() throws -> Bool { try unlessDisconnected { () throws(IPCError) in _ = try ends.receiver.receive() } }

    func time(_ message: [UInt8], _ order: Order) throws -> Sample {
        try time(order) { try ends.sender.send(message) }
    }

    func obey(_ message: [UInt8], _ order: Order) throws { try obey(order) { try ends.sender.send(message) } }
}

struct Ends<Message: Codable & Sendable>: MessageEnds {
    let sender: IPCSender<Message>
    let receiver: IPCReceiver<Message>

    static func make() throws(IPCError) -> (Ends, Ends) {
        let there = try IPCChannel.make(of: Message.self)
        let back = try IPCChannel.make(of: Message.self)
        return (
            Ends(sender: there.sender, receiver: back.receiver), Ends(sender: back.sender, receiver: there.receiver)
        )
    }

    @inline(__always)
    func receive() throws -> Bool { try unlessDisconnected { () throws(IPCError) in _ = try receiver.receive() } }

    func time(_ message: Message, _ order: Order) throws -> Sample { try time(order) { try sender.send(message) } }

    func obey(_ message: Message, _ order: Order) throws { try obey(order) { try sender.send(message) } }
}
#endif
