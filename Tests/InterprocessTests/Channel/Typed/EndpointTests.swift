// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

/// Endpoints, memory and descriptors in values.
final class EndpointTests: InterprocessTestCase {
    private struct Call: Codable, Sendable {
        var argument: Int
        var answers: IPCSender<Int>
    }

    private struct Everything: Codable, Sendable {
        var regions: [String: SharedRegion]
        var pipe: IPCDescriptor?
        var streams: [LocalSocketStream]
        var inner: Inner
        enum Inner: Codable, Sendable {
            case receiver(IPCReceiver<String>, IPCSender<String>)
            case nothing
        }
    }

    func testASenderInAValue() throws {
        let (calls, receiver) = try IPCChannel.make(of: Call.self)
        let (answers, results) = try IPCChannel.make(of: Int.self)
        let server = Running {
            for _ in 0..<3 {
                let call = try receiver.receive()
                try call.answers.send(call.argument * 2)
            }
        }
        for number in 1...3 {
            try calls.send(Call(argument: number, answers: answers))
            XCTAssertEqual(try results.receive(), 2 * number)
        }
        try server.value()
        answers.close()
        // Those that were in the messages are closed with them.
        assertThrows(.disconnected) { try results.receive() }
    }

    func testEverythingAtOnce() throws {
        let (sender, receiver) = try IPCChannel.make(of: Everything.self)
        let (texts, inbox) = try IPCChannel.make(of: String.self)
        let (near, far) = try LocalSocketStream.pair()
        let (pipe, end) = try UnnamedPipe.create()
        let region = try SharedRegion(copying: Array("shared".utf8).span.bytes)
        try texts.send("before")
        try sender.send(
            Everything(
                regions: ["a": region, "b": region],
                pipe: IPCDescriptor(adopting: end.detach()),
                streams: [far, far],
                inner: .receiver(inbox, texts)
            )
        )
        // The receiver has moved, with what it had not received.
        assertThrows(.endpointMoved) { try inbox.receive() }
        assertThrows(.endpointMoved) { try inbox.tryReceive() }
        let got = try receiver.receive()
        guard case .receiver(let moved, let other) = got.inner else { return XCTFail() }
        XCTAssertEqual(try moved.receive(), "before")
        try other.send("after")
        XCTAssertEqual(try moved.receive(), "after")
        for name in ["a", "b"] {
            let region = try XCTUnwrap(got.regions[name])
            XCTAssertEqual(region.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }, "shared")
        }
        try pipe.writeAll("x\n")
        XCTAssertEqual(try UnnamedPipeReceiver(adopting: XCTUnwrap(got.pipe)).readLine(), "x")
        try got.streams[1].writeAll("y\n")
        XCTAssertEqual(try near.readLine(), "y")
    }

    /// Neither a value that cannot be encoded, nor one that cannot be sent, changes anything.
    func testAFailureMovesNothing() throws {
        struct Refusal: Error {}
        struct Carrier: Codable, Sendable {
            var receiver: IPCReceiver<Int>
            var bytes: [UInt8] = []
            var refuses = false

            init(_ receiver: IPCReceiver<Int>, bytes: [UInt8] = [], refuses: Bool = false) {
                (self.receiver, self.bytes, self.refuses) = (receiver, bytes, refuses)
            }

            func encode(to encoder: any Encoder) throws {
                var container = encoder.unkeyedContainer()
                try container.encode(receiver)
                try container.encode(bytes)
                if refuses { throw Refusal() }
            }

            init(from decoder: any Decoder) throws {
                var container = try decoder.unkeyedContainer()
                receiver = try container.decode(IPCReceiver<Int>.self)
                bytes = try container.decode([UInt8].self)
            }
        }
        let (numbers, inbox) = try IPCChannel.make(of: Int.self)
        let (sender, receiver) = try IPCChannel.make(of: Carrier.self)
        assertThrows(.encodingFailed) { try sender.send(Carrier(inbox, refuses: true)) }
        let (large, tooLarge) = ([UInt8](repeating: 0, count: 8 << 20), [UInt8](repeating: 0, count: 65 << 20))
        assertThrows(.messageTooLarge) { try sender.send(Carrier(inbox, bytes: tooLarge)) }
        assertThrows(.timedOut) { try sender.send(Carrier(inbox, bytes: large), timeout: .milliseconds(5)) }
        while try receiver.tryReceive() != nil {}
        try numbers.send(1)
        XCTAssertEqual(try inbox.receive(), 1)
        // Nor is anything left of the values that were not sent.
        try sender.send(Carrier(inbox))
        try numbers.send(2)
        XCTAssertEqual(try receiver.receive().receiver.receive(), 2)
        assertThrows(.endpointMoved) { try sender.send(Carrier(inbox)) }
    }

    func testAReceiverThatIsInUseDoesNotMove() throws {
        let (sender, receiver) = try IPCChannel.make(of: IPCReceiver<Int>.self)
        let (numbers, inbox) = try IPCChannel.make(of: Int.self)
        let waiting = Running { try inbox.receive() }
        waiting.waitUntilBlocked()
        assertThrows(.busy) { try sender.send(inbox) }
        try numbers.send(5)
        XCTAssertEqual(try waiting.value(), 5)
        try sender.send(inbox)
        try numbers.send(6)
        XCTAssertEqual(try receiver.receive().receive(), 6)
    }

    func testEndpointsOfAnotherKindAreErrors() throws {
        struct One<Value: Codable & Sendable>: Codable, Sendable { var value: Value }
        let (sender, receiver) = try IPCChannel.make(of: One<IPCDescriptor>.self)
        let (regions, _) = try IPCChannel.make(of: One<SharedRegion>.self)
        regions.close()
        let copy = try sender.withUnsafeDescriptor { dup($0) }
        let wrong = IPCSender<One<SharedRegion>>(
            try IPCChannel.adopt(OwnedDescriptor(Int64(copy)), isShared: true),
            limit: 1 << 20
        )
        try wrong.send(One(value: try SharedRegion(byteCount: 10) { _ in }))
        assertThrows(.decodingFailed) { try receiver.receive() }
        // A closed one cannot be sent.
        let closed = try SharedRegion(byteCount: 10) { _ in }
        closed.close()
        assertThrows(.closed) { try wrong.send(One(value: closed)) }
        XCTAssertNil(try receiver.tryReceive())
        XCTAssertThrowsError(try JSONEncoder().encode(closed))
    }

    func testAsManyAsThereCanBe() throws {
        let (sender, receiver) = try IPCChannel.make(of: [IPCDescriptor].self)
        let one = try IPCDescriptor(adopting: dup(0))
        try sender.send(Array(repeating: one, count: 253))
        XCTAssertEqual(try receiver.receive().count, 253)
        XCTAssertThrowsError(try sender.send(Array(repeating: one, count: 254))) {
            XCTAssertTrue([.encodingFailed, .messageTooLarge].contains(($0 as? IPCError)?.code), "\($0)")
        }
        XCTAssertNil(try receiver.tryReceive())
    }
}
