// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

/// Nonblocking mode, time limits, and closing under calls that wait.
final class UnnamedPipeWaitingTests: InterprocessTestCase {
    private static let much = [UInt8](repeating: 5, count: 1 << 20)

    func testNonblockingWhenEmpty() throws {
        var options = UnnamedPipe.Options()
        options.nonblocking = true
        let (sender, receiver) = try UnnamedPipe.create(options)
        assertThrows(.wouldBlock, .read) { try receiver.read(upTo: 1) }
        assertThrows(.wouldBlock, .read) { try receiver.readLine() }
        // Time limits do not make it wait.
        assertThrows(.wouldBlock, .read) { try receiver.read(upTo: 1, timeout: .seconds(60)) }
        try sender.writeAll("ab")
        let error = assertThrows(.wouldBlock, .read) { try receiver.readExactly(3) }
        XCTAssertEqual(error?.bytesTransferred, 2)
        XCTAssertEqual(try receiver.read(upTo: 3), Array("ab".utf8))
    }

    func testNonblockingWhenFull() throws {
        var options = UnnamedPipe.Options()
        options.nonblocking = true
        let (sender, receiver) = try UnnamedPipe.create(options)
        let error = assertThrows(.wouldBlock, .write) { try sender.writeAll(Self.much) }
        XCTAssertEqual(error?.bytesTransferred, try sender.bufferSize)
        assertThrows(.wouldBlock, .write) { try sender.write(Self.much) }
        XCTAssertEqual(try receiver.readExactly(4096).count, 4096)
        XCTAssertEqual(try sender.write(Self.much), 4096)
    }

    func testNonblockingIsASettingOfOneObject() throws {
        let (sender, receiver) = try UnnamedPipe.create()
        receiver.setNonblocking(true)
        assertThrows(.wouldBlock) { try receiver.read(upTo: 1) }
        receiver.setNonblocking(false)
        let reading = Running { try receiver.read(upTo: 1) }
        reading.waitUntilBlocked()
        try sender.writeAll("x")
        XCTAssertEqual(try reading.value(), [UInt8(ascii: "x")])
    }

    func testReadTimeout() throws {
        let (sender, receiver) = try UnnamedPipe.create()
        let start = ContinuousClock.now
        assertThrows(.timedOut, .read) { try receiver.read(upTo: 1, timeout: .milliseconds(30)) }
        XCTAssertGreaterThanOrEqual(ContinuousClock.now - start, .milliseconds(30))
        receiver.receiveTimeout = .milliseconds(10)
        assertThrows(.timedOut, .read) { try receiver.readLine() }
        receiver.receiveTimeout = .zero
        assertThrows(.timedOut, .read) { try receiver.read(upTo: 1) }
        try sender.writeAll("x")
        XCTAssertEqual(try receiver.read(upTo: 1), [UInt8(ascii: "x")])
        XCTAssertEqual(receiver.receiveTimeout, .zero)
        receiver.receiveTimeout = nil
        XCTAssertNil(receiver.receiveTimeout)
    }

    /// The limit is for the whole call: bytes that trickle in do not stretch it.
    func testTimeoutIsForTheWholeCall() throws {
        let (sender, receiver) = try UnnamedPipe.create()
        try sender.writeAll("x")
        let trickle = Running {
            while (try? sender.writeAll("x")) != nil { usleep(3000) }
        }
        let start = ContinuousClock.now
        let error = assertThrows(.timedOut) { try receiver.readExactly(1 << 20, timeout: .milliseconds(60)) }
        XCTAssertLessThan(ContinuousClock.now - start, .seconds(10))
        XCTAssertGreaterThan(error?.bytesTransferred ?? 0, 0)
        receiver.close()
        try trickle.value()
    }

    func testWriteTimeout() throws {
        let (sender, receiver) = try UnnamedPipe.create()
        let start = ContinuousClock.now
        let error = assertThrows(.timedOut, .write) { try sender.writeAll(Self.much, timeout: .milliseconds(30)) }
        XCTAssertGreaterThanOrEqual(ContinuousClock.now - start, .milliseconds(30))
        XCTAssertEqual(error?.bytesTransferred, try sender.bufferSize)
        sender.sendTimeout = .milliseconds(10)
        assertThrows(.timedOut, .write) { try sender.write(Self.much) }
        sender.close()
        XCTAssertEqual(try receiver.readToEnd().count, error?.bytesTransferred)
    }

    func testCloseWakesPlainRead() throws {
        let (sender, receiver) = try UnnamedPipe.create()
        let reading = Running { try receiver.read(upTo: 100) }
        reading.waitUntilBlocked()
        XCTAssertFalse(receiver.descriptorCore.isShared, "this is to test a read inside the kernel")
        receiver.close()
        assertThrows(.closed, .read) { try reading.value() }
        assertThrows(.brokenPipe, .write) { try sender.writeAll("x") }
    }

    func testCloseWakesPolledReads() throws {
        for form in 0..<3 {
            let (sender, receiver) = try UnnamedPipe.create()
            if form == 2 { try receiver.withUnsafeDescriptor { _ in } }
            let reading = Running {
                switch form {
                case 0: _ = try receiver.readLine()
                case 1: _ = try receiver.read(upTo: 1, timeout: .seconds(60))
                default: _ = try receiver.read(upTo: 1)
                }
            }
            reading.waitUntilBlocked()
            receiver.close()
            assertThrows(.closed, .read) { try reading.value() }
            assertThrows(.brokenPipe, .write) { try sender.writeAll("x") }
        }
    }

    /// One of the readers may take the bytes that were meant to wake the others as well.
    func testCloseWakesAllReaders() throws {
        for _ in 0..<200 {
            let (sender, receiver) = try UnnamedPipe.create()
            let readings = (0..<6).map { number in
                Running { () -> [UInt8] in
                    switch number {
                    case 4: try receiver.read(upTo: 100, timeout: .seconds(60))
                    default: try receiver.read(upTo: 100)
                    }
                }
            }
            for reading in readings { reading.waitUntilBlocked() }
            receiver.close()
            for reading in readings { assertThrows(.closed, .read) { try reading.value() } }
            sender.close()
        }
    }

    func testCloseWakesWrite() throws {
        for isShared in [false, true] {
            let (sender, receiver) = try UnnamedPipe.create()
            if isShared { try sender.withUnsafeDescriptor { _ in } }
            let bytes = Self.much
            let writings = (0..<2).map { _ in Running { try sender.writeAll(bytes) } }
            for writing in writings { writing.waitUntilBlocked() }
            sender.close()
            var sent = 0
            for writing in writings {
                sent += assertThrows(.closed, .write) { try writing.value() }?.bytesTransferred ?? 0
            }
            XCTAssertEqual(try receiver.readToEnd().count, sent)
        }
    }

    func testReceiverThatLeavesWakesWrite() throws {
        let (sender, receiver) = try UnnamedPipe.create()
        let bytes = Self.much
        let writing = Running { try sender.writeAll(bytes) }
        writing.waitUntilBlocked()
        receiver.close()
        assertThrows(.brokenPipe, .write) { try writing.value() }
    }

    func testSenderThatLeavesWakesRead() throws {
        let (sender, receiver) = try UnnamedPipe.create()
        let reading = Running { try receiver.read(upTo: 1) }
        reading.waitUntilBlocked()
        sender.close()
        XCTAssertEqual(try reading.value(), [])
    }
}
