// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

/// Clients of servers that say what none should say, or come in crowds.
final class HostileClientTests: InterprocessTestCase {
    override var timeLimit: TimeInterval { 120 }

    /// What is no introduction, and no frame after one, costs the client its connection, and nobody else anything.
    func testFrames() async throws {
        let failures = Seen<IPCError.Code>()
        let options = serverOptions { $0.onFailure = { failures.append(($0 as? IPCError)?.code ?? .system) } }
        try await withTextServer(options) { name in
            let quiet = try await IPCConnection<String, String>.connect(to: name)
            let nonsense = [UInt8](repeating: 0xFF, count: 100)
            let hostile = [
                nonsense, Array("GET / HTTP/1.1\r\nHost: example\r\n\r\n".utf8),
                introduction() + nonsense,
                introduction() + frame(.part, [1]),
                introduction() + frame(.reply, try encoded("x"), request: 1),
                introduction() + frame(.message, littleEndian(1 << 40) + [1, 2], isFirstPart: true),
            ]
            for bytes in hostile {
                let enemy = try ChildProcess.enemy("say", name.description, bytes.hex)
                let end = try XCTUnwrap(enemy.readLine())
                XCTAssertTrue(end.hasPrefix("ended"), end)
            }
            await eventually("all are reported") { failures.count == hostile.count }
            XCTAssertEqual(Set(failures.values), [.protocolViolation])
            let reply = try await quiet.request("still there", timeout: .seconds(30))
            XCTAssertEqual(reply, "STILL THERE")
            try await self.assertServed(name)
        }
    }

    /// So does a value that is none, where the server replies by a function: it is refused before.
    func testValues() async throws {
        let failures = Seen<IPCError.Code>()
        let options = serverOptions { $0.onFailure = { failures.append(($0 as? IPCError)?.code ?? .system) } }
        try await withTextServer(options) { name in
            let said = introduction() + frame(.request, [], request: 1)
            let enemy = try ChildProcess.enemy("say", name.description, said.hex)
            // The server's introduction, and that there will be no reply.
            enemy.expect("ended after \(2 * ConnectionFrame.headSize + Hello.size)")
            await eventually("it is reported") { failures.count == 1 }
            XCTAssertEqual(failures.values, [.decodingFailed])
            try await self.assertServed(name)
        }
    }

    /// However many come, no more than there are places for are accepted, and those leave who say nothing.
    func testCrowd() async throws {
        let options = serverOptions {
            $0.maximumClients = 8
            $0.connection.handshakeTimeout = .milliseconds(200)
        }
        let before = Self.socketCount
        try await withTextServer(options) { name in
            try await self.assertServed(name)
            // The listener, and its reserve.
            let idle = before + 2
            await eventually("the first one has left") { Self.socketCount == idle }
            let crowd = try (0..<2).map { _ in try ChildProcess.enemy("crowd", name.description, "30") }
            let watching = start {
                var most = 0
                while !Task.isCancelled {
                    most = max(most, Self.socketCount)
                    await Task.yield()
                }
                return most
            }
            // It stands behind them.
            try await self.assertServed(name)
            watching.cancel()
            let most = try await watching.value
            // Those who are served, and the other end of the one that is this process's own: a place is free only when the
            // socket of the one before is closed.
            XCTAssertLessThanOrEqual(most, idle + 8 + 1)
            for process in crowd { process.crash() }
        }
    }

    private static var socketCount: Int { OpenDescriptors.all().count { $0.contains("socket:") } }

    /// Messages that nobody takes wait in the client, and not in the server.
    func testFlood() async throws {
        let (ends, end) = AsyncStream.makeStream(of: IPCError.Code.self)
        let server = try IPCServer<String, String>(try namespacedName())
        let name = try XCTUnwrap(server.name)
        async let serving: Void = server.serve { connection in
            // It takes no messages, but waits for a reply, which has to be found among them.
            do throws(IPCError) {
                _ = try await connection.request("?", timeout: .milliseconds(500))
            } catch { end.yield(error.code) }
        }
        let text = frame(.message, try encoded(String(repeating: "x", count: 100)))
        let before = Self.residentMemory
        let enemy = try ChildProcess.enemy("pour", name.description, introduction().hex, text.hex)
        for await code in ends {
            XCTAssertEqual(code, .timedOut)
            break
        }
        XCTAssertLessThan(Self.residentMemory, before + (Sanitizer.isPresent ? 256 : 32) << 20)
        enemy.expect("ended")
        server.close()
        try await serving
    }

    private static var residentMemory: Int {
        #if os(Linux)
        let words = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ") ?? []
        return (Int(words[1]) ?? 0) * Int(getpagesize())
        #else
        return 0
        #endif
    }
}
