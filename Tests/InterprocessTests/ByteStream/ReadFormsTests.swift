// SPDX-License-Identifier: MIT OR Apache-2.0

import XCTest

@testable import Interprocess

/// The forms of reading, mixed: each goes on where the one before stopped.
final class ReadFormsTests: InterprocessTestCase {
    private func lend<Value>(_ memory: inout [UInt8], _ body: (inout MutableRawSpan) throws -> Value) rethrows -> Value
    {
        var elements = memory.mutableSpan
        var bytes = elements.mutableBytes
        return try body(&bytes)
    }

    func testAllFormsMixed() throws {
        let (one, other) = try pair("line\nabcdefghijklmnopqrstuvwxyz\nrest")
        XCTAssertEqual(try other.readLine(), "line")
        XCTAssertEqual(other.bufferedByteCount, 31)
        XCTAssertEqual(text(try other.read(upTo: 1)), "a")
        XCTAssertEqual(text(try other.readExactly(2)), "bc")

        var raw = [UInt8](repeating: 0, count: 3)
        XCTAssertEqual(try raw.withUnsafeMutableBytes { try other.read(into: $0) }, 3)
        XCTAssertEqual(text(raw), "def")
        XCTAssertEqual(try lend(&raw) { try other.read(into: &$0) }, 3)
        XCTAssertEqual(text(raw), "ghi")
        try lend(&raw) { try other.readExactly(into: &$0) }
        XCTAssertEqual(text(raw), "jkl")
        let output = try [UInt8](capacity: 4) { buffer throws(IPCError) in
            buffer.append(UInt8(ascii: ">"))
            XCTAssertEqual(try other.read(into: &buffer), 3)
            // It is full, and a read into no room is none.
            XCTAssertEqual(try other.read(into: &buffer), 0)
        }
        XCTAssertEqual(text(output), ">mno")

        XCTAssertEqual(try other.readLine(), "pqrstuvwxyz")
        one.close()
        XCTAssertEqual(text(try other.readToEnd()), "rest")
        XCTAssertEqual(try other.readToEnd(), [])
        XCTAssertNil(try other.readLine())
    }

