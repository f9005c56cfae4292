// SPDX-License-Identifier: MIT OR Apache-2.0

import XCTest

@testable import Interprocess

/// What waits to be sent on a connection goes in its order, however little there is room for at a time.
final class FrameOutboxTests: InterprocessTestCase {
    func testWhatIsCollectedGoesInItsOrder() throws {
        let (near, far) = try LocalSocketStream.pair()
        near.descriptorCore.setSmallBuffer()
        far.setNonblocking(true)
        var outbox = FrameOutbox()
        var random = SplitMix64(seed: 7)
        var (expected, arrived): ([UInt8], [UInt8]) = ([], [])
        var (refused, left) = (0, 0)
        func receive() { arrived += (try? far.read(upTo: .random(in: 1...3000, using: &random))) ?? [] }
        for number in UInt8(0)...255 {
            for size in [Int.random(in: 0...40_000, using: &random), .random(in: 0...2000, using: &random)] {
                let bytes = pattern(size).map { $0 ^ number }
                let frames = ConnectionFrames(.message, request: UInt64(number), count: size)
                // Now and then one that does not wait for room.
                let waits = number % 16 != 0
                let result = bytes.withUnsafeBytes { waits ? outbox.collect(frames, $0) : outbox.add(frames, $0) }
                if result == 0 { expected += frame(.message, bytes, request: UInt64(number)) } else { refused += 1 }
            }
            if outbox.flush(near.sendingSide) != 0 { left += 1 }
            XCTAssertEqual(outbox.accepted, UInt64(expected.count))
            for _ in 0..<8 { receive() }
        }
        XCTAssertGreaterThan(refused, 10, "there was room at all times")
        XCTAssertGreaterThan(left, 10, "all was taken at once")
        while arrived.count < expected.count {
            _ = outbox.flush(near.sendingSide)
            let before = arrived.count
            receive()
            if arrived.count == before { return XCTFail("\(expected.count - before) bytes do not come") }
        }
        XCTAssertTrue(arrived == expected)
        XCTAssertEqual(outbox.count, 0)
        XCTAssertEqual(outbox.sent, outbox.accepted)
    }
}
