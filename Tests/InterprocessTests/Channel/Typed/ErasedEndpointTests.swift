// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

/// Endpoints without a type, and messages that are decoded later.
final class ErasedEndpointTests: InterprocessTestCase {
    struct Person: Codable, Equatable, Sendable {
        var name: String
        var age: UInt32
    }

    struct Parcel: Codable, Sendable {
        var label: String
        var sender: IPCBytesSender
        var receiver: IPCBytesReceiver
    }

    private let person = Person(name: "Patrick", age: 29)

    func testErasedAndRetyped() throws {
        let (sender, receiver) = try IPCChannel.make(of: Person.self)
        let erased = try sender.erased
        let again = IPCSender<Person>(retyping: erased)
        try again.send(person)
        XCTAssertEqual(try receiver.receive(), person)
        let bytes = try receiver.erased
        try sender.send(person)
        XCTAssertEqual(try bytes.receiveMessage().decode(as: Person.self), person)
        try sender.send(person)
        XCTAssertEqual(try IPCReceiver<Person>(retyping: bytes).receive(), person)
        // They are the same end.
        again.close()
        assertThrows(.closed) { try sender.send(person) }
        assertThrows(.disconnected) { try bytes.receive() }
        bytes.close()
        assertThrows(.closed) { try receiver.receive() }
    }

    func testAWrongTypeIsAnErrorOfTheOneMessage() throws {
        let (sender, receiver) = try IPCChannel.make(of: Person.self)
        try IPCSender<[Int]>(retyping: sender.erased).send([1])
        try sender.send(person)
        assertThrows(.decodingFailed) { try receiver.receive() }
        assertThrows(.decodingFailed) { try IPCReceiver<String>(retyping: receiver.erased).receive() }
        try sender.erased.send([1, 2, 3])
        assertThrows(.decodingFailed) { try receiver.receive() }
        try sender.send(person)
        XCTAssertEqual(try receiver.receive(), person)
    }

    func testInMessages() throws {
        let (parcels, post) = try IPCChannel.make(of: Parcel.self)
        let (sender, receiver) = try IPCChannel.make(of: Person.self)
        let (other, otherReceiver) = try IPCChannel.make(of: Person.self)
        try parcels.send(Parcel(label: "p", sender: sender.erased, receiver: otherReceiver.erased))
        let parcel = try post.receive()
        try IPCSender<Person>(retyping: parcel.sender).send(person)
        XCTAssertEqual(try receiver.receive(), person)
        try other.send(person)
        XCTAssertEqual(try IPCReceiver<Person>(retyping: parcel.receiver).receive(), person)
        // It has moved, whatever it is called.
        assertThrows(.endpointMoved) { try otherReceiver.receive() }
        XCTAssertFalse(sender.isClosed)
    }

    /// What was sent with a type can be taken out without, and the other way round.
    func testTypedAndErasedAreTheSameInMessages() throws {
        let (typed, typedReceiver) = try IPCChannel.make(of: [IPCSender<Person>].self)
        let (sender, receiver) = try IPCChannel.make(of: Person.self)
        try typed.send([sender])
        let message = try typedReceiver.erased.receiveMessage()
        XCTAssertEqual(message.descriptorCount, 1)
        let taken = try message.decode(as: [IPCBytesSender].self)
        try IPCSender<Person>(retyping: taken[0]).send(person)
        XCTAssertEqual(try receiver.receive(), person)
        // It has been taken: nobody else gets it.
        assertThrows(.decodingFailed) { try message.decode(as: [IPCBytesSender].self) }
        assertThrows(.decodingFailed) { try message.decode(as: [IPCSender<Person>].self) }
    }

    func testUndecodedMessagesKeepAndCloseWhatIsInThem() throws {
        let (parcels, post) = try IPCChannel.make(of: Parcel.self)
        let (sender, receiver) = try IPCChannel.make(of: Person.self)
        var message: IPCRawMessage?
        do {
            let (_, other) = try IPCChannel.make(of: Person.self)
            try parcels.send(Parcel(label: "p", sender: sender.erased, receiver: other.erased))
            message = try post.erased.receiveMessage()
        }
        sender.close()
        // The message has a sender in it.
        assertThrows(.timedOut) { try receiver.receive(timeout: .milliseconds(1)) }
        assertThrows(.decodingFailed) { try message?.decode(as: Person.self) }
        message = nil
        assertThrows(.disconnected) { try receiver.receive() }
    }

    func testABytesSenderInATypedChannel() throws {
        let (typed, typedReceiver) = try IPCChannel.make(of: (Optional<IPCBytesSender>).self)
        let (sender, receiver) = try IPCChannel.makeBytes()
        try typed.send(sender)
        let taken = try XCTUnwrap(try typedReceiver.receive())
        try taken.send([1, 2, 3, 4, 5, 6, 7])
        XCTAssertEqual(try receiver.receive(), [1, 2, 3, 4, 5, 6, 7])
    }
}
