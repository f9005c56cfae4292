// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// Each end waits for the other, for as long as it is told to.
final class FIFOOpeningTests: InterprocessTestCase {
    override func setUpWithError() throws {
        try super.setUpWithError()
        try FIFOFile.create(at: path())
    }

    private func waitingReceiver() -> Running<FIFOReceiver> {
        let path = path()
        let receiver = Running { try FIFOFile.openReceiver(at: path) }
        receiver.waitUntilBlocked()
        return receiver
    }

    func testReceiverWaitsForSender() throws {
        let opening = waitingReceiver()
        // The receiver is there from the start: no time limit is needed.
        let sender = try FIFOFile.openSender(at: path(), timeout: .zero)
        try sender.writeAll("hello\n")
        let receiver = try opening.value()
        XCTAssertEqual(try receiver.readLine(), "hello")
        sender.close()
        XCTAssertNil(try receiver.readLine())
    }

    func testReceiverIsSatisfiedBySilentSender() throws {
        let opening = waitingReceiver()
        let sender = try FIFOFile.openSender(at: path(), timeout: .zero)
        let receiver = try opening.value()
        // The sender is still there, so this is not the end of the stream.
        receiver.setNonblocking(true)
        assertThrows(.wouldBlock, .read) { try receiver.read(upTo: 1) }
        try sender.writeAll("late")
        XCTAssertEqual(try receiver.read(upTo: 10), Array("late".utf8))
    }

    func testReceiverIsSatisfiedBySenderThatLeftAtOnce() throws {
        for text in ["", "kept", String(repeating: "y", count: 50_000)] {
            let opening = waitingReceiver()
            let sender = try FIFOFile.openSender(at: path(), timeout: .zero)
            try sender.writeAll(text)
            sender.close()
            let receiver = try opening.value()
            XCTAssertEqual(try receiver.readToEnd(), Array(text.utf8))
            receiver.close()
        }
    }

    func testReceiverKeepsOrderOfBytesFromBeforeAndAfter() throws {
        let opening = waitingReceiver()
        let sender = try FIFOFile.openSender(at: path(), timeout: .zero)
        try sender.writeAll("1")
        let receiver = try opening.value()
        try sender.writeAll("2")
        sender.close()
        XCTAssertEqual(try receiver.readExactly(2), Array("12".utf8))
        XCTAssertEqual(try receiver.read(upTo: 1), [])
    }

    func testReceiverTimeout() {
        let start = ContinuousClock.now
        let error = assertThrows(.timedOut, .open) {
            try FIFOFile.openReceiver(at: path(), timeout: .milliseconds(50))
        }
        XCTAssertGreaterThanOrEqual(ContinuousClock.now - start, .milliseconds(50))
        XCTAssertEqual(error?.name, path())
        for limit: Duration in [.zero, .seconds(-1)] {
            assertThrows(.timedOut, .open) { try FIFOFile.openReceiver(at: path(), timeout: limit) }
        }
    }

    func testReceiverWithTimeLimitOfZeroSeesSenderThatIsThere() throws {
        let first = try FIFOFile.openReceiver(at: path(), waitsForSender: false)
        let sender = try FIFOFile.openSender(at: path(), timeout: .zero)
        let second = try FIFOFile.openReceiver(at: path(), timeout: .zero)
        try sender.writeAll("x")
        XCTAssertEqual(try second.read(upTo: 1), [UInt8(ascii: "x")])
        first.close()
    }

    func testSenderWaitsForReceiver() throws {
        let path = path()
        let opening = Running { try FIFOFile.openSender(at: path) }
        opening.waitUntilBlocked()
        let receiver = try FIFOFile.openReceiver(at: path)
        let sender = try opening.value()
        try sender.writeAll("hello\n")
        XCTAssertEqual(try receiver.readLine(), "hello")
    }

    func testSenderTimeout() {
        let start = ContinuousClock.now
        let error = assertThrows(.timedOut, .open) { try FIFOFile.openSender(at: path(), timeout: .milliseconds(50)) }
        XCTAssertGreaterThanOrEqual(ContinuousClock.now - start, .milliseconds(50))
        XCTAssertEqual(error?.name, path())
        assertThrows(.timedOut, .open) { try FIFOFile.openSender(at: path(), timeout: .zero) }
    }

    func testTimeLimitPastTheEndOfTheClock() throws {
        let path = path()
        let opening = Running { try FIFOFile.openReceiver(at: path, timeout: .seconds(Int64.max)) }
        opening.waitUntilBlocked()
        let sender = try FIFOFile.openSender(at: path, timeout: .seconds(Int64.max))
        try opening.value().close()
        sender.close()
    }

    /// Nothing is a stream's end for ever here: as long as nobody sends, each read says 0 bytes, and none of them
    /// waits.
    func testReadsWithoutSenderSayNothingIsThere() throws {
        let receiver = try FIFOFile.openReceiver(at: path(), waitsForSender: false)
        for _ in 0..<3 {
            XCTAssertEqual(try receiver.read(upTo: 1, timeout: .seconds(5)), [])
            XCTAssertNil(try receiver.readLine(timeout: .seconds(5)))
            XCTAssertEqual(try receiver.readToEnd(timeout: .seconds(5)), [])
        }
    }

    /// Bytes of a sender that had left before the receiver came are followed by the end, too.
    func testReadsOfWhatASenderLeftBehind() throws {
        let keeper = try FIFOFile.openReceiver(at: path(), waitsForSender: false)
        let sender = try FIFOFile.openSender(at: path())
        try sender.writeAll("left behind")
        sender.close()
        let receiver = try FIFOFile.openReceiver(at: path(), waitsForSender: false)
        XCTAssertEqual(try receiver.read(upTo: 100), Array("left behind".utf8))
        XCTAssertEqual(try receiver.read(upTo: 100, timeout: .seconds(5)), [])
        XCTAssertEqual(try receiver.read(upTo: 100, timeout: .seconds(5)), [])
        keeper.close()
    }

    /// After a read that had to wait, the next one asks for readiness first, and must be told of the end all the same.
    func testEndIsSeenByAReadThatWaitsFirst() throws {
        let receiver = try FIFOFile.openReceiver(at: path(), waitsForSender: false)
        XCTAssertEqual(try receiver.read(upTo: 10), [])
        for _ in 0..<3 {
            let sender = try FIFOFile.openSender(at: path())
            assertThrows(.timedOut, .read) { try receiver.read(upTo: 10, timeout: .milliseconds(1)) }
            try sender.writeAll("ab")
            XCTAssertEqual(try receiver.read(upTo: 10), Array("ab".utf8))
            sender.close()
            for _ in 0..<2 { XCTAssertEqual(try receiver.read(upTo: 10, timeout: .seconds(5)), []) }
        }
    }

    func testNewSenderIsReadAfterTheEnd() throws {
        let receiver = try FIFOFile.openReceiver(at: path(), waitsForSender: false)
        for round in 0..<3 {
            let one = try FIFOFile.openSender(at: path())
            let two = try FIFOFile.openSender(at: path())
            try one.writeAll("one \(round)\n")
            one.close()
            XCTAssertEqual(try receiver.readLine(), "one \(round)")
            try two.writeAll("two \(round)")
            two.close()
            XCTAssertEqual(try receiver.readLine(), "two \(round)")
            XCTAssertEqual(try receiver.read(upTo: 1), [])
        }
    }
}
