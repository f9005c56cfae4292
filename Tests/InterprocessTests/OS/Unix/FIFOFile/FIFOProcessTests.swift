// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// FIFOs between programs, the plainest of tools included, and closing under waiting calls.
final class FIFOProcessTests: InterprocessTestCase {
    override func setUpWithError() throws {
        try super.setUpWithError()
        try FIFOFile.create(at: path())
    }

    func testShellWrites() throws {
        let shell = try ChildProcess("/bin/sh", ["-c", "echo from the shell > '\(path())'"])
        let receiver = try FIFOFile.openReceiver(at: path())
        XCTAssertEqual(try receiver.readLine(), "from the shell")
        XCTAssertNil(try receiver.readLine())
        XCTAssertEqual(shell.wait(), 0)
    }

    func testShellReads() throws {
        let shell = try ChildProcess("/bin/sh", ["-c", "cat '\(path())'"])
        let sender = try FIFOFile.openSender(at: path())
        let text = (0..<20_000).map { "line \($0)\n" }.joined()
        let writer = Running {
            try sender.writeAll(text)
            sender.close()
        }
        XCTAssertEqual(shell.readToEnd(), text)
        XCTAssertEqual(shell.wait(), 0)
        try writer.value()
    }

    func testSeveralShellsWrite() throws {
        let receiver = try FIFOFile.openReceiver(at: path(), waitsForSender: false)
        // Held open, so that the end comes when it is wanted.
        let keeper = try FIFOFile.openSender(at: path())
        let shells = try (0..<3).map { number in
            let loop = "for i in 1 2 3 4 5 6 7 8 9 10; do echo shell \(number) $i; done > '\(path())'"
            return try ChildProcess("/bin/sh", ["-c", loop])
        }
        for shell in shells { XCTAssertEqual(shell.wait(), 0) }
        keeper.close()
        let lines = String(decoding: try receiver.readToEnd(), as: UTF8.self).split(separator: "\n")
        for number in 0..<3 {
            let own = lines.filter { $0.hasPrefix("shell \(number) ") }
            XCTAssertEqual(own.map { $0.split(separator: " ")[2] }, (1...10).map { Substring("\($0)") })
        }
        XCTAssertEqual(lines.count, 30)
    }

    func testChildAdoptsAFIFO() throws {
        let keeper = try FIFOFile.openReceiver(at: path(), waitsForSender: false)
        let sender = try FIFOFile.openSender(at: path())
        let child = try keeper.withUnsafeDescriptor { descriptor in
            Result { try ChildProcess.helper("receive", "7", keeping: [(descriptor, 7)]) }
        }.get()
        keeper.close()
        try sender.writeAll("to the child\n")
        XCTAssertEqual(child.readLine(), "got to the child")
        sender.close()
        XCTAssertEqual(child.readLine(), "end")
        XCTAssertEqual(child.wait(), 0)
    }

    func testCloseWakesRead() throws {
        let receiver = try FIFOFile.openReceiver(at: path(), waitsForSender: false)
        let sender = try FIFOFile.openSender(at: path())
        let reading = Running { try receiver.read(upTo: 1) }
        reading.waitUntilBlocked()
        receiver.close()
        assertThrows(.closed, .read) { try reading.value() }
        assertThrows(.brokenPipe, .write) { try sender.writeAll("x") }
    }

    func testCloseWakesWrite() throws {
        let receiver = try FIFOFile.openReceiver(at: path(), waitsForSender: false)
        let sender = try FIFOFile.openSender(at: path())
        let writing = Running { try sender.writeAll([UInt8](repeating: 1, count: 1 << 20)) }
        writing.waitUntilBlocked()
        sender.close()
        let error = assertThrows(.closed, .write) { try writing.value() }
        XCTAssertEqual(try receiver.readToEnd().count, error?.bytesTransferred)
    }

    func testTimeouts() throws {
        let receiver = try FIFOFile.openReceiver(at: path(), waitsForSender: false)
        let sender = try FIFOFile.openSender(at: path())
        assertThrows(.timedOut, .read) { try receiver.read(upTo: 1, timeout: .milliseconds(20)) }
        let much = [UInt8](repeating: 1, count: 1 << 20)
        let error = assertThrows(.timedOut, .write) { try sender.writeAll(much, timeout: .milliseconds(20)) }
        sender.close()
        XCTAssertEqual(try receiver.readToEnd().count, error?.bytesTransferred)
    }
}
