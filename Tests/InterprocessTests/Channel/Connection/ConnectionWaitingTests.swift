// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

/// Who reads for whom, and how much is kept for those who do not.
final class ConnectionWaitingTests: InterprocessTestCase {
    private typealias Numbers = IPCConnection<Int, Int>

    /// No more is kept than the options say: then the one who waits for a reply has to wait until somebody receives.
    func testWaitingMessagesAreLimited() throws {
        for options in [
            connectionOptions { $0.maximumWaitingMessages = 10 },
            connectionOptions { $0.maximumWaitingBytes = 10 * (try! encoded(1).count) },
        ] {
            let (client, server) = try Numbers.pair(options)
            let request = Running { try client.request(0, timeout: .seconds(20)) }
            let message = try server.receiveMessage()
            for number in 1...100 { try server.send(number) }
            try message.reply(-1)
            assertThrows(.timedOut) { try client.request(0, timeout: .milliseconds(20)) }
            XCTAssertFalse(request.hasEnded)
            for number in 1...100 { XCTAssertEqual(try client.receive(timeout: .seconds(20)), number) }
            XCTAssertEqual(try request.value(), -1)
        }
    }

    /// The same for requests that nobody answers.
    func testUnansweredRequestsAreLimited() throws {
        let (client, server) = try Numbers.pair(connectionOptions { $0.maximumUnansweredRequests = 3 })
        let requests = (0..<5).map { number in Running { try client.request(number, timeout: .seconds(20)) } }
        var messages = try (0..<3).map { _ in try server.receiveMessage(timeout: .seconds(20)) }
        XCTAssertNil(try server.tryReceiveMessage())
        assertThrows(.timedOut) { try server.receiveMessage(timeout: .milliseconds(10)) }
        // Who waits is woken by an answer, of whatever kind.
        let waiting = Running { try server.receiveMessage(timeout: .seconds(20)) }
        waiting.waitUntilBlocked()
        try messages.removeLast().reply(1)
        messages.append(try waiting.value())
        messages.removeLast().refuse()
        messages.append(try server.receiveMessage(timeout: .seconds(20)))
        for message in messages { try message.reply(1) }
        XCTAssertEqual(requests.map { (try? $0.value()) == nil }.filter { $0 }.count, 1)
    }

    /// Those who wait while another one reads are told when that one leaves, in every way that it can.
    func testTheTurnIsPassedOn() async throws {
        try await onEachExecutor {
            let (client, server) = try Numbers.pair()
            // The first one reads, and leaves because its time is over, or it is cancelled, or it has its reply.
            let brief = start { try await client.request(1, timeout: .seconds(1)) }
            await self.waitUntilAwaited(client)
            let cancelled = start { try await client.request(2) }
            let answered = start { try await client.request(3) }
            let receiving = start { try await client.receive() }
            var messages: [Int: IPCIncomingMessage<Int, Int>] = [:]
            while messages.count < 3 {
                let message = try await server.receiveMessage(timeout: .seconds(20))
                messages[message.value] = message
            }
            await self.assertThrows(.timedOut) { try await brief.value }
            cancelled.cancel()
            await self.assertThrows(.cancelled) { try await cancelled.value }
            try await messages[3]?.reply(33)
            let reply = try await answered.value
            XCTAssertEqual(reply, 33)
            try await server.send(4)
            let received = try await receiving.value
            XCTAssertEqual(received, 4)
        }
    }

    func testTheTurnIsPassedOnBetweenThreads() throws {
        let (client, server) = try Numbers.pair()
        let brief = Running { try client.request(1, timeout: .seconds(1)) }
        brief.waitUntilBlocked()
        let others = (2..<6).map { number in Running { try client.request(number, timeout: .seconds(20)) } }
        let receiving = Running { try client.receive(timeout: .seconds(20)) }
        let messages = try (0..<5).map { _ in try server.receiveMessage(timeout: .seconds(20)) }
        assertThrows(.timedOut) { try brief.value() }
        for message in messages.reversed() { try message.reply(10 * message.value) }
        for (number, request) in zip(2..<6, others) { XCTAssertEqual(try request.value(), 10 * number) }
        try server.send(7)
        XCTAssertEqual(try receiving.value(), 7)
    }

