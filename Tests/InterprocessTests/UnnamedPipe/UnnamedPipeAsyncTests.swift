// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

/// Unnamed pipes whose ends are awaited.
final class UnnamedPipeAsyncTests: InterprocessTestCase {
    func testDataSurvivesTheSender() async throws {
        try await onEachExecutor {
            let (sender, receiver) = try UnnamedPipe.create()
            let writing = start {
                try await sender.writeAll("Hello from side A!\n")
                sender.close()
            }
            try await writing.value
            try await assertEqual("Hello from side A!") { try await receiver.readLine() }
            try await assertEqual(nil) { try await receiver.readLine() }
        }
    }

    func testDataSurvivesADroppedSender() async throws {
        func makeReceiver() async throws -> UnnamedPipeReceiver {
            let (sender, receiver) = try UnnamedPipe.create()
            // Having waited, it belongs to a loop, which must not hold it.
            await assertThrows(.timedOut) {
                try await sender.writeAll([UInt8](repeating: 1, count: 1 << 20), timeout: .zero)
            }
            return receiver
        }
        let receiver = try await makeReceiver()
        try await assertEqual(256 << 10) { try await receiver.readToEnd().count }
    }

    func testEndIsZeroBytesInEveryForm() async throws {
        let (sender, receiver) = try UnnamedPipe.create()
        sender.close()
        for _ in 0..<3 {
            try await assertEqual([]) { try await receiver.read(upTo: 10) }
            try await assertEqual([]) { try await receiver.readToEnd() }
            try await assertEqual(nil) { try await receiver.readLine() }
            try await assertEqual([]) { try await receiver.readExactly(0) }
            await assertThrows(.endOfStream, .read) { try await receiver.readExactly(1) }
        }
    }

    func testMuchDataArrivesInOrder() async throws {
        let bytes = (0..<5_000_000).map { UInt8(truncatingIfNeeded: $0 / 251 + $0) }
        try await onEachExecutor {
            let (sender, receiver) = try UnnamedPipe.create()
            let writing = start {
                try await sender.writeAll(bytes)
                sender.close()
            }
            let found = try await receiver.readToEnd()
            XCTAssertTrue(found == bytes, "the bytes came differently")
            try await writing.value
        }
    }

    func testBufferHoldsWhatItSays() async throws {
        var options = UnnamedPipe.Options()
        options.bufferSize = 1 << 20
        let (sender, receiver) = try UnnamedPipe.create(options)
        let error = await assertThrows(.timedOut) {
            try await sender.writeAll([UInt8](repeating: 7, count: 3 << 20), timeout: .milliseconds(5))
        }
        XCTAssertEqual(error?.bytesTransferred, 1 << 20)
        try await assertEqual(1 << 20) { try await receiver.readExactly(1 << 20).count }
    }

    func testErrorsNameThePipe() async throws {
        let (sender, receiver) = try UnnamedPipe.create()
        let late = await assertThrows(.timedOut, .read) { try await receiver.read(upTo: 1, timeout: .zero) }
        XCTAssertEqual(late?.name, "an unnamed pipe")
        receiver.close()
        let error = await assertThrows(.brokenPipe, .write) { try await sender.writeAll("x") }
        XCTAssertEqual(error?.name, "an unnamed pipe")
        XCTAssertEqual(error?.systemCode, Int64(EPIPE))
        XCTAssertEqual(error?.bytesTransferred, 0)
    }

    // MARK: Taking descriptors over and giving them away

    /// The ends of somebody else's pipe may be in nonblocking mode, and stay so.
    func testAdoptedNonblockingEnds() async throws {
        try await onEachExecutor {
            var ends: [Int32] = [0, 0]
            XCTAssertEqual(pipe(&ends), 0)
            for end in ends { XCTAssertEqual(fcntl(end, F_SETFL, O_NONBLOCK), 0) }
            let receiver = try UnnamedPipeReceiver(adopting: ends[0])
            let sender = try UnnamedPipeSender(adopting: ends[1])
            let reading = start { try await receiver.readExactly(1 << 20) }
            await waitUntilAwaited(receiver)
            try await sender.writeAll([UInt8](repeating: 3, count: 1 << 20))
            try await assertEqual(1 << 20) { try await reading.value.count }
            for end in ends { XCTAssertNotEqual(fcntl(end, F_GETFL) & O_NONBLOCK, 0) }
        }
    }

    /// A program that shares the open file description must not find it in nonblocking mode.
    func testSharedEndsStayInBlockingMode() async throws {
        let (sender, receiver) = try UnnamedPipe.create()
        await assertThrows(.timedOut) { try await receiver.readLine(timeout: .zero) }
        await assertThrows(.timedOut) {
            try await sender.writeAll([UInt8](repeating: 1, count: 1 << 20), timeout: .zero)
        }
        for end in [try sender.withUnsafeDescriptor { $0 }, try receiver.withUnsafeDescriptor { $0 }] {
            XCTAssertEqual(fcntl(end, F_GETFL) & O_NONBLOCK, 0)
        }
    }

    func testAdoptsAFIFOOpenBothWays() async throws {
        try FIFOFile.create(at: path())
        let both = open(path(), O_RDWR)
        let receiver = try UnnamedPipeReceiver(adopting: both)
        let sender = try UnnamedPipeSender(adopting: dup(both))
        let reading = start { try await receiver.readLine() }
        await waitUntilAwaited(receiver)
        try await sender.writeAll("round\n")
        try await assertEqual("round") { try await reading.value }
    }

    func testDetachIsRefusedWhileSomebodyWaits() async throws {
        try await onEachExecutor {
            let (sender, receiver) = try UnnamedPipe.create()
            let reading = start { try await receiver.read(upTo: 1) }
            await waitUntilAwaited(receiver)
            assertThrows(.busy, .detach) { try receiver.detach() }
            try await sender.writeAll("x")
            try await assertEqual("x") { text(try await reading.value) }
            // The descriptor's number comes to another object, and with it to the loop once more.
            let again = try UnnamedPipeReceiver(adopting: receiver.detach())
            await assertThrows(.closed) { try await receiver.read(upTo: 1) }
            let readingAgain = start { try await again.read(upTo: 1) }
            await waitUntilAwaited(again)
            try await sender.writeAll("y")
            try await assertEqual("y") { text(try await readingAgain.value) }
        }
    }

    /// Other than a thread that waits inside the kernel, a task that waits does not keep others from having it.
    func testLendingWhileATaskWaits() async throws {
        let (sender, receiver) = try UnnamedPipe.create()
        let reading = start { try await receiver.readLine() }
        await waitUntilAwaited(receiver)
        try receiver.setInheritable(false)
        let descriptor = try receiver.withUnsafeDescriptor { descriptor in
            receiver.close()
            XCTAssertGreaterThanOrEqual(fcntl(descriptor, F_GETFD), 0, "closed while it was lent")
            return descriptor
        }
        XCTAssertLessThan(fcntl(descriptor, F_GETFD), 0)
        await assertThrows(.closed, .read) { try await reading.value }
        sender.close()
    }
}
