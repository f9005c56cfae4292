// SPDX-License-Identifier: MIT OR Apache-2.0

import Interprocess
import XCTest

/// Reading and writing at the same time, with full buffers both ways.
final class FullDuplexAsyncTests: InterprocessTestCase {
    private static let byteCount = 8 << 20

    /// What one side sends: the periods are primes, so that a lost or doubled piece of any even size shows.
    private static func bytes(_ period: Int) -> [UInt8] {
        let cycle = (0..<period).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        var bytes: [UInt8] = []
        while bytes.count < byteCount { bytes += cycle }
        return Array(bytes.prefix(byteCount))
    }

    private static let near = bytes(251)
    private static let far = bytes(241)

    private func assertBothWays(
        _ executor: (any TaskExecutor)?,
        _ converse: @escaping @Sendable (LocalSocketStream, _ sending: [UInt8]) async throws -> [UInt8]
    ) async throws {
        for (name, other) in zip(try bothNames(), Self.executors) {
            let (server, client) = try connected(name)
            let (near, far) = (Self.near, Self.far)
            let serving = RunningTask(on: other) { try await converse(server, far) }
            let received = try await on(executor) { try await converse(client, near) }
            XCTAssertTrue(received == far, "the client received \(received.count) bytes that are not those sent")
            let served = try await serving.value()
            XCTAssertTrue(served == near, "the server received \(served.count) bytes that are not those sent")
        }
    }

    /// Each side has a task that writes and one that reads, on the same stream.
    func testStream() async throws {
        for executor in Self.executors {
            try await assertBothWays(executor) { stream, bytes in
                async let sent: Void = {
                    try await stream.writeAll(bytes)
                    try await stream.shutdown(.send)
                }()
                let received = try await stream.readToEnd()
                try await sent
                return received
            }
        }
    }

    func testHalves() async throws {
        for executor in Self.executors {
            try await assertBothWays(executor) { stream, bytes in
                let (receiver, sender) = try stream.split()
                async let received = {
                    var received: [UInt8] = []
                    for try await chunk in receiver.chunks { received += chunk }
                    return received
                }()
                var sent = 0
                while sent < bytes.count {
                    sent += try await sender.write(Array(bytes[sent..<min(sent + 300_007, bytes.count)]))
                }
                try sender.shutdown()
                return try await received
            }
        }
    }

    /// Several tasks write at each side, and one reads.
    func testSeveralWriters() async throws {
        for executor in Self.executors {
            let (one, other) = try LocalSocketStream.pair()
            let sides = [one, other].map { stream in
                RunningTask(on: executor) {
                    try await withThrowingTaskGroup(of: [UInt8].self) { group in
                        for number in UInt8(0)..<4 {
                            group.addTask {
                                try await stream.writeAll([UInt8](repeating: number, count: 500_000))
                                return []
                            }
                        }
                        group.addTask { try await stream.readExactly(2_000_000) }
                        return try await group.reduce(into: []) { $0 += $1 }
                    }
                }
            }
            for side in sides {
                let received = try await side.value()
                for number in UInt8(0)..<4 { XCTAssertEqual(received.count { $0 == number }, 500_000) }
            }
        }
    }
}
