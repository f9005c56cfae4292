// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

/// Connections with one peer, of two ends in this process.
final class ConnectionTests: InterprocessTestCase {
    private typealias Texts = IPCConnection<String, String>

    func testValuesBothWays() throws {
        let (one, other) = try IPCConnection<String, [Int]>.pair()
        try one.send([1, 2])
        try one.send([])
        try other.send("text")
        XCTAssertEqual(try other.receive(), [1, 2])
        XCTAssertEqual(try one.receive(), "text")
        XCTAssertEqual(try other.tryReceive(), [])
        XCTAssertNil(try other.tryReceive())
        assertThrows(.timedOut) { try one.receive(timeout: .milliseconds(5)) }
        one.close()
        assertThrows(.closed) { try one.receive() }
        assertThrows(.closed) { try one.send([1]) }
        assertThrows(.disconnected) { try other.receive() }
        assertThrows(.disconnected) { try other.send("lost") }
    }

    /// Everything that was sent before the other side left comes first.
    func testWhatWasSentArrivesBeforeTheEnd() throws {
        let (one, other) = try Texts.pair()
        for number in 0..<100 { try one.send("\(number)") }
        one.close()
        for number in 0..<100 { XCTAssertEqual(try other.receive(), "\(number)") }
        assertThrows(.disconnected) { try other.receive() }
    }

    /// Whether a call that waited for a reply has read it already makes no difference.
    func testNothingComesOnceItIsClosed() throws {
        let (client, server) = try Texts.pair()
        let request = Running { try client.request("request", timeout: .seconds(20)) }
        let message = try server.receiveMessage(timeout: .seconds(20))
        try server.send("kept for whoever receives next")
        try message.reply("reply")
        XCTAssertEqual(try request.value(), "reply")
        client.close()
        assertThrows(.closed) { try client.receive() }
        assertThrows(.closed) { try client.tryReceive() }
    }

    /// What nobody has taken goes when it is closed, and not with the object.
    func testWhatIsKeptGoesWhenItIsClosed() throws {
        let (client, server) = try IPCConnection<IPCSender<Int>?, IPCSender<Int>?>.pair()
        let (sender, receiver) = try IPCChannel.make(of: Int.self)
        let request = Running { try client.request(nil, timeout: .seconds(20)) }
        let message = try server.receiveMessage(timeout: .seconds(20))
        try server.send(sender)
        try message.reply(nil)
        XCTAssertNil(try request.value())
        sender.close()
        assertThrows(.timedOut) { try receiver.receive(timeout: .zero) }
        client.close()
        assertThrows(.disconnected) { try receiver.receive(timeout: .seconds(10)) }
        assertThrows(.closed) { try client.receive() }
    }

    func testAllSizes() throws {
        let (one, other) = try IPCConnection<[UInt8], [UInt8]>.pair()
        // Around a frame, a buffer and the first piece of memory for a large message.
        let sizes = [0, 1, 100, 65_000, 65_495, 65_496, 65_500, 65_510, 65_536, 131_000, 1 << 20, 3_000_000]
        let sending = Running { for size in sizes { try one.send(pattern(size)) } }
        for size in sizes { XCTAssertEqual(try other.receive(timeout: .seconds(20)), pattern(size), "\(size)") }
        try sending.value()
    }

    func testRequests() throws {
        let (client, server) = try Texts.pair()
        let serving = Running {
            for _ in 0..<3 {
                let message = try server.receiveMessage()
                XCTAssertTrue(message.expectsReply)
                try message.reply(message.value.uppercased())
                XCTAssertFalse(message.expectsReply)
            }
            let message = try server.receiveMessage()
            XCTAssertFalse(message.expectsReply)
            XCTAssertEqual(message.value, "no reply")
        }
        for text in ["a", "bc", String(repeating: "long ", count: 50_000)] {
            XCTAssertEqual(try client.request(text, timeout: .seconds(20)), text.uppercased())
        }
        try client.send("no reply")
        try serving.value()
    }

    func testAwaitedRequests() async throws {
        try await onEachExecutor {
            let (client, server) = try Texts.pair()
            let serving = start {
                for try await message in server.messages { try await message.reply(message.value.uppercased()) }
            }
            for number in 0..<200 {
                let reply = try await client.request("text \(number)")
                XCTAssertEqual(reply, "TEXT \(number)")
            }
            let long = String(repeating: "long ", count: 100_000)
            let reply = try await client.request(long)
            XCTAssertEqual(reply, long.uppercased())
            client.close()
            try await serving.value
        }
    }

    /// The replies come in another order than the requests, and each to the call that has made it.
    func testRepliesOutOfOrder() throws {
        let (client, server) = try IPCConnection<Int, Int>.pair()
        let requests = (0..<20).map { number in Running { try client.request(number, timeout: .seconds(20)) } }
        var messages = try (0..<20).map { _ in try server.receiveMessage(timeout: .seconds(20)) }
        messages.sort { $0.value > $1.value }
        for message in messages { try message.reply(-message.value) }
        for (number, request) in requests.enumerated() { XCTAssertEqual(try request.value(), -number) }
    }

