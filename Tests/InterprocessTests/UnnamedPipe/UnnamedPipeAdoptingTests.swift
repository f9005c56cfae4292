// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// Taking descriptors over and giving them away.
final class UnnamedPipeAdoptingTests: InterprocessTestCase {
    private func isOpen(_ descriptor: RawDescriptor) -> Bool { fcntl(descriptor, F_GETFD) >= 0 }

    /// A refused descriptor stays as it was, and the caller's.
    private func assertRefused(_ descriptor: RawDescriptor, asReceiver: Bool, line: UInt = #line) {
        let flags = fcntl(descriptor, F_GETFD)
        let error = assertThrows(.invalidArgument, .adopt, line: line) {
            if asReceiver {
                _ = try UnnamedPipeReceiver(adopting: descriptor)
            } else {
                _ = try UnnamedPipeSender(adopting: descriptor)
            }
        }
        XCTAssertEqual(error?.name, "descriptor \(descriptor)", line: line)
        XCTAssertEqual(fcntl(descriptor, F_GETFD), flags, "not left as it was", line: line)
    }

    func testRefusesWhatIsNoPipe() throws {
        let file = open(path("file"), O_RDWR | O_CREAT, 0o600)
        let null = open("/dev/null", O_RDWR)
        var sockets: [Int32] = [0, 0]
        XCTAssertEqual(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &sockets), 0)
        let others = [file, null] + sockets
        for descriptor in others {
            assertRefused(descriptor, asReceiver: true)
            assertRefused(descriptor, asReceiver: false)
            XCTAssertTrue(isOpen(descriptor))
        }
        for descriptor in others { close(descriptor) }
        for descriptor in [file, -1, Int32.max] {
            assertRefused(descriptor, asReceiver: true)
            assertRefused(descriptor, asReceiver: false)
        }
    }

    func testRefusesTheWrongDirection() throws {
        var ends: [Int32] = [0, 0]
        XCTAssertEqual(pipe(&ends), 0)
        assertRefused(ends[1], asReceiver: true)
        assertRefused(ends[0], asReceiver: false)
        // They still work.
        XCTAssertEqual(write(ends[1], "x", 1), 1)
        var byte: UInt8 = 0
        XCTAssertEqual(read(ends[0], &byte, 1), 1)
        for end in ends { close(end) }
    }

    func testAdoptedEndsAreClosed() throws {
        var ends: [Int32] = [0, 0]
        XCTAssertEqual(pipe(&ends), 0)
        let receiver = try UnnamedPipeReceiver(adopting: ends[0])
        do {
            let sender = try UnnamedPipeSender(adopting: ends[1])
            try sender.writeAll("adopted\n")
        }
        XCTAssertFalse(isOpen(ends[1]), "a dropped sender is closed")
        XCTAssertEqual(try receiver.readLine(), "adopted")
        XCTAssertNil(try receiver.readLine())
        receiver.close()
        XCTAssertFalse(isOpen(ends[0]))
    }

    /// The write end of somebody else's pipe may be in nonblocking mode, and stays so.
    func testAdoptedNonblockingEndsWait() throws {
        var ends: [Int32] = [0, 0]
        XCTAssertEqual(pipe(&ends), 0)
        for end in ends { XCTAssertEqual(fcntl(end, F_SETFL, O_NONBLOCK), 0) }
        let receiver = try UnnamedPipeReceiver(adopting: ends[0])
        let sender = try UnnamedPipeSender(adopting: ends[1])
        let reading = Running { try receiver.readExactly(1 << 20) }
        reading.waitUntilBlocked()
        try sender.writeAll([UInt8](repeating: 3, count: 1 << 20))
        XCTAssertEqual(try reading.value().count, 1 << 20)
        XCTAssertNotEqual(fcntl(ends[0], F_GETFL) & O_NONBLOCK, 0)
        XCTAssertNotEqual(fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0)
    }

    func testAdoptsAFIFOOpenBothWays() throws {
        try FIFOFile.create(at: path())
        let both = open(path(), O_RDWR)
        let copy = dup(both)
        let receiver = try UnnamedPipeReceiver(adopting: both)
        let sender = try UnnamedPipeSender(adopting: copy)
        try sender.writeAll("round\n")
        XCTAssertEqual(try receiver.readLine(), "round")
    }

    func testDetach() throws {
        let (sender, receiver) = try UnnamedPipe.create()
        let ends = (try sender.detach(), try receiver.detach())
        XCTAssertTrue(sender.isClosed && receiver.isClosed)
        assertThrows(.closed) { try sender.writeAll("x") }
        assertThrows(.closed) { try receiver.read(upTo: 1) }
        XCTAssertTrue(isOpen(ends.0) && isOpen(ends.1))
        XCTAssertEqual(write(ends.0, "y", 1), 1)
        XCTAssertEqual(try UnnamedPipeReceiver(adopting: ends.1).read(upTo: 9), [UInt8(ascii: "y")])
        XCTAssertFalse(isOpen(ends.1))
        close(ends.0)
    }

    func testDetachIsRefusedWhileSomebodyReads() throws {
        let (sender, receiver) = try UnnamedPipe.create()
        let reading = Running { try receiver.read(upTo: 1) }
        reading.waitUntilBlocked()
        assertThrows(.busy, .detach) { try receiver.detach() }
        try sender.writeAll("x")
        XCTAssertEqual(try reading.value(), [UInt8(ascii: "x")])
        close(try receiver.detach())
    }

    func testLendingTheDescriptor() throws {
        let (sender, receiver) = try UnnamedPipe.create()
        let written = try sender.withUnsafeDescriptor { write($0, "lent\n", 5) }
        XCTAssertEqual(written, 5)
        XCTAssertEqual(try receiver.readLine(), "lent")
        // Closed by another thread meanwhile, it stays open until the loan is over.
        let descriptor = try sender.withUnsafeDescriptor { descriptor in
            sender.close()
            XCTAssertTrue(isOpen(descriptor))
            return descriptor
        }
        XCTAssertFalse(isOpen(descriptor))
    }

    func testLendingIsRefusedWhileAReadWaitsInsideTheKernel() throws {
        let (sender, receiver) = try UnnamedPipe.create()
        let reading = Running { try receiver.read(upTo: 1) }
        reading.waitUntilBlocked()
        assertThrows(.busy, .configure) { try receiver.withUnsafeDescriptor { _ in } }
        assertThrows(.busy, .configure) { try receiver.setInheritable(true) }
        try sender.writeAll("x")
        try reading.value()
        try receiver.setInheritable(false)
    }
}
