// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// Ends that were adopted, whose open file descriptions others hold too: these find them as they were, and cannot make
/// calls here wait.
final class SharedDescriptionTests: InterprocessTestCase {
    /// Both ends of a pipe in blocking mode, each with a second holder, as another process would be.
    private struct Shared {
        let receiver: Int32
        let sender: Int32
        let holders: [Int32]
        private let flags: [Int32]

        init(_ receiver: Int32, _ sender: Int32) {
            (self.receiver, self.sender) = (receiver, sender)
            holders = [dup(receiver), dup(sender)]
            flags = holders.map { fcntl($0, F_GETFL) }
            // Children get what they are given, and nothing else.
            for descriptor in [receiver, sender] + holders { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        }

        func check(_ moment: String, line: UInt = #line) {
            XCTAssertEqual(holders.map { fcntl($0, F_GETFL) }, flags, moment, line: line)
            for flags in flags { XCTAssertEqual(flags & O_NONBLOCK, 0, line: line) }
        }

        func close() { for holder in holders { Foundation.close(holder) } }
    }

    private func unnamed() -> Shared {
        var ends: [Int32] = [-1, -1]
        XCTAssertEqual(pipe(&ends), 0)
        return Shared(ends[0], ends[1])
    }

    private func fifo(mode: UInt16 = 0o600) throws -> Shared {
        let path = path("fifo\(UInt32.random(in: 0...UInt32.max))")
        try FIFOFile.create(at: path, mode: mode)
        // Open both ways, it lets the two ends be opened without waiting for each other.
        let both = open(path, O_RDWR)
        defer { close(both) }
        return Shared(open(path, O_RDONLY), open(path, O_WRONLY))
    }

    /// Every kind of call, and none changes what the other holders see.
    private func exercise(_ shared: Shared) throws {
        let receiver = try UnnamedPipeReceiver(adopting: shared.receiver)
        let sender = try UnnamedPipeSender(adopting: shared.sender)
        shared.check("after adopting")
        receiver.setNonblocking(true)
        sender.setNonblocking(true)
        assertThrows(.wouldBlock, .read) { try receiver.read(upTo: 1) }
        assertThrows(.wouldBlock, .write) { try sender.writeAll([UInt8](repeating: 1, count: 2 << 20)) }
        shared.check("after calls in nonblocking mode")
        receiver.setNonblocking(false)
        while try receiver.read(upTo: 1 << 20, timeout: .seconds(5)).count == 1 << 20 {}
        let reading = Running { try receiver.readLine(timeout: .seconds(20)) }
        reading.waitUntilBlocked()
        shared.check("while a read waits")
        try sender.writeAll("line\n")
        XCTAssertEqual(try reading.value()?.hasSuffix("line"), true)
        assertThrows(.timedOut, .read) { try receiver.read(upTo: 1, timeout: .milliseconds(1)) }
        shared.check("after calls with a time limit")

        // What is lent and given away is what was adopted, and not the description that calls are made on.
        XCTAssertEqual(try receiver.withUnsafeDescriptor { $0 }, shared.receiver)
        XCTAssertEqual(try sender.detach(), shared.sender)
        XCTAssertEqual(try receiver.detach(), shared.receiver)
        shared.check("after detaching")
        XCTAssertEqual(write(shared.sender, "x", 1), 1)
        var byte: UInt8 = 0
        XCTAssertEqual(read(shared.receiver, &byte, 1), 1)
        try UnnamedPipeSender(adopting: shared.sender).close()
        close(shared.holders[1])
        XCTAssertEqual(read(shared.receiver, &byte, 1), 0, "a sender was left open")
        close(shared.receiver)
        close(shared.holders[0])
    }

    func testOtherHoldersSeeNothing() throws {
        try exercise(unnamed())
        try exercise(fifo())
    }

    /// Where the end cannot be opened once more, it works as well, with the description that it has.
    func testWithoutADescriptorForAPrivateDescription() throws {
        for shared in [unnamed(), try fifo()] {
            let (receiver, sender) = try withoutDescriptors {
                (
                    try UnnamedPipeReceiver(adopting: shared.receiver), try UnnamedPipeSender(adopting: shared.sender)
                )
            }
            try sender.writeAll("shared\n")
            XCTAssertEqual(try receiver.readLine(timeout: .seconds(5)), "shared")
            assertThrows(.timedOut, .read) { try receiver.read(upTo: 1, timeout: .milliseconds(1)) }
            sender.setNonblocking(true)
            assertThrows(.wouldBlock, .write) { try sender.writeAll([UInt8](repeating: 1, count: 2 << 20)) }
            shared.check("after calls on the description itself")
            sender.close()
            shared.close()
        }
    }

    /// A FIFO that nobody receives from cannot be opened to send.
    func testSenderWithoutReceiver() throws {
        let shared = try fifo()
        close(shared.receiver)
        close(shared.holders[0])
        let sender = try UnnamedPipeSender(adopting: shared.sender)
        assertThrows(.brokenPipe, .write) { try sender.writeAll("x") }
        XCTAssertEqual(fcntl(shared.holders[1], F_GETFL) & O_NONBLOCK, 0)
        close(shared.holders[1])
    }

