// SPDX-License-Identifier: MIT OR Apache-2.0

import CInterprocess
import Foundation
import XCTest

@testable import Interprocess

/// Peers that pass as many descriptors as they can.
final class DescriptorEnemyTests: InterprocessTestCase {
    /// Reading bytes keeps none of them, and reading messages no more than asked for.
    func testStreams() throws {
        for room in [nil, 0, 2] {
            let listener = try LocalSocketListener(try namespacedName())
            let name = try XCTUnwrap(listener.name).description
            let enemy = try ChildProcess.enemy("strew", name, "", "01", "253", "100")
            let stream = try listener.accept()
            let before = OpenDescriptors.count
            for _ in 0..<100 {
                if let room {
                    let (bytes, message) = try stream.receive(upTo: 1, maximumDescriptors: room, timeout: .seconds(20))
                    XCTAssertEqual(bytes, [1])
                    XCTAssertTrue(message.descriptorsAreTruncated)
                    XCTAssertEqual(message.descriptors.count, room)
                    XCTAssertEqual(OpenDescriptors.count, before + room)
                } else {
                    XCTAssertEqual(try stream.readExactly(1, timeout: .seconds(20)), [1])
                    XCTAssertEqual(OpenDescriptors.count, before)
                }
            }
            enemy.expect("passed 100")
            stream.close()
            enemy.expect("ended")
        }
    }

    /// Of messages that never end, a channel's receiver keeps no more than some, and says what it gives up; of their
    /// descriptors it keeps none.
    func testChannels() throws {
        for (count, descriptors, code, lost) in [
            (60, 200, IPCError.Code.protocolViolation, 60), (100, 0, .resourcesExhausted, 36),
        ] {
            let (receiver, enemy) = try hostileSender("begin-messages", "\(count)", "\(descriptors)")
            let before = OpenDescriptors.count
            var givenUp = 0
            var bytes: [UInt8]?
            while bytes == nil {
                do throws(IPCError) {
                    bytes = try receiver.receive(timeout: .seconds(20))
                } catch {
                    guard error.code == code else { return XCTFail("\(error)") }
                    givenUp += 1
                }
                XCTAssertLessThanOrEqual(OpenDescriptors.count, before + descriptors)
            }
            XCTAssertEqual(bytes, [42])
            XCTAssertEqual(givenUp, lost)
            enemy.expect("begun \(count)")
            enemy.crash()
            assertThrows(.disconnected) { try receiver.receive(timeout: .seconds(20)) }
        }
    }

    /// What is no packet of a channel is refused by itself.
    func testPackets() throws {
        let hostile = ["ff", "ffffff7f00000000", "0000000009000000", "0000000000010000", "080000000200000001"]
        let packets = hostile.flatMap { [$0, "01000000000000002a"] }.joined(separator: ",")
        let (receiver, enemy) = try hostileSender("say-packets", packets)
        for _ in hostile {
            assertThrows(.protocolViolation) { try receiver.receive(timeout: .seconds(20)) }
            XCTAssertEqual(try receiver.receive(timeout: .seconds(20)), [42])
        }
        enemy.expect("said")
    }

    /// A channel's receiver, and a process that sends on it what it likes.
    private func hostileSender(_ role: String, _ arguments: String...) throws -> (IPCBytesReceiver, ChildProcess) {
        var ends: [Int64] = [-1, -1]
        XCTAssertEqual(cip_socket_pair(Int64(CIP_SEQUENCED_PACKETS), &ends), 0)
        let core = DescriptorCore(OwnedDescriptor(ends[1]), name: "a channel", waker: .shutdown)
        defer { close(Int32(ends[0])) }
        let enemy = try ChildProcess.built("test-helper", [role, "3"] + arguments, keeping: [(Int32(ends[0]), 3)])
        return (IPCBytesReceiver(core, limit: 1 << 20), enemy)
    }

    /// A server's clients: those that come with values that have no use for them are closed, as are those of no message.
    func testServers() async throws {
        let failures = Seen<IPCError.Code>()
        let options = serverOptions { $0.onFailure = { failures.append(($0 as? IPCError)?.code ?? .system) } }
        try await withTextServer(options) { name in
            try await self.assertServed(name)
            let before = OpenDescriptors.count
            let message = frame(.message, try encoded("x"), attachments: 253)
            let enemy = try ChildProcess.enemy(
                "strew",
                name.description,
                introduction().hex,
                message.hex,
                "253",
                "200"
            )
            try await onThread { enemy.expect("passed 200") }
            try await self.assertServed(name)
            await eventually("all are closed") { OpenDescriptors.count <= before + 3 }
            enemy.crash()
            let liar = try ChildProcess.enemy(
                "strew",
                name.description,
                introduction().hex,
                frame(.message, try encoded("x")).hex,
                "253",
                "200"
            )
            try await onThread { XCTAssertTrue(liar.readToEnd().contains("ended")) }
            await eventually("it is reported") { failures.values.last == .protocolViolation }
            try await self.assertServed(name)
        }
    }

    /// While a call waits for a reply, descriptors of messages that nobody takes count as bytes do.
    func testWaitingMessages() throws {
        let (connection, peer) = try IPCConnection<[IPCDescriptor], String>.withRawPeer()
        let (one, other) = try IPCConnection<[IPCDescriptor], [IPCDescriptor]>.withRawPeer()
        let file = try IPCDescriptor(adopting: dup(0))
        // As this library makes it, said again and again.
        try one.send([IPCDescriptor](repeating: file, count: 100))
        let (bytes, message) = try other.receive(upTo: 10_000, maximumDescriptors: 100)
        XCTAssertEqual(message.descriptors.count, 100)
        var attachments = UnixAttachments()
        for descriptor in message.descriptors { attachments.add(descriptor) }
        let before = OpenDescriptors.all()
        let request = Running { try connection.request("?", timeout: .seconds(2)) }
        for _ in 0..<20 { try peer.sendAll(bytes, with: attachments) }
        assertThrows(.timedOut) { try request.value() }
        // Three messages count as more than 4 MiB.
        let arrived = OpenDescriptors.all().subtracting(before)
        // What waiting itself takes, aside.
        XCTAssertEqual(arrived.count { !$0.contains("[eventfd]") }, 300)
        for _ in 0..<20 { XCTAssertEqual(try connection.receive(timeout: .seconds(20)).count, 100) }
    }
}
