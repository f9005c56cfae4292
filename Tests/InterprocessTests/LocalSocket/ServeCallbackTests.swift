// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

extension RawSpan {
    var array: [UInt8] { withUnsafeBytes { Array($0) } }
}

/// A function that is called with what comes: the pieces, and what becomes of what is sent.
final class ServeCallbackTests: InterprocessTestCase {
    override var timeLimit: TimeInterval { 60 }

    private let echo: @Sendable (ServedConnection) -> (RawSpan) -> Void = { client in { client.send($0) } }

    func testEchoOfSeveralClients() async throws {
        // More than fits into any buffer, so that each side waits for the other in between.
        let bytes = pattern(600_000)
        try await withCallbackServer(serveOptions { $0.onFailure = { XCTFail("\($0)") } }, echo) { listener in
            try await withThrowingTaskGroup { group in
                for number in 0..<10 {
                    group.addTask {
                        let client = try await listener.newClient()
                        for round in 0..<100 { try await client.assertEcho("\(number) \(round)") }
                        async let sending: Void = {
                            try await client.writeAll(bytes)
                            try await client.shutdown(.send)
                        }()
                        let received = try await client.readToEnd()
                        XCTAssertEqual(received, bytes)
                        try await sending
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    func testProcesses() async throws {
        try await withCallbackServer(ServeOptions(), echo) { listener in
            let name = try XCTUnwrap(listener.name).description
            let clients = try (0..<10).map { _ in try ChildProcess.helper("echo", name, "100") }
            try await onThread {
                for client in clients {
                    client.expect("echoed 100")
                    XCTAssertEqual(client.wait(), 0)
                }
            }
        }
    }

    /// Each client has a function of its own, and what that captures, for as long as it stays.
    func testEachClientHasItsFunction() async throws {
        final class Tally {
            let attendance: Attendance
            var sum = 0

            init(_ attendance: Attendance) {
                self.attendance = attendance
                attendance.come()
            }

            deinit { attendance.leave() }
        }
        let attendance = Attendance()
        try await withCallbackServer { client in
            let tally = Tally(attendance)
            return { bytes in
                if bytes.byteCount == 0 { return }
                tally.sum += bytes.array.reduce(0) { $0 + Int($1) }
                client.send(Array("\(tally.sum)\n".utf8))
            }
        } during: { listener in
            let clients = [try await listener.newClient(), try await listener.newClient()]
            for round in 1...10 {
                for (number, client) in clients.enumerated() {
                    try await client.writeAll([UInt8(number + 1)])
                    let sum = try await client.readLine()
                    XCTAssertEqual(sum, "\(round * (number + 1))")
                }
            }
            XCTAssertEqual(attendance.now, 2)
            clients[0].close()
            await eventually("its function is gone") { attendance.now == 1 }
            try await clients[1].writeAll([10])
            let sum = try await clients[1].readLine()
            XCTAssertEqual(sum, "30")
        }
        XCTAssertEqual(attendance.now, 0)
    }

    /// The last piece is empty, comes once, and can be answered.
    func testTheLastPiece() async throws {
        let sizes = Seen<Int>()
        try await withCallbackServer { client in
            { bytes in
                sizes.append(bytes.byteCount)
                if bytes.byteCount == 0 { client.send(Array("farewell\n".utf8)) }
            }
        } during: { listener in
            let client = try await listener.newClient()
            try await client.writeAll("half a line")
            try await client.shutdown(.send)
            let answer = try await client.readToEnd()
            XCTAssertEqual(answer, Array("farewell\n".utf8))
        }
        XCTAssertEqual(sizes.values.reduce(0, +), 11)
        XCTAssertEqual(sizes.values.filter { $0 == 0 }.count, 1)
        XCTAssertEqual(sizes.values.last, 0)
    }

    func testPiecesAreOfLimitedSize() async throws {
        let sizes = Seen<Int>()
        try await withCallbackServer { _ in
            { sizes.append($0.byteCount) }
        } during: { listener in
            let client = try await listener.newClient()
            try await client.writeAll([UInt8](repeating: 1, count: 1 << 20))
            client.close()
        }
        XCTAssertEqual(sizes.values.reduce(0, +), 1 << 20)
        XCTAssertEqual(sizes.values.last, 0)
        XCTAssertLessThanOrEqual(sizes.values.max() ?? 0, 64 << 10)
    }

    /// What is sent before anything has come, be it little or more than fits.
    func testServerSpeaksFirst() async throws {
        for count in [10, 1 << 20] {
            for closes in [false, true] {
                let greeting = pattern(count)
                try await withCallbackServer { client in
                    client.send(greeting)
                    if closes { client.close() }
                    return { client.send($0) }
                } during: { listener in
                    let client = try await listener.newClient()
                    let received = try await client.readExactly(count)
                    XCTAssertEqual(received, greeting)
                    if closes { await assertEnds(client) } else { try await client.assertEcho("and then") }
                }
            }
        }
    }

    func testNothingIsSentAfterTheEnd() async throws {
        let calls = Attendance()
        try await withCallbackServer { client in
            { bytes in
                calls.come()
                client.send(Array("last words\n".utf8))
                client.close()
                client.send(Array("too late\n".utf8))
                client.close()
                client.send(bytes)
            }
        } during: { listener in
            let client = try await listener.newClient()
            try await client.writeAll("x")
            let line = try await client.readLine()
            XCTAssertEqual(line, "last words")
            await assertEnds(client)
        }
        // Not even the last piece comes to a function that has ended the connection.
        XCTAssertEqual(calls.ever, 1)
    }

    func testEndedBeforeAnythingComes() async throws {
        try await withCallbackServer(serveOptions { $0.onFailure = { XCTFail("\($0)") } }) { client in
            client.close()
            return { _ in XCTFail("a piece of one that was closed") }
        } during: { listener in
            for _ in 0..<20 {
                let client = try await listener.newClient()
                await assertEnds(client)
            }
        }
    }

    func testWhoItIs() async throws {
        try await withCallbackServer { client in
            let who = try? client.peerCredentials().processID
            return { _ in client.send(Array("\(who ?? 0)\n".utf8)) }
        } during: { listener in
            let client = try await listener.newClient()
            try await client.writeAll("x")
            let line = try await client.readLine()
            XCTAssertEqual(line, "\(getpid())")
        }
    }
}