    func testUserWhoMayNotOpenIt() throws {
        if getuid() != 0 { try skip("only the superuser can become another user") }
        for shared in [unnamed(), try fifo()] {
            let child = try ChildProcess.helper("--uid", "65534", "receive", "0", keeping: [(shared.receiver, 0)])
            XCTAssertEqual(write(shared.sender, "to somebody else\n", 17), 17)
            XCTAssertEqual(child.readLine(), "got to somebody else")
            shared.check("after another user adopted it")
            close(shared.sender)
            close(shared.holders[1])
            XCTAssertEqual(child.readLine(), "end")
            close(shared.receiver)
            close(shared.holders[0])
        }
    }

    #if os(Linux)
    /// Each write to a pipe of packets is one, which a description without the flag would not make it.
    func testPacketsStayPackets() throws {
        // O_DIRECT, which the headers show only to those who ask for everything.
        #if arch(arm64) || arch(arm)
        let packets: Int32 = 0o200000
        #else
        let packets: Int32 = 0o40000
        #endif
        let shared = unnamed()
        XCTAssertEqual(fcntl(shared.sender, F_SETFL, packets), 0)
        let sender = try UnnamedPipeSender(adopting: shared.sender)
        let receiver = try UnnamedPipeReceiver(adopting: shared.receiver)
        for text in ["one", "two"] { try sender.writeAll(text) }
        XCTAssertEqual(try receiver.read(upTo: 100), Array("one".utf8))
        XCTAssertEqual(try receiver.read(upTo: 100), Array("two".utf8))
        shared.close()
    }

    /// That poll says "ready" and nothing is there, for another process was faster, is put into its mouth by strace.
    func testBytesTakenBetweenPollAndRead() throws {
        try requireProgram("strace")
        let shared = try fifo()
        let tracing = ["-f", "-qq", "-o", "/dev/null", "-e", "inject=poll,ppoll:retval=1"]
        func run(_ role: String, _ descriptor: Int32) throws -> String? {
            try ChildProcess(
                "strace",
                tracing + [ChildProcess.path(ofBuilt: "test-helper"), role, "5"],
                keeping: [(descriptor, 5)],
                environment: ["ASAN_OPTIONS": "detect_leaks=0"]
            ).readLine()
        }
        XCTAssertEqual(try run("read-at-once", shared.receiver), "error wouldBlock")
        let filler = try UnnamedPipeSender(adopting: shared.sender)
        filler.setNonblocking(true)
        assertThrows(.wouldBlock, .write) { try filler.writeAll([UInt8](repeating: 1, count: 2 << 20)) }
        XCTAssertEqual(try run("write-at-once", shared.holders[1]), "error wouldBlock")
        shared.check("after calls of a child")
        close(shared.receiver)
        shared.close()
    }
    #endif

    /// Two children have a FIFO as their standard input, this process has it too, and each takes what it can get.
    func testManyReadersOfOneFIFO() throws {
        let shared = try fifo()
        let children = try (0..<2).map { _ in
            try ChildProcess.helper("count", "0", keeping: [(shared.receiver, 0)])
        }
        for child in children { XCTAssertEqual(child.readLine(), "ready") }
        shared.check("after two children adopted it")
        let taking = Running {
            // The plainest of readers, which waits.
            var taken = 0
            var bytes: [UInt8] = [0, 0, 0]
            while case let count = read(shared.receiver, &bytes, bytes.count), count > 0 { taken += count }
            return taken
        }
        for _ in 0..<20_000 { XCTAssertEqual(write(shared.sender, "bytes", 5), 5) }
        shared.check("while all of them read")
        close(shared.sender)
        close(shared.holders[1])
        var total = try taking.value()
        for child in children {
            let said = child.readLine()
            total += try XCTUnwrap(said.flatMap { Int($0.dropFirst("got ".count)) }, said ?? "nothing")
        }
        XCTAssertEqual(total, 100_000)
        XCTAssertEqual(fcntl(shared.receiver, F_GETFL) & O_NONBLOCK, 0)
        close(shared.receiver)
        close(shared.holders[0])
    }

    /// A plain program, which nonblocking mode would end with an error, reads what is lent to it.
    ///
    /// Meanwhile, calls here go on.
    func testPlainChildReadsWhatIsLent() throws {
        for shared in [unnamed(), try fifo()] {
            let receiver = try UnnamedPipeReceiver(adopting: shared.receiver)
            let sender = try UnnamedPipeSender(adopting: shared.sender)
            assertThrows(.timedOut, .read) { try receiver.read(upTo: 1, timeout: .milliseconds(1)) }
            let child = try receiver.withUnsafeDescriptor { descriptor in
                Result { try ChildProcess("/bin/sh", ["-c", "cat && echo done"], keeping: [(descriptor, 0)]) }
            }.get()
            receiver.setNonblocking(true)
            for number in 0..<20 {
                try sender.writeAll("\(number)\n")
                // The child takes what this process does not: never both.
                if let mine = try? receiver.readLine() {
                    XCTAssertEqual(mine, "\(number)")
                } else {
                    XCTAssertEqual(child.readLine(), "\(number)")
                }
                shared.check("while both read")
            }
            sender.close()
            close(shared.holders[1])
            XCTAssertEqual(child.readLine(), "done")
            XCTAssertEqual(child.wait(), 0)
            close(shared.holders[0])
        }
    }
}
