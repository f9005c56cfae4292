// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Synchronization
import XCTest

@testable import Interprocess

/// What clients may do to a server that is called with what comes.
final class ServeCallbackClientTests: InterprocessTestCase {
    override var timeLimit: TimeInterval { 60 }

    func testClientLeavesWithinAMessage() async throws {
        let pieces = Seen<[UInt8]>()
        try await withCallbackServer(serveOptions { $0.onFailure = { XCTFail("\($0)") } }) { client in
            { bytes in
                pieces.append(bytes.array)
                if bytes.array.last == UInt8(ascii: "\n") { client.send(bytes) }
            }
        } during: { listener in
            let bystander = try await listener.newClient()
            for round in 1...20 {
                let client = try await listener.newClient()
                try await client.writeAll("no line feed")
                client.close()
                await eventually("it has left") { pieces.values.filter(\.isEmpty).count == round }
                try await bystander.assertEcho("\(round)")
            }
        }
    }

    /// One that is gone when it is answered ends the connection alone, which is told.
    func testClientLeavesBeforeTheAnswer() async throws {
        let codes = Seen<IPCError.Code?>()
        let options = serveOptions { $0.onFailure = { codes.append(($0.error as? IPCError)?.code) } }
        let megabytes = [UInt8](repeating: 9, count: 4 << 20)
        try await withCallbackServer(options) { client in
            { bytes in if bytes.array == [1] { client.send(megabytes) } else { client.send(bytes) } }
        } during: { listener in
            let bystander = try await listener.newClient()
            for round in 1...20 {
                let client = try await listener.newClient()
                try await client.writeAll([1])
                // It leaves in the middle of the answer.
                _ = try await client.readExactly(1)
                client.close()
                await eventually("it is told") { codes.count == round }
                try await bystander.assertEcho("\(round)")
            }
        }
        XCTAssert(Set(codes.values).isSubset(of: [.brokenPipe, .connectionReset]), "\(codes.values)")
    }

    func testProcessesThatAreKilled() async throws {
        let ends = Attendance()
        try await withCallbackServer { client in
            { bytes in if bytes.byteCount == 0 { ends.come() } else { client.send(bytes) } }
        } during: { listener in
            let name = try XCTUnwrap(listener.name).description
            let bystander = try await listener.newClient()
            for round in 1...5 {
                let child = try ChildProcess.helper("hold", name)
                try await onThread {
                    child.expect("connected")
                    child.crash()
                }
                await eventually("it has left") { ends.ever == round }
                try await bystander.assertEcho("still here")
            }
        }
    }

    /// What is kept for a client that does not read is bounded by the answers to one piece.
    ///
    /// It is not read from until it has taken them; others are served meanwhile, and in the end it gets everything.
    func testClientThatDoesNotRead() async throws {
        let pieces = Attendance()
        let answer = pattern(1 << 19)
        try await withCallbackServer { client in
            { bytes in
                switch bytes.array.first {
                case 1:
                    pieces.come()
                    XCTAssertEqual(client.unsentByteCount, 0)
                    client.send(answer)
                    // It reads later on, and may then have room for everything, or for nothing yet.
                    if pieces.ever == 1 { XCTAssertGreaterThan(client.unsentByteCount, 0) }
                    XCTAssertLessThanOrEqual(client.unsentByteCount, answer.count)
                case nil: break
                default: client.send(bytes)
                }
            }
        } during: { listener in
            let deaf = try await listener.newClient()
            try await deaf.writeAll([1])
            await eventually("it is answered") { pieces.ever == 1 }
            // It can say no more than the kernel's buffers hold.
            var said = 0
            while let count = try? await deaf.write([UInt8](repeating: 1, count: 4096), timeout: .milliseconds(20)) {
                said += count
            }
            XCTAssertLessThan(said, 4 << 20)
            let quick = try await listener.newClient()
            for number in 0..<100 { try await quick.assertEcho("\(number)") }
            XCTAssertEqual(pieces.ever, 1)

            try await deaf.shutdown(.send)
            let received = try await deaf.readToEnd()
            XCTAssertGreaterThan(pieces.ever, 1)
            XCTAssert(received == [[UInt8]](repeating: answer, count: pieces.ever).flatMap(\.self))
        }
    }

    /// What waits to be sent gets less with each piece that the client takes.
    func testUnsentBytesAreThoseThatTheKernelDoesNotHave() async throws {
        /// Touched on the loop's thread alone.
        final class Place: @unchecked Sendable { var client: ServedConnection? }
        let place = Place()
        let answer = pattern(1 << 20)
        try await withCallbackServer { client in
            place.client = client
            client.send(answer)
            return { _ in }
        } during: { listener in
            let client = try await listener.newClient()
            var unsent = answer.count
            for _ in 0..<3 {
                _ = try await client.readExactly(1 << 18)
                let (before, end) = (unsent, ContinuousClock.now + .seconds(10))
                repeat {
                    unsent = await EventLoop.shared.run { place.client?.unsentByteCount ?? 0 }
                } while unsent >= before && ContinuousClock.now < end
                XCTAssertLessThan(unsent, before)
            }
            let left = try await client.readExactly(1 << 18)
            XCTAssertEqual(left, Array(answer.suffix(1 << 18)))
            await EventLoop.shared.run {
                XCTAssertEqual(place.client?.unsentByteCount, 0)
                place.client = nil
            }
        }
    }

    /// Each has half of a conversation that the others hear: what is sent to one from another one's function.
    func testOneFunctionSendsToOthers() async throws {
        /// Touched on the loop's thread alone.
        final class Room: @unchecked Sendable { var members: [ServedConnection] = [] }
        let room = Room()
        let left = Attendance()
        let long = String(repeating: "long ", count: 200_000)
        try await withCallbackServer { client in
            room.members.append(client)
            client.send(Array("welcome\n".utf8))
            return { bytes in
                if bytes.byteCount == 0 { left.come() }
                for member in room.members { member.send(bytes) }
            }
        } during: { listener in
            var clients: [LocalSocketStream] = []
            for number in 0..<5 {
                clients.append(try await listener.newClient())
                let line = try await clients[number].readLine()
                XCTAssertEqual(line, "welcome")
            }
            // Nobody reads while it is said, and so it waits to be sent to each of them.
            let speaker = clients[0]
            async let speaking: Void = speaker.writeAll(long + "\n")
            for client in clients {
                let line = try await client.readLine(timeout: .seconds(20))
                XCTAssertEqual(line?.utf8.count, long.utf8.count)
            }
            try await speaking
            // To those that have left, it is sent in vain.
            for client in clients[1...2] { client.close() }
            await eventually("they have left") { left.ever == 2 }
            try await speaker.assertEcho("who is there?")
            for client in clients[3...] {
                let line = try await client.readLine()
                XCTAssertEqual(line, "who is there?")
            }
            await withTaskExecutorPreference(EventLoop.shared) {
                await Task.yield()
                // The server closes them some turns later.
                await eventually("they are closed") {
                    room.members.filter { (try? $0.peerCredentials()) == nil }.count == 2
                }
                for member in room.members { member.close() }
                let error = assertThrows(.closed) { _ = try room.members[1].peerCredentials() }
                XCTAssertNotNil(error)
            }
            for client in clients where !client.isClosed { await assertEnds(client) }
        }
        XCTAssertEqual(left.ever, 2)
        room.members = []
    }
}