    func testRepliesOutOfOrderAwaited() async throws {
        try await onEachExecutor {
            let (client, server) = try IPCConnection<Int, Int>.pair()
            let requests = (0..<50).map { number in start { try await client.request(number) } }
            var messages: [IPCIncomingMessage<Int, Int>] = []
            while messages.count < 50 { messages.append(try await server.receiveMessage(timeout: .seconds(20))) }
            messages.sort { $0.value > $1.value }
            for message in messages { try await message.reply(-message.value) }
            for (number, request) in requests.enumerated() {
                let reply = try await request.value
                XCTAssertEqual(reply, -number)
            }
        }
    }

    /// Threads and tasks ask at the same time as messages come that are nobody's reply.
    func testEverybodyAtOnce() async throws {
        let (client, server) = try IPCConnection<Int, Int>.pair()
        let serving = Running {
            while let message = try? server.receiveMessage() {
                if message.expectsReply {
                    try server.send(message.value)
                    try message.reply(message.value + 1)
                }
            }
        }
        let threads = (0..<4).map { thread in
            Running {
                for number in 0..<200 {
                    let value = thread * 1000 + number
                    XCTAssertEqual(try client.request(value, timeout: .seconds(30)), value + 1)
                }
            }
        }
        let tasks = (4..<8).map { task in
            RunningTask(on: task % 2 == 0 ? nil : EventLoop.shared) {
                for number in 0..<200 {
                    let value = task * 1000 + number
                    let reply = try await client.request(value, timeout: .seconds(30))
                    XCTAssertEqual(reply, value + 1)
                }
            }
        }
        var seen: Set<Int> = []
        for _ in 0..<8 * 200 { seen.insert(try await client.receive(timeout: .seconds(30))) }
        for thread in threads { try await onThread { try thread.value() } }
        for task in tasks { try await task.value() }
        XCTAssertEqual(seen.count, 8 * 200)
        client.close()
        try await onThread { try serving.value() }
    }

    func testALateReplyIsDropped() throws {
        let (client, server) = try Texts.pair()
        assertThrows(.timedOut) { try client.request("slow", timeout: .milliseconds(5)) }
        let slow = try server.receiveMessage()
        let next = Running { try client.request("fast", timeout: .seconds(20)) }
        let fast = try server.receiveMessage(timeout: .seconds(20))
        try slow.reply("too late")
        try fast.reply("in time")
        XCTAssertEqual(try next.value(), "in time")
    }

    func testARequestThatNobodyAnswers() throws {
        let (client, server) = try Texts.pair()
        let requests = ["dropped", "refused", "received as a value"].map { text in
            let request = Running { try client.request(text, timeout: .seconds(20)) }
            request.waitUntilBlocked()
            return request
        }
        _ = try server.receiveMessage(timeout: .seconds(20))
        try server.receiveMessage(timeout: .seconds(20)).refuse()
        _ = try server.receive(timeout: .seconds(20))
        for request in requests { assertThrows(.noReply) { try request.value() } }
        try server.send("still there")
        XCTAssertEqual(try client.receive(), "still there")
    }

    func testOneReplyAtMost() throws {
        let (client, server) = try Texts.pair()
        let request = Running { try client.request("x", timeout: .seconds(20)) }
        let message = try server.receiveMessage()
        try message.reply("y")
        assertThrows(.invalidArgument) { try message.reply("z") }
        XCTAssertEqual(try request.value(), "y")
        try client.send("x")
        let other = try server.receiveMessage()
        assertThrows(.invalidArgument) { try other.reply("z") }
    }

    /// A reply that cannot be sent leaves the request open.
    func testAReplyThatCannotBeSent() throws {
        var options = IPCConnectionOptions()
        options.maximumMessageSize = 1000
        let (client, server) = try Texts.pair(options)
        let request = Running { try client.request("x", timeout: .seconds(20)) }
        let message = try server.receiveMessage()
        assertThrows(.messageTooLarge) { try message.reply(String(repeating: "x", count: 1000)) }
        XCTAssertTrue(message.expectsReply)
        try message.reply("short")
        XCTAssertEqual(try request.value(), "short")
    }

    /// A value that cannot be decoded is refused, and nothing else.
    func testAValueThatCannotBeDecoded() throws {
        struct Picky: Codable, Sendable {
            struct Refusal: Error {}
            var number: Int
            init(_ number: Int) { self.number = number }
            init(from decoder: any Decoder) throws {
                number = try decoder.singleValueContainer().decode(Int.self)
                if number < 0 { throw Refusal() }
            }
            func encode(to encoder: any Encoder) throws {
                var container = encoder.singleValueContainer()
                try container.encode(number)
            }
        }
        let (client, server) = try IPCConnection<Picky, Picky>.pair()
        try client.send(Picky(-1))
        assertThrows(.decodingFailed) { try server.receive() }
        let request = Running { try client.request(Picky(-2), timeout: .seconds(20)) }
        assertThrows(.decodingFailed) { try server.receive() }
        assertThrows(.noReply) { try request.value() }
        let other = Running { try client.request(Picky(3), timeout: .seconds(20)).number }
        try server.receiveMessage().reply(Picky(-3))
        assertThrows(.decodingFailed) { try other.value() }
        try client.send(Picky(4))
        XCTAssertEqual(try server.receive().number, 4)
    }
}
