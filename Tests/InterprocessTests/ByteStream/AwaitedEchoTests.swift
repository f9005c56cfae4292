// SPDX-License-Identifier: MIT OR Apache-2.0

import XCTest

@testable import Interprocess

/// The least that awaiting has to do.
final class AwaitedEchoTests: InterprocessTestCase {
    func testLinesComeBack() async throws {
        try await onEachExecutor {
            let (near, far) = try LocalSocketStream.pair()
            async let echo: Void = {
                for try await line in far.lines { try await far.writeAll(line + "\n") }
                far.close()
            }()
            for number in 0..<1000 {
                try await near.writeAll("line \(number)\n")
                let line = try await near.readLine()
                XCTAssertEqual(line, "line \(number)")
            }
            try await near.shutdown(.send)
            try await echo
            let end = try await near.readLine()
            XCTAssertNil(end)
        }
    }

    func testCancellingARead() async throws {
        let (near, far) = try LocalSocketStream.pair()
        let reading = Task { try await near.read(upTo: 10) }
        await waitUntilAwaited(near)
        reading.cancel()
        await assertThrows(.cancelled, .read) { try await reading.value }
        try await far.writeAll("still here")
        let bytes = try await near.read(upTo: 10)
        XCTAssertEqual(String(decoding: bytes, as: UTF8.self), "still here")
    }

    func testClosingEndsARead() async throws {
        let (near, far) = try LocalSocketStream.pair()
        let reading = Task { try await near.read(upTo: 10) }
        await waitUntilAwaited(near)
        near.close()
        await assertThrows(.closed, .read) { try await reading.value }
        withExtendedLifetime(far) {}
    }
}