    func testRawSpans() throws {
        let (one, other) = try pair("")
        XCTAssertEqual(try one.write(Array("ab".utf8).span.bytes), 2)
        try one.writeAll(Array("cdef".utf8).span.bytes)
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 4, alignment: 1)
        defer { memory.deallocate() }
        memory[0] = UInt8(ascii: ">")
        var output = OutputRawSpan(buffer: memory, initializedCount: 1)
        let (received, more) = (try other.read(into: &output), try other.read(into: &output))
        XCTAssertEqual(received, 3)
        XCTAssertEqual(more, 0, "there is no room left")
        let filled = output.finalize(for: memory)
        XCTAssertEqual(filled, 4)
        XCTAssertEqual(text(Array(memory)), ">abc")
        XCTAssertEqual(text(try other.readExactly(3)), "def")
    }

    func testReadsCrossFromBufferToKernel() throws {
        let (one, other) = try pair("1\n23")
        XCTAssertEqual(try other.readLine(), "1")
        try one.writeAll("45\n6")
        // What was read ahead first; a plain read does not go to the kernel for more.
        XCTAssertEqual(text(try other.read(upTo: 10)), "23")
        XCTAssertEqual(try other.readLine(), "45")
        try one.writeAll("7")
        XCTAssertEqual(text(try other.readExactly(2)), "67")
    }

    func testNegativeCounts() throws {
        let (_, other) = try pair("x")
        for count in [-1, Int.min] {
            assertThrows(.invalidArgument, .read) { try other.read(upTo: count) }
            assertThrows(.invalidArgument, .read) { try other.readExactly(count) }
            assertThrows(.invalidArgument, .read) { try other.readToEnd(limit: count) }
        }
        XCTAssertEqual(text(try other.read(upTo: 9)), "x")
    }

    /// Asking for nothing returns at once, also where there is nothing.
    func testNothingIsReadAtOnce() throws {
        let (_, other) = try LocalSocketStream.pair()
        XCTAssertEqual(try other.read(upTo: 0), [])
        XCTAssertEqual(try other.readExactly(0), [])
        XCTAssertEqual(try other.read(into: UnsafeMutableRawBufferPointer(start: nil, count: 0)), 0)
        var none: [UInt8] = []
        XCTAssertEqual(try none.withUnsafeMutableBytes { try other.read(into: $0) }, 0)
        XCTAssertEqual(try lend(&none) { try other.read(into: &$0) }, 0)
        try lend(&none) { try other.readExactly(into: &$0) }
        try withUnsafeTemporaryAllocation(byteCount: 1, alignment: 1) { memory in
            XCTAssertEqual(try other.read(into: UnsafeMutableRawBufferPointer(rebasing: memory[..<0])), 0)
        }
    }

    func testReadUpToAHugeCount() throws {
        let (_, other) = try pair("x")
        XCTAssertEqual(text(try other.read(upTo: .max)), "x")
    }

    func testReadToEndAtItsLimit() throws {
        for (limit, fits) in [(5, true), (4, false), (0, false), (Int.max, true)] {
            let (one, other) = try pair("12345")
            one.close()
            if fits {
                XCTAssertEqual(text(try other.readToEnd(limit: limit)), "12345")
            } else {
                let error = assertThrows(.messageTooLarge, .read) { try other.readToEnd(limit: limit) }
                XCTAssertEqual(error?.bytesTransferred, limit + 1)
                XCTAssertEqual(text(try other.readToEnd(limit: 5)), "12345")
            }
            XCTAssertEqual(try other.readToEnd(limit: 0), [])
        }
    }

    /// An endless sender is cut short at the limit.
    func testReadToEndOfAnEndlessSender() throws {
        let (one, other) = try LocalSocketStream.pair()
        let writing = Running {
            while (try? one.writeAll([UInt8](repeating: 1, count: 50_000))) != nil {}
        }
        assertThrows(.messageTooLarge) { try other.readToEnd(limit: 300_000) }
        XCTAssertLessThan(other.bufferedByteCount, 310_000)
        other.close()
        try writing.value()
    }

    func testTakeBuffered() throws {
        let (one, other) = try pair("1\n2\n3")
        XCTAssertEqual(other.takeBuffered(), [])
        XCTAssertEqual(try other.readLine(), "1")
        XCTAssertEqual(other.bufferedByteCount, 3)
        XCTAssertEqual(text(other.takeBuffered()), "2\n3")
        XCTAssertEqual(other.bufferedByteCount, 0)
        XCTAssertEqual(other.takeBuffered(), [])
        assertThrows(.timedOut) { try other.read(upTo: 1, timeout: .zero) }
        one.close()
    }

    func testDetachIsRefusedWhileBytesAreBuffered() throws {
        let (sender, receiver) = try UnnamedPipe.create()
        try sender.writeAll("1\n2")
        XCTAssertEqual(try receiver.readLine(), "1")
        let error = assertThrows(.busy, .detach) { try receiver.detach() }
        XCTAssertEqual(error?.description.contains("takeBuffered"), true, error?.description ?? "")
        XCTAssertEqual(text(receiver.takeBuffered()), "2")
        let again = try UnnamedPipeReceiver(adopting: receiver.detach())
        try sender.writeAll("3")
        XCTAssertEqual(text(try again.read(upTo: 9)), "3")
    }

    /// Bytes that a failed call puts back stand before those that another call has read ahead meanwhile.
    func testPutBackComesFirst() {
        var buffer = ReadAheadBuffer()
        func fill(_ text: String) {
            _ = buffer.fill { memory, _ in
                UnsafeMutableRawBufferPointer(start: memory, count: text.utf8.count).copyBytes(from: text.utf8)
                return Int64(text.utf8.count)
            }
        }
        fill("xx5\n67")
        XCTAssertEqual(text(buffer.takeFirst(2)), "xx")
        // Longer, and shorter, than the room before the others.
        Array("1234".utf8).withUnsafeBytes { buffer.putBack($0) }
        XCTAssertEqual(text(buffer.takeFirst(3)), "123")
        Array("3".utf8).withUnsafeBytes { buffer.putBack($0) }
        fill("8\n")
        guard case .line(let first) = buffer.takeLine(limit: 9, isAtEnd: false),
            case .line(let second) = buffer.takeLine(limit: 9, isAtEnd: false)
        else { return XCTFail("no lines") }
        XCTAssertEqual([text(first), text(second)], ["345", "678"])
        XCTAssertEqual(buffer.byteCount, 0)
    }

    /// The buffer goes back to a modest size after one long line.
    func testBufferAfterALongLine() throws {
        var buffer = ReadAheadBuffer()
        for round in 0..<3 {
            let line = [UInt8](repeating: UInt8(ascii: "x"), count: 500_000) + [10, UInt8(round)]
            var rest = line[...]
            while !rest.isEmpty {
                let got = buffer.fill { memory, count in
                    let part = rest.prefix(count)
                    UnsafeMutableRawBufferPointer(start: memory, count: part.count).copyBytes(from: part)
                    return Int64(part.count)
                }
                rest = rest.dropFirst(Int(got))
            }
            guard case .line(let found) = buffer.takeLine(limit: 1 << 20, isAtEnd: false) else {
                return XCTFail("no line")
            }
            XCTAssertEqual(found.count, 500_000)
            XCTAssertEqual(buffer.takeFirst(buffer.byteCount), [UInt8(round)])
        }
    }
}
