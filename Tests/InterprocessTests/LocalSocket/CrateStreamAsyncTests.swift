// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// The tests that the crate has for streams, awaited.
final class CrateStreamAsyncTests: InterprocessTestCase {
    private static let server = "Message from server!"
    private static let client = "Message from client!"

    private struct Mismatch: Error {}

    private static func expect(_ isRight: Bool) throws { if !isRight { throw Mismatch() } }

    /// What each side does: two rounds of sending and receiving at the same time, on the same stream, in two tasks.
    private static func converse(_ stream: LocalSocketStream, sending: String, expecting: String) async throws {
        let peer = try await stream.peerCredentials()
        try expect(peer.processID == getpid() && peer.userID == geteuid() && peer.groupID == getegid())
        for terminator in [UInt8(ascii: "\n"), 0] {
            async let sent: Void = stream.writeAll(Array(sending.utf8) + [terminator])
            // The peer may be a round ahead: a line is read ahead of, a number of bytes is not.
            if terminator == 0 {
                let bytes = try await stream.readExactly(expecting.utf8.count + 1)
                try expect(bytes == Array(expecting.utf8) + [0])
            } else {
                let line = try await stream.readLine()
                try expect(line == expecting)
            }
            try await sent
        }
    }

    private func runStream(_ name: LocalSocketName, _ executor: (any TaskExecutor)?) async throws {
        let listener = try LocalSocketListener(name)
        let count = ClientCount.total
        let server = RunningTask(on: executor) {
            for _ in 0..<count {
                try await Self.converse(try await listener.accept(), sending: Self.server, expecting: Self.client)
            }
        }
        try await on(executor) {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<count {
                    if number >= ClientCount.concurrent { try await group.next() }
                    group.addTask {
                        let stream = try await LocalSocketStream.connect(to: name)
                        try await Self.converse(stream, sending: Self.client, expecting: Self.server)
                        // A server that is gone before its client reads would be as well; here it has to say all it has
                        // to.
                        let end = try await stream.read(upTo: 1)
                        try Self.expect(end.isEmpty)
                    }
                }
                try await group.waitForAll()
            }
        }
        try await server.value()
        listener.close()
        await assertThrows(name.isPath ? .notFound : .connectionRefused, .connect) {
            try await on(executor) { try await LocalSocketStream.connect(to: name) }
        }
    }

    func testStream() async throws {
        for (name, executor) in try eachNameAndExecutor() { try await runStream(name, executor) }
    }

    func testNoServer() async throws {
        for executor in Self.executors {
            let (missing, namespaced) = (try uniquePathName(), try namespacedName())
            let error = await assertThrows(.notFound, .connect) {
                try await on(executor) { try await LocalSocketStream.connect(to: missing) }
            }
            XCTAssertEqual(error?.name, missing.description)
            XCTAssertEqual(error?.systemCode, Int64(ENOENT))
            await assertThrows(.connectionRefused, .connect) {
                try await on(executor) { try await LocalSocketStream.connect(to: namespaced) }
            }
        }
    }

    func testNoServerBehindOtherFiles() async throws {
        makeStale(path("stale"))
        try Data("data".utf8).write(to: URL(fileURLWithPath: path("file")))
        let (stale, file, none) = (try pathName("stale"), try pathName("file"), try pathName("none/s"))
        for executor in Self.executors {
            await assertThrows(.connectionRefused, .connect) {
                try await on(executor) { try await LocalSocketStream.connect(to: stale) }
            }
            let error = await assertThrows(.connectionRefused, .connect) {
                try await on(executor) { try await LocalSocketStream.connect(to: file) }
            }
            XCTAssertTrue("\(error!)".contains("is no socket"), "\(error!)")
            await assertThrows(.notFound, .connect) {
                try await on(executor) { try await LocalSocketStream.connect(to: none) }
            }
        }
    }
}
