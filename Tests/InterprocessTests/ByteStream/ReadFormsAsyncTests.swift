// SPDX-License-Identifier: MIT OR Apache-2.0

import XCTest

@testable import Interprocess

/// The awaited forms of reading, mixed: each goes on where the one before stopped.
final class ReadFormsAsyncTests: InterprocessTestCase {
    func testAllFormsMixed() async throws {
        try await onEachExecutor {
            let (one, other) = try pair("line\nabcdefghijklmnopqrstuvwxyz\nrest")
            try await assertEqual("line") { try await other.readLine() }
            XCTAssertEqual(other.bufferedByteCount, 31)
            try await assertEqual("a") { text(try await other.read(upTo: 1)) }
            try await assertEqual("bc") { text(try await other.readExactly(2)) }

            let raw = UnsafeMutableRawBufferPointer.allocate(byteCount: 4, alignment: 1)
            defer { raw.deallocate() }
            let three = UnsafeMutableRawBufferPointer(rebasing: raw[..<3])
            try await assertEqual(3) { try await other.read(into: three) }
            XCTAssertEqual(text(Array(three)), "def")
            var span = three.mutableBytes
            try await assertEqual(3) { try await other.read(into: &span) }
            XCTAssertEqual(text(Array(three)), "ghi")
            try await other.readExactly(into: &span)
            XCTAssertEqual(text(Array(three)), "jkl")

            // Behind what it holds already; and a read into no room is none.
            var output = OutputRawSpan(buffer: raw, initializedCount: 1)
            raw[0] = UInt8(ascii: ">")
            try await assertEqual(3) { try await other.read(into: &output) }
            try await assertEqual(0) { try await other.read(into: &output) }
            XCTAssertEqual(text(Array(raw)), ">mno")
            var elements = OutputSpan(buffer: raw.bindMemory(to: UInt8.self), initializedCount: 2)
            try await assertEqual(2) { try await other.read(into: &elements) }
            try await assertEqual(0) { try await other.read(into: &elements) }
            XCTAssertEqual(text(Array(raw)), ">mpq")

            try await assertEqual("rstuvwxyz") { try await other.readLine() }
            one.close()
            try await assertEqual("rest") { text(try await other.readToEnd()) }
            try await assertEqual([]) { try await other.readToEnd() }
            try await assertEqual(nil) { try await other.readLine() }
        }
    }

    func testReadsCrossFromBufferToKernel() async throws {
        let (one, other) = try pair("1\n23")
        try await assertEqual("1") { try await other.readLine() }
        try await one.writeAll("45\n6")
        // What was read ahead first; a plain read does not go to the kernel for more.
        try await assertEqual("23") { text(try await other.read(upTo: 10)) }
        try await assertEqual("45") { try await other.readLine() }
        try await one.writeAll("7")
        try await assertEqual("67") { text(try await other.readExactly(2)) }
    }

    func testNegativeCounts() async throws {
        let (_, other) = try pair("x")
        for count in [-1, Int.min] {
            await assertThrows(.invalidArgument, .read) { try await other.read(upTo: count) }
            await assertThrows(.invalidArgument, .read) { try await other.readExactly(count) }
            await assertThrows(.invalidArgument, .read) { try await other.readToEnd(limit: count) }
            await assertThrows(.invalidArgument, .read) { try await other.readLine(limit: count) }
        }
        try await assertEqual("x") { text(try await other.read(upTo: 9)) }
    }

    /// Asking for nothing returns at once, also where there is nothing.
    func testNothingIsReadAtOnce() async throws {
        let (_, other) = try LocalSocketStream.pair()
        let none = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        try await assertEqual([]) { try await other.read(upTo: 0) }
        try await assertEqual([]) { try await other.readExactly(0) }
        try await assertEqual(0) { try await other.read(into: none) }
        try await assertEqual(0) { try await other.read(scattering: [none]) }
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 1, alignment: 1)
        defer { memory.deallocate() }
        for empty in [none, UnsafeMutableRawBufferPointer(rebasing: memory[..<0])] {
            try await assertEqual(0) { try await other.read(into: empty) }
            var span = empty.mutableBytes
            try await assertEqual(0) { try await other.read(into: &span) }
            try await other.readExactly(into: &span)
            var output = OutputRawSpan(buffer: empty, initializedCount: 0)
            try await assertEqual(0) { try await other.read(into: &output) }
        }
        XCTAssertNil(other.descriptorCore.attached, "there was nothing to wait for")
    }

    func testReadUpToAHugeCount() async throws {
        let (_, other) = try pair("x")
        try await assertEqual("x") { text(try await other.read(upTo: .max)) }
    }

    func testReadToEndAtItsLimit() async throws {
        for (limit, fits) in [(5, true), (4, false), (0, false), (Int.max, true)] {
            let (one, other) = try pair("12345")
            one.close()
            if fits {
                try await assertEqual("12345") { text(try await other.readToEnd(limit: limit)) }
            } else {
                let error = await assertThrows(.messageTooLarge, .read) { try await other.readToEnd(limit: limit) }
                XCTAssertEqual(error?.bytesTransferred, limit + 1)
                try await assertEqual("12345") { text(try await other.readToEnd(limit: 5)) }
            }
            try await assertEqual([]) { try await other.readToEnd(limit: 0) }
        }
    }

    /// An endless sender is cut short at the limit.
    func testReadToEndOfAnEndlessSender() async throws {
        try await onEachExecutor {
            let (one, other) = try LocalSocketStream.pair()
            let writing = start {
                while (try? await one.writeAll([UInt8](repeating: 1, count: 50_000))) != nil {}
            }
            await assertThrows(.messageTooLarge) { try await other.readToEnd(limit: 300_000) }
            XCTAssertLessThan(other.bufferedByteCount, 310_000)
            other.close()
            try await writing.value
        }
    }

    func testTakeBuffered() async throws {
        let (one, other) = try pair("1\n2\n3")
        XCTAssertEqual(other.takeBuffered(), [])
        try await assertEqual("1") { try await other.readLine() }
        XCTAssertEqual(other.bufferedByteCount, 3)
        XCTAssertEqual(text(other.takeBuffered()), "2\n3")
        XCTAssertEqual(other.bufferedByteCount, 0)
        await assertThrows(.timedOut) { try await other.read(upTo: 1, timeout: .zero) }
        one.close()
    }

    func testDetachIsRefusedWhileBytesAreBuffered() async throws {
        let (one, other) = try pair("1\n2")
        try await assertEqual("1") { try await other.readLine() }
        await assertThrows(.busy, .detach) { try await other.detach() }
        XCTAssertEqual(text(other.takeBuffered()), "2")
        let again = try LocalSocketStream(adopting: try await other.detach())
        try await one.writeAll("3")
        try await assertEqual("3") { text(try await again.read(upTo: 9)) }
    }
}
