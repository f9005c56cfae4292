// SPDX-License-Identifier: MIT OR Apache-2.0

import XCTest

@testable import Interprocess

/// Blocking and awaited calls on one object: each sees what the others have left.
final class MixedCallsTests: InterprocessTestCase {
    func testBytesReadAheadByAThreadReachATask() async throws {
        let (one, other) = try pair("1\n2\nrest")
        XCTAssertEqual(try Running { try other.readLine() }.value(), "1")
        try await assertEqual("2") { try await other.readLine() }
        try await assertEqual("re") { text(try await other.read(upTo: 2)) }
        one.close()
        XCTAssertEqual(try Running { try other.readToEnd() }.value(), Array("st".utf8))
    }

    func testBytesPutBackByATaskReachAThread() async throws {
        try await onEachExecutor {
            let (one, other) = try pair("abc")
            let reading = start { try await other.readExactly(9) }
            await waitUntilAwaited(other)
            reading.cancel()
            await assertThrows(.cancelled) { try await reading.value }
            XCTAssertEqual(try Running { try other.read(upTo: 9) }.value(), Array("abc".utf8))
            one.close()
        }
    }

    func testBytesPutBackByAThreadReachATask() async throws {
        try await onEachExecutor {
            let (one, other) = try pair("abc")
            let reading = Running { try other.readExactly(9, timeout: .milliseconds(5)) }
            assertThrows(.timedOut) { try reading.value() }
            try await assertEqual("abc") { text(try await other.read(upTo: 9)) }
            one.close()
        }
    }

    /// A thread waits inside the kernel, and a task beside it: what comes, either of them gets, and the end both.
    func testAThreadAndATaskWaitForBytes() async throws {
        for (sender, receiver) in try everyKind() {
            let found = Found()
            let thread = Running { found.add(text(try receiver.read(upTo: 1))) }
            thread.waitUntilBlocked()
            let task = start { found.add(text(try await receiver.read(upTo: 1))) }
            await waitUntilAwaited(receiver)
            try await sender.writeAll("a")
            await found.wait(for: 1)
            try await sender.writeAll("b")
            await found.wait(for: 2)
            XCTAssertEqual(found.all, ["a", "b"])
            try thread.value()
            try await task.value
        }
    }

    func testCloseEndsBoth() async throws {
        for (sender, receiver) in try everyKind() {
            let thread = Running { try receiver.read(upTo: 1) }
            thread.waitUntilBlocked()
            let limited = Running { try receiver.read(upTo: 1, timeout: .seconds(60)) }
            limited.waitUntilBlocked()
            let task = start { try await receiver.read(upTo: 1) }
            await waitUntilAwaited(receiver)
            receiver.descriptorCore.close()
            assertThrows(.closed, .read) { try thread.value() }
            assertThrows(.closed, .read) { try limited.value() }
            await assertThrows(.closed, .read) { try await task.value }
            sender.descriptorCore.close()
        }
    }

    func testTheEndReachesBoth() async throws {
        for (sender, receiver) in try everyKind() {
            let thread = Running { try receiver.read(upTo: 1) }
            thread.waitUntilBlocked()
            let task = start { try await receiver.read(upTo: 1) }
            await waitUntilAwaited(receiver)
            sender.descriptorCore.close()
            XCTAssertEqual(try thread.value(), [])
            try await assertEqual([]) { try await task.value }
        }
    }

    /// What one leaves behind its line, the other one waits for.
    func testBytesBehindALineReachTheOther() async throws {
        let (one, other) = try pair("first\n")
        try await assertEqual("first") { try await other.readLine() }
        for _ in 0..<100 {
            let line = start { try await other.readLine() }
            await waitUntilAwaited(other)
            let bytes = Running { try other.readExactly(3) }
            bytes.waitUntilBlocked()
            try await one.writeAll("line\nxyz")
            try await assertEqual("line") { try await line.value }
            XCTAssertEqual(try bytes.value(), Array("xyz".utf8))
        }
        for _ in 0..<100 {
            let line = Running { try other.readLine() }
            line.waitUntilBlocked()
            let bytes = start { try await other.readExactly(3) }
            await waitUntilAwaited(other)
            try await one.writeAll("line\nxyz")
            XCTAssertEqual(try line.value(), "line")
            try await assertEqual("xyz") { text(try await bytes.value) }
        }
    }

    /// The turn passes from a thread that gives up to a task, and from a task that is cancelled to a thread.
    func testTheTurnPassesToTheOther() async throws {
        let (one, other) = try LocalSocketStream.pair()
        let limited = Running { try other.readLine(timeout: .seconds(1)) }
        limited.waitUntilBlocked()
        let task = start { try await other.readLine() }
        await waitUntilAwaited(other)
        let thread = Running { try other.readLine() }
        thread.waitUntilBlocked()
        assertThrows(.timedOut) { try limited.value() }
        task.cancel()
        await assertThrows(.cancelled) { try await task.value }
        try await one.writeAll("for the thread\n")
        XCTAssertEqual(try thread.value(), "for the thread")
    }

    /// In nonblocking mode a thread is told that it would have to wait, whoever waits beside it.
    func testNonblockingBesideATask() async throws {
        for (sender, receiver) in try everyKind() {
            let task = start { try await receiver.readLine() }
            await waitUntilAwaited(receiver)
            receiver.receivingSide.settings.isNonblocking = true
            assertThrows(.wouldBlock, .read) { try receiver.readLine() }
            assertThrows(.wouldBlock, .read) { try receiver.read(upTo: 1) }
            try await sender.writeAll("for the task\n")
            try await assertEqual("for the task") { try await task.value }
        }
    }

    func testAThreadAndATaskWrite() async throws {
        let piece = [UInt8](repeating: 1, count: 1 << 20)
        for (sender, receiver) in try everyKind() {
            let thread = Running { try sender.writeAll(piece) }
            thread.waitUntilBlocked()
            let task = start { try await sender.writeAll(piece) }
            await waitUntilAwaited(sender)
            try await assertEqual(2 << 20) { try await receiver.readExactly(2 << 20).count }
            try thread.value()
            try await task.value
        }
    }
}
