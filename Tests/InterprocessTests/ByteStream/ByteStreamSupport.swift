// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Synchronization
import XCTest

@testable import Interprocess

func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

/// What bytes are sent to, and received from.
typealias Ends = (sender: any ByteSender & DescriptorOwner, receiver: any ByteReceiver & DescriptorOwner)

extension InterprocessTestCase {
    /// A connection, over which some text has been sent.
    func pair(_ text: String) throws -> (sender: LocalSocketStream, receiver: LocalSocketStream) {
        let (one, other) = try LocalSocketStream.pair()
        try one.writeAll(text)
        return (one, other)
    }

    /// The ends of each kind of byte stream: a socket, an unnamed pipe, a FIFO.
    func everyKind() throws -> [Ends] {
        let (one, other) = try LocalSocketStream.pair()
        let pipe = try UnnamedPipe.create()
        let path = path("fifo-\(UInt64.random(in: 0...UInt64.max))")
        try FIFOFile.create(at: path)
        let receiver = try FIFOFile.openReceiver(at: path, waitsForSender: false)
        return [(one, other), (pipe.sender, pipe.receiver), (try FIFOFile.openSender(at: path), receiver)]
    }

    /// Lines of many lengths, no two of them alike.
    func lines(_ count: Int) -> [String] {
        (0..<count).map { "\($0) " + String(repeating: "\($0 % 10)", count: $0 * 7 % 300) }
    }

    func assertEachLineOnce(
        _ found: [String],
        _ expected: [String],
        file: StaticString = #filePath,
        line: UInt = #line
    ) {
        XCTAssertEqual(found.count, expected.count, file: file, line: line)
        XCTAssertTrue(found.sorted() == expected.sorted(), "lines were lost, torn or doubled", file: file, line: line)
    }
}

/// The most address space that this process had, in bytes: memory that is asked for counts even if it is not used.
func addressSpace() -> Int {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let peak = status.split(separator: "\n").first { $0.hasPrefix("VmPeak:") }
    return (peak?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) << 10
}

/// How often each byte value occurs.
func histogram(_ bytes: some Sequence<UInt8>) -> [Int] {
    var counts = [Int](repeating: 0, count: 256)
    for byte in bytes { counts[Int(byte)] += 1 }
    return counts
}

/// What several threads and tasks have got.
final class Found: Sendable {
    private let lines = Mutex<[String]>([])

    var all: [String] { lines.withLock { $0 } }

    func add(_ line: String?) { lines.withLock { $0.append(line ?? "the end") } }

    /// Waits until there are that many.
    func wait(for count: Int, file: StaticString = #filePath, line: UInt = #line) async {
        let end = ContinuousClock.now + .seconds(10)
        while all.count < count {
            if ContinuousClock.now > end { return XCTFail("no more than \(all)", file: file, line: line) }
            try? await Task.sleep(for: .microseconds(200))
        }
    }
}
