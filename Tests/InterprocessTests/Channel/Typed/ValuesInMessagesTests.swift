// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

private struct Person: Codable, Sendable, Equatable {
    var name: String
    var age: UInt32
}

/// What users send, by channels of values.
final class ValuesInMessagesTests: InterprocessTestCase {
    func testTheLifeOfAChannel() throws {
        let (sender, receiver) = try IPCChannel.make(of: Person.self)
        let person = Person(name: "Patrick", age: 29)
        XCTAssertNil(try receiver.tryReceive())
        let start = ContinuousClock.now
        assertThrows(.timedOut, .read) { try receiver.receive(timeout: .milliseconds(50)) }
        XCTAssertGreaterThanOrEqual(ContinuousClock.now - start, .milliseconds(50))
        try sender.send(person)
        XCTAssertEqual(try receiver.tryReceive(), person)
        XCTAssertNil(try receiver.tryReceive())
        try sender.send(person)
        XCTAssertEqual(try receiver.receive(timeout: .seconds(30)), person)
        // What was sent before the end is received.
        try sender.send(person)
        sender.close()
        XCTAssertEqual(try receiver.receive(), person)
        assertThrows(.disconnected, .read) { try receiver.tryReceive() }
        assertThrows(.disconnected, .read) { try receiver.receive(timeout: .seconds(30)) }
    }

    func testManyElements() throws {
        let (sender, receiver) = try IPCChannel.make(of: [Person].self)
        let people = (0..<65_536).map { Person(name: "name \($0)", age: UInt32($0)) }
        let sending = Running { try sender.send(people) }
        XCTAssertEqual(try receiver.receive(), people)
        try sending.value()
    }

    func testRegionsBesideAValue() throws {
        struct Carrier: Codable, Sendable {
            var person: Person
            var region: SharedRegion
        }
        let (sender, receiver) = try IPCChannel.make(of: Carrier.self)
        let person = Person(name: "x", age: 1)
        let filled = try SharedRegion(byteCount: 1 << 20) { memory in
            memory.withUnsafeMutableBytes { for index in $0.indices { $0[index] = 0xba } }
        }
        let (none, few): ([UInt8], [UInt8]) = ([], [1, 2, 3])
        let regions = [
            filled, try SharedRegion(byteCount: 0) { _ in }, try SharedRegion(copying: none.span.bytes),
            try SharedRegion(copying: few.span.bytes),
        ]
        for region in regions {
            try sender.send(Carrier(person: person, region: region))
            let received = try receiver.receive()
            XCTAssertEqual(received.person, person)
            let bytes = received.region.withUnsafeBytes { Array($0) }
            XCTAssertEqual(bytes, region.withUnsafeBytes { Array($0) })
            if region === filled { XCTAssertEqual(bytes, [UInt8](repeating: 0xba, count: 1 << 20)) }
        }
    }

    func testOneSenderByThreePaths() throws {
        struct Paths: Codable, Sendable {
            var direct: IPCSender<Person>
            var list: [IPCSender<Person>]
            var map: [String: IPCSender<Person>]
        }
        let (people, inbox) = try IPCChannel.make(of: Person.self)
        let (sender, receiver) = try IPCChannel.make(of: Paths.self)
        try sender.send(Paths(direct: people, list: [people], map: ["there": people]))
        people.close()
        let paths = try receiver.receive()
        for (age, path) in [paths.direct, paths.list[0], try XCTUnwrap(paths.map["there"])].enumerated() {
            assertThrows(.timedOut) { try inbox.receive(timeout: .zero) }
            try path.send(Person(name: "", age: UInt32(age)))
            XCTAssertEqual(try inbox.receive().age, UInt32(age))
            path.close()
        }
        assertThrows(.disconnected) { try inbox.receive() }
    }

    func testTwoSendersKeepTheirOrder() throws {
        let (sender, receiver) = try IPCChannel.make(of: [IPCSender<Int>].self)
        let channels = try (0..<2).map { _ in try IPCChannel.make(of: Int.self) }
        try sender.send(channels.map { $0.sender })
        for (number, endpoint) in try receiver.receive().enumerated() { try endpoint.send(number) }
        for (number, channel) in channels.enumerated() { XCTAssertEqual(try channel.receiver.tryReceive(), number) }
    }

    func testASenderWhoseReceiverIsGoneTravels() throws {
        let (numbers, gone) = try IPCChannel.make(of: Int.self)
        gone.close()
        let (sender, receiver) = try IPCChannel.make(of: IPCSender<Int>.self)
        try sender.send(numbers)
        let arrived = try receiver.receive()
        assertThrows(.disconnected, .write) { try arrived.send(1) }
        assertThrows(.disconnected, .write) { try numbers.send(1) }
    }

    /// One that is on its way counts as there; and with what it is in, it goes.
    func testEndpointsOnTheirWay() throws {
        let (sender, receiver) = try IPCChannel.make(of: IPCReceiver<Int>.self)
        let (numbers, inbox) = try IPCChannel.make(of: Int.self)
        try sender.send(inbox)
        try numbers.send(1)
        receiver.close()
        assertThrows(.disconnected, .write) { try numbers.send(2) }
        let (carriers, carrier) = try IPCChannel.make(of: IPCSender<Int>.self)
        let (others, other) = try IPCChannel.make(of: Int.self)
        try carriers.send(others)
        others.close()
        assertThrows(.timedOut) { try other.receive(timeout: .milliseconds(1)) }
        carrier.close()
        assertThrows(.disconnected) { try other.receive() }
    }

    /// A value that sends another one while it is encoded.
    func testSendingWhileEncoding() throws {
        struct Outer: Codable, Sendable {
            var endpoint: IPCSender<Int>
            var inner: IPCSender<[IPCSender<Int>]>?

            init(_ endpoint: IPCSender<Int>, _ inner: IPCSender<[IPCSender<Int>]>) {
                (self.endpoint, self.inner) = (endpoint, inner)
            }

            init(from decoder: any Decoder) throws {
                endpoint = try decoder.singleValueContainer().decode(IPCSender<Int>.self)
            }

            func encode(to encoder: any Encoder) throws {
                var container = encoder.singleValueContainer()
                try inner?.send([endpoint, endpoint])
                try container.encode(endpoint)
            }
        }
        let (outer, outerReceiver) = try IPCChannel.make(of: Outer.self)
        let (inner, innerReceiver) = try IPCChannel.make(of: [IPCSender<Int>].self)
        let (numbers, inbox) = try IPCChannel.make(of: Int.self)
        try outer.send(Outer(numbers, inner))
        for endpoint in try innerReceiver.receive() + [outerReceiver.receive().endpoint] {
            try endpoint.send(5)
            XCTAssertEqual(try inbox.receive(), 5)
        }
        // Also by the same channel, whose encoder is at work.
        struct Same: Codable, Sendable {
            var number: Int
            var channel: IPCSender<Same>?

            init(_ number: Int, _ channel: IPCSender<Same>? = nil) { (self.number, self.channel) = (number, channel) }

            init(from decoder: any Decoder) throws { number = try decoder.singleValueContainer().decode(Int.self) }

            func encode(to encoder: any Encoder) throws {
                try channel?.send(Same(number - 1))
                var container = encoder.singleValueContainer()
                try container.encode(number)
            }
        }
        let (sender, receiver) = try IPCChannel.make(of: Same.self)
        try sender.send(Same(2, sender))
        XCTAssertEqual(try receiver.receive().number, 1)
        XCTAssertEqual(try receiver.receive().number, 2)
    }
}