    /// Several receivers share what comes: each value goes to one of them.
    func testSeveralReceivers() async throws {
        let (one, other) = try Numbers.pair()
        let seen = Seen<Int>()
        let threads = (0..<3).map { _ in Running { while let value = try? other.receive() { seen.append(value) } } }
        let tasks = [nil, EventLoop.shared as (any TaskExecutor)?].map { executor in
            RunningTask(on: executor) { for try await value in other { seen.append(value) } }
        }
        for number in 0..<2000 { try await one.send(number) }
        one.close()
        for thread in threads { try await onThread { try thread.value() } }
        for task in tasks { try await task.value() }
        XCTAssertEqual(seen.values.sorted(), Array(0..<2000))
    }

    /// A cancelled call takes nothing away from the next one.
    func testCancelledReceiving() async throws {
        try await onEachExecutor {
            let (one, other) = try Numbers.pair()
            for number in 0..<20 {
                let receiving = start { try await other.receive() }
                if number % 2 == 0 { await self.waitUntilAwaited(other) }
                receiving.cancel()
                await self.assertThrows(.cancelled) { try await receiving.value }
                try await one.send(number)
                let received = try await other.receive(timeout: .seconds(20))
                XCTAssertEqual(received, number)
            }
        }
    }

    private final class Thing: Codable, Sendable {}

    /// What was kept, and has been received, is its receiver's alone.
    func testWhatIsReceivedIsNotKept() throws {
        let (client, server) = try IPCConnection<Thing, Int>.pair()
        for _ in 0..<3 { try server.send(Thing()) }
        assertThrows(.timedOut) { try client.request(1, timeout: .milliseconds(20)) }
        for _ in 0..<3 {
            var thing: Thing? = try XCTUnwrap(try client.tryReceive())
            weak let present = thing
            XCTAssertNotNil(present)
            thing = nil
            XCTAssertNil(present)
        }
    }

    /// Who is told of a message, and leaves without it, tells the next one, also while another call goes on reading.
    func testAMessageForOneWhoLeavesIsAnothers() async throws {
        let (client, server) = try Numbers.pair()
        let reading = Running { try client.request(1, timeout: .seconds(20)) }
        reading.waitUntilBlocked()
        let behind = Running { try client.request(2, timeout: .seconds(20)) }
        behind.waitUntilBlocked()
        let leaving = RunningTask(on: EventLoop.shared) { try await client.receive() }
        await waitUntilAwaited()
        let next = Running { try client.receive(timeout: .seconds(20)) }
        next.waitUntilBlocked()
        let requests = try await EventLoop.shared.block {
            let requests = try (0..<2).map { _ in try server.receiveMessage(timeout: .seconds(20)) }
            leaving.cancel()
            // When the reply has come, so has the message: to the one who does not know yet that it was cancelled.
            try server.send(5)
            try requests.first { $0.value == 2 }?.reply(20)
            XCTAssertEqual(try behind.value(), 20)
            return requests
        }
        await assertThrows(.cancelled) { try await leaving.value() }
        try await assertEqual(5) { try await onThread { try next.value() } }
        try await requests.first { $0.value == 1 }?.reply(10)
        try await assertEqual(10) { try await onThread { try reading.value() } }
    }

    func testDefaultsForWaiting() throws {
        let (one, other) = try Numbers.pair()
        one.receiveTimeout = .milliseconds(5)
        XCTAssertEqual(one.receiveTimeout, .milliseconds(5))
        assertThrows(.timedOut) { try one.receive() }
        assertThrows(.timedOut) { try one.request(1) }
        one.sendTimeout = .milliseconds(5)
        assertThrows(.timedOut) { while true { try one.send(1) } }
        XCTAssertEqual(try one.peerCredentials().processID, getpid())
        withExtendedLifetime(other) {}
    }
}
