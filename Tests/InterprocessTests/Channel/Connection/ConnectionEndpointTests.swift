// SPDX-License-Identifier: MIT OR Apache-2.0

#if !canImport(Darwin)
import Foundation
import XCTest

@testable import Interprocess

/// Endpoints, memory and descriptors in values that go over connections.
final class ConnectionEndpointTests: InterprocessTestCase {
    private struct Parcel: Codable, Sendable {
        var receiver: IPCReceiver<Int>?
        var sender: IPCSender<Int>?
        var region: SharedRegion?
        var files: [IPCDescriptor] = []
        var stream: LocalSocketStream?
        var bytes: [UInt8] = []
    }
    private typealias Parcels = IPCConnection<Parcel, Parcel>

    func testEverything() throws {
        let (client, server) = try Parcels.pair()
        let (numbers, inbox) = try IPCChannel.make(of: Int.self)
        let (near, far) = try LocalSocketStream.pair()
        let serving = Running {
            let message = try server.receiveMessage(timeout: .seconds(20))
            var parcel = message.value
            XCTAssertEqual(try parcel.receiver?.receive(), 5)
            XCTAssertEqual(parcel.region?.withUnsafeBytes { $0.count }, 3)
            try parcel.stream?.writeAll("line\n")
            parcel.receiver = nil
            try message.reply(parcel)
        }
        try numbers.send(5)
        let region = try SharedRegion(copying: pattern(3).span.bytes)
        let sent = Parcel(receiver: inbox, sender: numbers, region: region, stream: far)
        let parcel = try client.request(sent, timeout: .seconds(20))
        try serving.value()
        XCTAssertEqual(try near.readLine(), "line")
        assertThrows(.endpointMoved) { try inbox.receive() }
        XCTAssertNotNil(parcel.sender)
        XCTAssertNotNil(parcel.region)
    }

    /// With descriptors, with small messages before and behind, and large ones; each arrives with its own.
    func testOrderAndSizes() throws {
        let (client, server) = try Parcels.pair()
        let files = try (0..<253).map { _ in try IPCDescriptor(adopting: dup(0)) }
        let counts = [0, 1, 253, 0, 0, 3, 100, 0, 1, 1, 1]
        let sizes = [0, 1000, 65_000, 66_000, 500_000]
        let sending = Running {
            for round in 0..<10 {
                for (index, count) in counts.enumerated() {
                    let bytes = pattern(sizes[(index + round) % sizes.count])
                    try client.send(Parcel(files: Array(files[..<count]), bytes: bytes))
                }
            }
        }
        for round in 0..<10 {
            for (index, count) in counts.enumerated() {
                let parcel = try server.receive(timeout: .seconds(20))
                XCTAssertEqual(parcel.files.count, count)
                XCTAssertEqual(parcel.bytes.count, sizes[(index + round) % sizes.count])
            }
        }
        try sending.value()
        // One more than there can be is an error where it is sent.
        XCTAssertThrowsError(try client.send(Parcel(files: files + files))) {
            XCTAssertTrue([.encodingFailed, .messageTooLarge].contains(($0 as? IPCError)?.code), "\($0)")
        }
        try client.send(Parcel())
        XCTAssertEqual(try server.receive().files.count, 0)
    }

    func testAwaited() async throws {
        try await onEachExecutor {
            let (client, server) = try Parcels.pair()
            let serving = start {
                for try await message in server.messages { try await message.reply(message.value) }
            }
            for round in 0..<20 {
                let file = try IPCDescriptor(adopting: dup(0))
                let sent = Parcel(files: Array(repeating: file, count: round), bytes: pattern(round * 10_000))
                let parcel = try await client.request(sent)
                XCTAssertEqual(parcel.files.count, round)
                XCTAssertEqual(parcel.bytes.count, round * 10_000)
            }
            client.close()
            try await serving.value
        }
    }

    /// What cannot be sent moves nothing, and leaves nothing behind.
    func testAFailureMovesNothing() throws {
        let (client, server) = try Parcels.pair(connectionOptions { $0.maximumMessageSize = 40 << 20 })
        let (numbers, inbox) = try IPCChannel.make(of: Int.self)
        assertThrows(.messageTooLarge) { try client.send(Parcel(receiver: inbox, bytes: pattern(41 << 20))) }
        assertThrows(.timedOut) {
            try client.send(Parcel(receiver: inbox, bytes: pattern(8 << 20)), timeout: .milliseconds(5))
        }
        while try server.tryReceive() != nil {}
        try numbers.send(1)
        XCTAssertEqual(try inbox.receive(), 1)
        try client.send(Parcel(receiver: inbox))
        try numbers.send(2)
        XCTAssertEqual(try server.receive(timeout: .seconds(20)).receiver?.receive(), 2)
    }

    /// Where there is no room for what comes, that message is lost, and no other.
    func testWithoutDescriptors() throws {
        let (client, server) = try Parcels.pair()
        let file = try IPCDescriptor(adopting: dup(0))
        try client.send(Parcel(files: [file]))
        try client.send(Parcel())
        let error = withoutDescriptors { () -> (any Error)? in
            do {
                _ = try server.tryReceive()
                return nil
            } catch { return error }
        }
        XCTAssertEqual((error as? IPCError)?.code, .resourcesExhausted)
        XCTAssertEqual(try server.receive().files.count, 0)
        try client.send(Parcel(files: [file]))
        XCTAssertEqual(try server.receive().files.count, 1)
    }
}
#endif
