// SPDX-License-Identifier: MIT OR Apache-2.0

import CInterprocess
import Foundation
import XCTest

@testable import Interprocess

/// Open file descriptions that others hold too, and waking the calls that wait.
final class DescriptorSharingTests: InterprocessTestCase {
    func testShareIsRefusedWhileACallWaitsInTheKernel() throws {
        let (one, other) = try LocalSocketStream.pair()
        let reading = Running { try one.read(upTo: 1) }
        reading.waitUntilBlocked()
        XCTAssertEqual(one.descriptorCore.callsUnderWay, 1)
        let error = assertThrows(.busy, .split) { try one.descriptorCore.share(for: .split) }
        XCTAssertEqual(error?.description.contains("another thread"), true, error?.description ?? "")
        XCTAssertFalse(one.descriptorCore.isShared)
        assertThrows(.busy, .duplicate) { try one.duplicate() }
        try other.writeAll("x")
        try reading.value()
        try one.descriptorCore.share(for: .split)
        XCTAssertTrue(one.descriptorCore.isShared)
        // Once shared, again is nothing.
        try one.descriptorCore.share(for: .split)
    }

    func testAfterSharingCallsWaitByPoll() throws {
        let (one, other) = try LocalSocketStream.pair()
        XCTAssertTrue(try one.descriptorCore.lease(.receive, for: .read, blocking: true).mayBlock)
        try one.descriptorCore.share(for: .split)
        XCTAssertFalse(try one.descriptorCore.lease(.receive, for: .read, blocking: true).mayBlock)
        let reading = Running { try one.read(upTo: 1) }
        reading.waitUntilBlocked()
        // A call that waits by poll is in nobody's way.
        try one.descriptorCore.share(for: .split)
        try one.withUnsafeDescriptor { _ in }
        one.close()
        assertThrows(.closed) { try reading.value() }
        XCTAssertEqual(try other.read(upTo: 1), [])
    }

    func testADuplicateSurvivesClose() throws {
        let (one, other) = try LocalSocketStream.pair()
        let copy = try one.duplicate()
        let reading = Running { try one.read(upTo: 1) }
        reading.waitUntilBlocked()
        one.close()
        assertThrows(.closed) { try reading.value() }
        try copy.writeAll("to the peer\n")
        XCTAssertEqual(try other.readLine(), "to the peer")
        try other.writeAll("to the copy\n")
        XCTAssertEqual(try copy.readLine(), "to the copy")
        copy.close()
        XCTAssertNil(try other.readLine())
    }

    /// The same for a descriptor whose other holder this library knows nothing of.
    func testAnAdoptedDescriptionSurvivesClose() throws {
        var ends: [Int32] = [-1, -1]
        XCTAssertEqual(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends), 0)
        let kept = dup(ends[0])
        let adopted = try LocalSocketStream(adopting: ends[0])
        let calls = [
            Running { _ = try adopted.read(upTo: 1) },
            Running { try adopted.writeAll([UInt8](repeating: 1, count: 4 << 20)) },
        ]
        for call in calls { call.waitUntilBlocked() }
        adopted.close()
        for call in calls { assertThrows(.closed) { try call.value() } }
        var byte: UInt8 = 7
        XCTAssertEqual(write(ends[1], &byte, 1), 1)
        byte = 0
        XCTAssertEqual(read(kept, &byte, 1), 1)
        XCTAssertEqual(byte, 7)
        // The mode of the description is as it was, too.
        XCTAssertEqual(fcntl(kept, F_GETFL) & O_NONBLOCK, 0)
        close(kept)
        close(ends[1])
    }

    func testAnAdoptedPipeSurvivesClose() throws {
        var ends: [Int32] = [-1, -1]
        XCTAssertEqual(pipe(&ends), 0)
        let kept = dup(ends[0])
        let receiver = try UnnamedPipeReceiver(adopting: ends[0])
        let sender = try UnnamedPipeSender(adopting: ends[1])
        let reading = Running { try receiver.read(upTo: 1) }
        reading.waitUntilBlocked()
        receiver.close()
        assertThrows(.closed) { try reading.value() }
        try sender.writeAll("y")
        var bytes: [UInt8] = [0, 0, 0, 0]
        XCTAssertEqual(read(kept, &bytes, 4), 1, "closing left a byte in somebody else's pipe")
        XCTAssertEqual(bytes[0], UInt8(ascii: "y"))
        close(kept)
    }

    func testHalvesAreClosedAlone() throws {
        let (one, other) = try LocalSocketStream.pair()
        let (receiver, sender) = try one.split()
        let reading = Running { try receiver.read(upTo: 1) }
        reading.waitUntilBlocked()
        receiver.close()
        assertThrows(.closed) { try reading.value() }
        try sender.writeAll("x")
        XCTAssertEqual(try other.read(upTo: 1), [UInt8(ascii: "x")])
        XCTAssertFalse(one.isClosed)
        sender.close()
        XCTAssertTrue(one.isClosed)
        XCTAssertEqual(try other.read(upTo: 1), [])
    }

    func testCloseWakesEveryCallOnEveryThread() throws {
        for isShared in [false, true] {
            let (one, other) = try LocalSocketStream.pair()
            if isShared { try one.descriptorCore.share(for: .split) }
            let calls = (0..<8).map { number in
                Running {
                    switch number % 4 {
                    case 0: _ = try one.read(upTo: 1)
                    case 1: _ = try one.read(upTo: 1, timeout: .seconds(60))
                    case 2: _ = try one.readLine()
                    default: try one.writeAll([UInt8](repeating: 1, count: 4 << 20))
                    }
                }
            }
            for call in calls { call.waitUntilBlocked() }
            XCTAssertEqual(one.descriptorCore.callsUnderWay, 8)
            one.close()
            for call in calls { assertThrows(.closed) { try call.value() } }
            XCTAssertEqual(one.descriptorCore.callsUnderWay, 0)
            _ = try? other.readToEnd()
        }
    }

    /// Each side has one wake, however many wait, and it goes with the descriptor.
    func testWakesAreMadeOnceAndDestroyed() throws {
        func eventDescriptors() throws -> Int {
            try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").filter {
                (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)"))?
                    .contains("eventfd") ?? false
            }.count
        }
        let before = try eventDescriptors()
        for round in 0..<50 {
            let (one, _) = try LocalSocketStream.pair()
            let core = one.descriptorCore
            let lease = try core.lease(.both, for: .read)
            let wakes = try (0..<4).map { _ in Running { try core.wake(.receive, for: .read) } }.map { try $0.value() }
            XCTAssertEqual(Set(wakes).count, 1)
            XCTAssertNotEqual(try core.wake(.send, for: .write), wakes[0])
            XCTAssertEqual(try eventDescriptors(), before + 2)
            _ = consume lease
            if round % 2 == 0 { one.close() } else { _ = cip_close(try core.detach()) }
        }
        XCTAssertEqual(try eventDescriptors(), before)
    }

    func testPauseEndsByTimeOrByClose() throws {
        let (one, _) = try LocalSocketStream.pair()
        let core = one.descriptorCore
        do {
            let lease = try core.lease(.both, for: .connect)
            let start = ContinuousClock.now
            try core.pause(.both, for: .connect, lease, until: Deadline(after: .milliseconds(20)))
            XCTAssertGreaterThanOrEqual(ContinuousClock.now - start, .milliseconds(20))
        }
        let pausing = Running {
            let lease = try core.lease(.both, for: .connect)
            try core.pause(.both, for: .connect, lease, until: .never)
        }
        pausing.waitUntilBlocked()
        one.close()
        assertThrows(.closed, .connect) { try pausing.value() }
    }
}
