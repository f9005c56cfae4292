// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

final class UnnamedPipeTests: InterprocessTestCase {
    /// What is written survives its sender: the crate's test "basic".
    func testDataSurvivesTheSender() throws {
        let (sender, receiver) = try UnnamedPipe.create()
        let writing = Running { [sender] in
            try sender.writeAll("Hello from side A!\n")
            sender.close()
        }
        try writing.value()
        XCTAssertEqual(try receiver.readLine(), "Hello from side A!")
        XCTAssertNil(try receiver.readLine())
    }

    func testDataSurvivesADroppedSender() throws {
        func makeReceiver() throws -> UnnamedPipeReceiver {
            let (sender, receiver) = try UnnamedPipe.create()
            try sender.writeAll("dropped")
            return receiver
        }
        XCTAssertEqual(try makeReceiver().readToEnd(), Array("dropped".utf8))
    }

    func testEndIsZeroBytesInEveryForm() throws {
        let (sender, receiver) = try UnnamedPipe.create()
        sender.close()
        for _ in 0..<3 {
            XCTAssertEqual(try receiver.read(upTo: 10), [])
            XCTAssertEqual(try receiver.readToEnd(), [])
            XCTAssertNil(try receiver.readLine())
            XCTAssertEqual(try receiver.readExactly(0), [])
            assertThrows(.endOfStream, .read) { try receiver.readExactly(1) }
        }
        receiver.setNonblocking(true)
        XCTAssertEqual(try receiver.read(upTo: 10), [])
    }

    func testMuchDataArrivesInOrder() throws {
        let (sender, receiver) = try UnnamedPipe.create()
        let bytes = (0..<5_000_000).map { UInt8(truncatingIfNeeded: $0 / 251 + $0) }
        let writing = Running {
            try sender.writeAll(bytes)
            sender.close()
        }
        XCTAssertTrue(try receiver.readToEnd() == bytes, "the bytes came differently")
        try writing.value()
    }

    func testFlushIsHarmless() throws {
        let (sender, receiver) = try UnnamedPipe.create()
        sender.flush()
        try sender.writeAll("x")
        sender.flush()
        receiver.close()
        sender.flush()
        sender.close()
        sender.flush()
    }

    func testNothingIsWrittenAtOnce() throws {
        let (sender, receiver) = try UnnamedPipe.create()
        XCTAssertEqual(try sender.write([]), 0)
        try sender.writeAll("")
        try sender.writeAll([])
        sender.close()
        XCTAssertEqual(try receiver.readToEnd(), [])
    }

    func testBufferSizes() throws {
        XCTAssertEqual(try UnnamedPipe.create().sender.bufferSize, 256 << 10)
        var options = UnnamedPipe.Options()
        options.bufferSize = 1 << 20
        XCTAssertEqual(try UnnamedPipe.create(options).sender.bufferSize, 1 << 20)
        options.bufferSize = 5000
        XCTAssertEqual(try UnnamedPipe.create(options).sender.bufferSize, 8192)
        options.bufferSize = nil
        XCTAssertEqual(try UnnamedPipe.create(options).sender.bufferSize, 64 << 10)
        let (sender, _) = try UnnamedPipe.create(options)
        sender.close()
        assertThrows(.closed, .configure) { try sender.bufferSize }
    }

    func testBufferSizesThatCannotBe() throws {
        var options = UnnamedPipe.Options()
        for size in [0, -1, Int.min] {
            options.bufferSize = size
            assertThrows(.invalidArgument, .create) { try UnnamedPipe.create(options) }
        }
        // It is a wish: the pipe works as well with the size that the system gives it.
        for size in [1 << 31, 1 << 40, Int.max] {
            options.bufferSize = size
            let (sender, receiver) = try UnnamedPipe.create(options)
            try sender.writeAll("works\n")
            XCTAssertEqual(try receiver.readLine(), "works")
        }
    }

    func testBufferHoldsWhatItSays() throws {
        var options = UnnamedPipe.Options()
        options.bufferSize = 1 << 20
        options.nonblocking = true
        let (sender, receiver) = try UnnamedPipe.create(options)
        let error = assertThrows(.wouldBlock) { try sender.writeAll([UInt8](repeating: 7, count: 3 << 20)) }
        XCTAssertEqual(error?.bytesTransferred, 1 << 20)
        XCTAssertEqual(try receiver.readExactly(1 << 20).count, 1 << 20)
    }

    func testClosedEndsRefuse() throws {
        let (sender, receiver) = try UnnamedPipe.create()
        sender.close()
        receiver.close()
        sender.close()
        receiver.close()
        XCTAssertTrue(sender.isClosed && receiver.isClosed)
        assertThrows(.closed, .write) { try sender.writeAll("x") }
        assertThrows(.closed, .read) { try receiver.read(upTo: 1) }
        assertThrows(.closed, .read) { try receiver.readLine() }
        assertThrows(.closed, .detach) { try receiver.detach() }
        assertThrows(.closed, .detach) { try sender.detach() }
        assertThrows(.closed, .configure) { try sender.setInheritable(true) }
        assertThrows(.closed, .configure) { try receiver.withUnsafeDescriptor { _ in } }
    }

    func testErrorsNameThePipe() throws {
        let (sender, receiver) = try UnnamedPipe.create()
        receiver.close()
        let error = assertThrows(.brokenPipe, .write) { try sender.writeAll("x") }
        XCTAssertEqual(error?.name, "an unnamed pipe")
        XCTAssertEqual(error?.systemCode, Int64(EPIPE))
        XCTAssertEqual(error?.bytesTransferred, 0)
    }
}
