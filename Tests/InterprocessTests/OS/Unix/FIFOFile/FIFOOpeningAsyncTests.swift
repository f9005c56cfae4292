// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// Each end waits for the other, awaited, for as long as it is told to.
final class FIFOOpeningAsyncTests: InterprocessTestCase {
    override func setUpWithError() throws {
        try super.setUpWithError()
        try FIFOFile.create(at: path())
    }

    private var isOpenHere: Bool { OpenDescriptors.all().contains { $0.hasSuffix(" " + path()) } }

    /// A task that has the FIFO open, and waits for somebody to send.
    private func waitingReceiver(timeout: Duration? = nil) async -> Task<FIFOReceiver, any Error> {
        let path = path()
        let opening = start { try await FIFOFile.openReceiver(at: path, timeout: timeout) }
        await eventually("it opens") { isOpenHere }
        return opening
    }

    func testReceiverWaitsForSender() async throws {
        try await onEachExecutor {
            let opening = await waitingReceiver()
            // The receiver is there from the start: no time limit is needed.
            let sender = try await FIFOFile.openSender(at: path(), timeout: .zero)
            try await sender.writeAll("hello\n")
            let receiver = try await opening.value
            try await assertEqual("hello") { try await receiver.readLine() }
            sender.close()
            try await assertEqual(nil) { try await receiver.readLine() }
            receiver.close()
        }
    }

    func testReceiverIsSatisfiedBySilentSender() async throws {
        let opening = await waitingReceiver()
        let sender = try await FIFOFile.openSender(at: path(), timeout: .zero)
        let receiver = try await opening.value
        // The sender is still there, so this is not the end of the stream.
        await assertThrows(.timedOut, .read) { try await receiver.read(upTo: 1, timeout: .milliseconds(1)) }
        try await sender.writeAll("late")
        try await assertEqual("late") { text(try await receiver.read(upTo: 10)) }
    }

    func testReceiverIsSatisfiedBySenderThatLeftAtOnce() async throws {
        try await onEachExecutor {
            for sent in ["", "kept", String(repeating: "y", count: 50_000)] {
                let opening = await waitingReceiver()
                let sender = try await FIFOFile.openSender(at: path(), timeout: .zero)
                try await sender.writeAll(sent)
                sender.close()
                let receiver = try await opening.value
                try await assertEqual(sent) { text(try await receiver.readToEnd()) }
                receiver.close()
            }
        }
    }

    func testReceiverKeepsOrderOfBytesFromBeforeAndAfter() async throws {
        let opening = await waitingReceiver()
        let sender = try await FIFOFile.openSender(at: path(), timeout: .zero)
        try await sender.writeAll("1")
        let receiver = try await opening.value
        try await sender.writeAll("2")
        sender.close()
        try await assertEqual("12") { text(try await receiver.readExactly(2)) }
        try await assertEqual([]) { try await receiver.read(upTo: 1) }
    }

    func testTimeouts() async throws {
        try await onEachExecutor {
            for limit: Duration in [.milliseconds(50), .zero, .seconds(-1)] {
                let start = ContinuousClock.now
                let errors = [
                    await assertThrows(.timedOut, .open) {
                        try await FIFOFile.openReceiver(at: path(), timeout: limit)
                    },
                    await assertThrows(.timedOut, .open) {
                        try await FIFOFile.openSender(at: path(), timeout: limit)
                    },
                ]
                for error in errors { XCTAssertEqual(error?.name, path()) }
                XCTAssertGreaterThanOrEqual(ContinuousClock.now - start, limit * 2)
                XCTAssertFalse(isOpenHere, "left open")
            }
        }
    }

    func testReceiverWithTimeLimitOfZeroSeesSenderThatIsThere() async throws {
        let first = try await FIFOFile.openReceiver(at: path(), waitsForSender: false)
        let sender = try await FIFOFile.openSender(at: path(), timeout: .zero)
        let second = try await FIFOFile.openReceiver(at: path(), timeout: .zero)
        try await sender.writeAll("x")
        try await assertEqual("x") { text(try await second.read(upTo: 1)) }
        first.close()
    }

    func testSenderWaitsForReceiver() async throws {
        let path = path()
        try await onEachExecutor {
            for delay: Duration in [.zero, .milliseconds(1), .milliseconds(30)] {
                let opening = start { try await FIFOFile.openSender(at: path) }
                // Whichever comes first, they find each other.
                try await Task.sleep(for: delay)
                let receiver = try await FIFOFile.openReceiver(at: path)
                let sender = try await opening.value
                try await sender.writeAll("hello\n")
                try await assertEqual("hello") { try await receiver.readLine() }
                sender.close()
                receiver.close()
            }
        }
    }

    /// One side is a thread, the other one a task.
    func testThreadsAndTasks() async throws {
        let path = path()
        let receiving = Running { try FIFOFile.openReceiver(at: path) }
        receiving.waitUntilBlocked()
        let first = try await FIFOFile.openSender(at: path)
        try receiving.value().close()
        first.close()
        let sending = Running { try FIFOFile.openSender(at: path) }
        let receiver = try await FIFOFile.openReceiver(at: path)
        try sending.value().close()
        try await assertEqual([]) { try await receiver.readToEnd() }
    }

    /// On the main actor, which is not held up meanwhile: otherwise neither could wait for the other.
    func testOnTheMainActor() async throws {
        let path = path()
        let receiving = Task { @MainActor in try await FIFOFile.openReceiver(at: path) }
        let sending = Task { @MainActor in try await FIFOFile.openSender(at: path) }
        try await sending.value.writeAll("main\n")
        let receiver = try await receiving.value
        try await assertEqual("main") { try await receiver.readLine() }
    }

    func testTimeLimitPastTheEndOfTheClock() async throws {
        let opening = await waitingReceiver(timeout: .seconds(Int64.max))
        let sender = try await FIFOFile.openSender(at: path(), timeout: .seconds(Int64.max))
        try await opening.value.close()
        sender.close()
    }

    // MARK: Cancelling

    /// Expects that a cancelled task ends soon, and returns how soon.
    private func timeToEnd<End>(_ opening: Task<End, any Error>) async -> Duration {
        let start = ContinuousClock.now
        opening.cancel()
        let error = await assertThrows(.cancelled, .open) { try await opening.value }
        let time = ContinuousClock.now - start
        XCTAssertEqual(error?.name, path())
        XCTAssertFalse(isOpenHere, "left open")
        return time
    }

    func testCancelling() async throws {
        let path = path()
        try await onEachExecutor {
            var times: [Duration] = []
            for _ in 0..<20 { times.append(await timeToEnd(await waitingReceiver())) }
            for milliseconds in 0..<20 {
                let opening = start { try await FIFOFile.openSender(at: path) }
                try await Task.sleep(for: .milliseconds(milliseconds))
                times.append(await timeToEnd(opening))
            }
            let longest = times.max() ?? .zero
            print("cancelled openings took \(longest) at most")
            XCTAssertLessThan(longest, .seconds(5))
        }
    }

    /// Bytes of a sender that comes after that are another receiver's.
    func testCancelledReceiverTakesNothing() async throws {
        _ = await timeToEnd(await waitingReceiver())
        await assertThrows(.timedOut, .open) { try await FIFOFile.openSender(at: path(), timeout: .zero) }
        let opening = await waitingReceiver()
        let sender = try await FIFOFile.openSender(at: path())
        try await sender.writeAll("kept")
        sender.close()
        try await assertEqual("kept") { text(try await opening.value.readToEnd()) }
    }
}
