// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// Several threads read from one object: nothing comes twice, in part, or not at all.
final class ConcurrentReadersTests: InterprocessTestCase {
    func testEveryLineOnceAndWhole() throws {
        let expected = lines(4000)
        let (one, other) = try LocalSocketStream.pair()
        let readers = (0..<4).map { _ in
            Running { () -> [String] in
                var found: [String] = []
                while let line = try other.readLine() { found.append(line) }
                return found
            }
        }
        try one.writeAll(expected.map { $0 + "\n" }.joined())
        one.close()
        assertEachLineOnce(try readers.flatMap { try $0.value() }, expected)
    }

    /// At the end of the stream one reader may have filled the buffer with lines that another finds there.
    func testLastLinesAreNotJoined() throws {
        let expected = (0..<6000).map { "\($0)" }
        let text = expected.map { $0 + "\n" }.joined()
        for _ in 0..<50 {
            let (sender, receiver) = try UnnamedPipe.create()
            let readers = (0..<4).map { _ in
                Running { () -> [String] in
                    var found: [String] = []
                    while let line = try receiver.readLine() { found.append(line) }
                    return found
                }
            }
            // All of them wake at once: one gets bytes, and another one the end.
            for reader in readers { reader.waitUntilBlocked() }
            try sender.writeAll(text)
            sender.close()
            assertEachLineOnce(try readers.flatMap { try $0.value() }, expected)
        }
    }

    /// Records of fixed size, by a mix of limits of time: a call that gives up puts back what it had.
    func testPlainReadsLoseNothing() throws {
        let (sender, receiver) = try UnnamedPipe.create()
        let total = 3_000_000
        let readers = (0..<4).map { number in
            Running { () -> [Int] in
                var counts = [Int](repeating: 0, count: 256)
                while true {
                    let bytes: [UInt8]
                    do {
                        bytes = try receiver.read(upTo: 1000 + number, timeout: number == 0 ? .milliseconds(1) : nil)
                    } catch let error as IPCError where error.code == .timedOut {
                        continue
                    }
                    if bytes.isEmpty { return counts }
                    for byte in bytes { counts[Int(byte)] += 1 }
                }
            }
        }
        let bytes = (0..<total).map { UInt8(truncatingIfNeeded: $0) }
        try sender.writeAll(bytes)
        sender.close()
        var found = [Int](repeating: 0, count: 256)
        for reader in readers {
            for (byte, count) in try reader.value().enumerated() { found[byte] += count }
        }
        XCTAssertEqual(found, histogram(bytes))
    }

    func testWritersOfSmallPiecesDoNotTear() throws {
        // Up to 4096 bytes at a time are written as one.
        let (sender, receiver) = try UnnamedPipe.create()
        let writers = (0..<4).map { number in
            Running {
                let line = String(repeating: "\(number)", count: 100 + number * 900) + "\n"
                for _ in 0..<300 { try sender.writeAll(line) }
            }
        }
        let reader = Running { () -> [Int] in
            var counts = [Int](repeating: 0, count: 4)
            while let line = try receiver.readLine() {
                guard let first = line.first, let number = first.wholeNumberValue,
                    line == String(repeating: "\(number)", count: 100 + number * 900)
                else { return [] }
                counts[number] += 1
            }
            return counts
        }
        for writer in writers { try writer.value() }
        sender.close()
        XCTAssertEqual(try reader.value(), [300, 300, 300, 300])
    }
}
