// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

/// FIFOs that are awaited: what is none, programs that have them open, and senders that come and go.
final class FIFOAsyncTests: InterprocessTestCase {
    override func setUpWithError() throws {
        try super.setUpWithError()
        try FIFOFile.create(at: path())
    }

    // MARK: The file

    func testNamesThatCannotBe() async throws {
        for bad in ["", "\0", path("a\0b")] {
            await assertThrows(.invalidName) { try await FIFOFile.openReceiver(at: bad) }
            await assertThrows(.invalidName) { try await FIFOFile.openSender(at: bad) }
        }
    }

    /// No waiting makes a FIFO of what is none.
    func testOpenWhatIsNoFIFO() async throws {
        let files = FileManager.default
        XCTAssertTrue(files.createFile(atPath: path("file"), contents: Data("kept".utf8)))
        try files.createSymbolicLink(atPath: path("dangling"), withDestinationPath: path("nowhere"))
        for other in ["/dev/null", path("file"), directory] {
            let errors = [
                await assertThrows(.invalidArgument, .open) { try await FIFOFile.openReceiver(at: other) },
                await assertThrows(.invalidArgument, .open) { try await FIFOFile.openSender(at: other) },
            ]
            for error in errors {
                XCTAssertEqual(error?.name, other)
                XCTAssertEqual(error?.description.contains("no FIFO"), true, error?.description ?? "")
            }
        }
        for missing in [path("missing"), path("dangling"), path("file/below")] {
            await assertThrows(.notFound, .open) { try await FIFOFile.openReceiver(at: missing) }
            await assertThrows(.notFound, .open) { try await FIFOFile.openSender(at: missing) }
        }
        XCTAssertEqual(try String(contentsOfFile: path("file"), encoding: .utf8), "kept")
    }

    func testFIFOThatIsRemovedWhileASenderWaits() async throws {
        let path = path()
        let opening = start { try await FIFOFile.openSender(at: path) }
        try FIFOFile.remove(at: path)
        let error = await assertThrows(.notFound, .open) { try await opening.value }
        XCTAssertEqual(error?.name, path)
    }

    // MARK: Senders that come and go

    /// As long as nobody sends, each read says 0 bytes, and none of them waits.
    func testReadsWithoutSenderSayNothingIsThere() async throws {
        try await onEachExecutor {
            let receiver = try await FIFOFile.openReceiver(at: path(), waitsForSender: false)
            for _ in 0..<3 {
                try await assertEqual([]) { try await receiver.read(upTo: 1) }
                try await assertEqual(nil) { try await receiver.readLine() }
                try await assertEqual([]) { try await receiver.readToEnd() }
            }
        }
    }

    func testReadsOfWhatASenderLeftBehind() async throws {
        let keeper = try await FIFOFile.openReceiver(at: path(), waitsForSender: false)
        let sender = try await FIFOFile.openSender(at: path())
        try await sender.writeAll("left behind")
        sender.close()
        let receiver = try await FIFOFile.openReceiver(at: path(), waitsForSender: false)
        try await assertEqual("left behind") { text(try await receiver.read(upTo: 100)) }
        try await assertEqual([]) { try await receiver.read(upTo: 100) }
        try await assertEqual([]) { try await receiver.read(upTo: 100) }
        keeper.close()
    }

    func testNewSenderIsReadAfterTheEnd() async throws {
        try await onEachExecutor {
            let receiver = try await FIFOFile.openReceiver(at: path(), waitsForSender: false)
            for round in 0..<20 {
                let one = try await FIFOFile.openSender(at: path())
                let two = try await FIFOFile.openSender(at: path())
                // With two senders there, the end of one is not the end.
                let reading = start { try await receiver.readLine() }
                await waitUntilAwaited(receiver)
                one.close()
                try await two.writeAll("two \(round)\n")
                try await assertEqual("two \(round)") { try await reading.value }
                let end = start { try await receiver.read(upTo: 1) }
                await waitUntilAwaited(receiver)
                two.close()
                try await assertEqual([]) { try await end.value }
                try await assertEqual([]) { try await receiver.read(upTo: 1) }
            }
        }
    }

    // MARK: Other programs

    func testShellWrites() async throws {
        try await onEachExecutor {
            let shell = try ChildProcess("/bin/sh", ["-c", "echo from the shell > '\(path())'"])
            let receiver = try await FIFOFile.openReceiver(at: path())
            try await assertEqual("from the shell") { try await receiver.readLine() }
            try await assertEqual(nil) { try await receiver.readLine() }
            XCTAssertEqual(shell.wait(), 0)
        }
    }

    func testShellReads() async throws {
        try await onEachExecutor {
            let shell = try ChildProcess("/bin/sh", ["-c", "cat '\(path())'"])
            let sender = try await FIFOFile.openSender(at: path())
            let sent = (0..<20_000).map { "line \($0)\n" }.joined()
            let reading = Running { shell.readToEnd() }
            try await sender.writeAll(sent)
            sender.close()
            XCTAssertEqual(try reading.value(), sent)
            XCTAssertEqual(shell.wait(), 0)
        }
    }

    func testSeveralShellsWrite() async throws {
        let receiver = try await FIFOFile.openReceiver(at: path(), waitsForSender: false)
        // Held open, so that the end comes when it is wanted.
        let keeper = try await FIFOFile.openSender(at: path())
        let reading = start {
            var lines: [String] = []
            for try await line in receiver.lines { lines.append(line) }
            return lines
        }
        let shells = try (0..<3).map { number in
            let loop = "for i in 1 2 3 4 5 6 7 8 9 10; do echo shell \(number) $i; done > '\(path())'"
            return try ChildProcess("/bin/sh", ["-c", loop])
        }
        for shell in shells { XCTAssertEqual(shell.wait(), 0) }
        keeper.close()
        let lines = try await reading.value
        for number in 0..<3 {
            let own = lines.filter { $0.hasPrefix("shell \(number) ") }
            XCTAssertEqual(own.map { $0.split(separator: " ")[2] }, (1...10).map { Substring("\($0)") })
        }
        XCTAssertEqual(lines.count, 30)
    }
}
