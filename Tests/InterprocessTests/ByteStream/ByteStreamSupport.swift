// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
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

    /// A receiver that gets these bytes, up to 1 MiB, and then the end.
    func bufferedReceiver(_ bytes: [UInt8]) throws -> UnnamedPipeReceiver {
        var options = UnnamedPipe.Options()
        options.bufferSize = 1 << 20
        let (sender, receiver) = try UnnamedPipe.create(options)
        try sender.writeAll(bytes, timeout: .seconds(5))
        return receiver
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

/// Lines of every shape.
enum Lines {
    static let endings: [(text: String, lines: [String])] = [
        ("", []),
        ("\n", [""]),
        ("\r\n", [""]),
        ("\n\n\n", ["", "", ""]),
        ("a\nb\n", ["a", "b"]),
        ("a\r\nb\r\n", ["a", "b"]),
        ("a\nb", ["a", "b"]),
        ("a\n\nb\n\r\nc", ["a", "", "b", "", "c"]),
        ("a\rb\n", ["a\rb"]),
        ("a\r\r\n", ["a\r"]),
        // Without a line feed it is no ending.
        ("a\r", ["a\r"]),
        ("a\0b\n", ["a\0b"]),
        ("ä€𝄞\n", ["ä€𝄞"]),
    ]

    static let invalidUTF8: (bytes: [UInt8], lines: [String]) = (
        [0x61, 0xFF, 0x62, 0x0A, 0xC3, 0x0A, 0xE2, 0x82], ["a\u{FFFD}b", "\u{FFFD}", "\u{FFFD}"]
    )

    /// As long as the usual limit lets through: 1 MiB.
    static let long = String(repeating: "0123456789abcdef", count: 1 << 16)
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
    private let lines = Locked<[String]>([])

    var all: [String] { lines.withLock { $0 } }

    func add(_ line: String?) { lines.withLock { $0.append(line ?? "the end") } }

    /// Adds the line, or the code of the error.
    func add(_ result: Result<String?, any Error>) {
        switch result {
        case .success(let line): add(line)
        case .failure(let error): add((error as? IPCError).map { "\($0.code)" } ?? "\(error)")
        }
    }

    /// Waits until there are that many.
    func wait(for count: Int, file: StaticString = #filePath, line: UInt = #line) async {
        let end = ContinuousClock.now + .seconds(10)
        while all.count < count {
            if ContinuousClock.now > end { return XCTFail("no more than \(all)", file: file, line: line) }
            try? await Task.sleep(for: .microseconds(200))
        }
    }
}
