// SPDX-License-Identifier: MIT OR Apache-2.0

import Interprocess
import XCTest

/// Several pieces of memory at once, over each kind of calls behind it: sendmsg and pwritev2.
final class VectoredTests: InterprocessTestCase {
    func testPiecesArriveInOrder() throws {
        for (sender, receiver) in try everyKind() {
            var header: [UInt8] = [1, 2, 3]
            var payload = [UInt8](repeating: 7, count: 1000)
            try header.withUnsafeBytes { header in
                try payload.withUnsafeBytes { payload in
                    let none = UnsafeRawBufferPointer(start: nil, count: 0)
                    XCTAssertEqual(try sender.write(gathering: [none, header, none, payload]), 1003)
                }
            }
            var first = [UInt8](repeating: 0, count: 2)
            var rest = [UInt8](repeating: 0, count: 2000)
            try first.withUnsafeMutableBytes { first in
                try rest.withUnsafeMutableBytes { rest in
                    XCTAssertEqual(try receiver.read(scattering: [first, rest]), 1003)
                }
            }
            XCTAssertEqual(first, [1, 2])
            XCTAssertEqual(Array(rest[..<1001]), [3] + [UInt8](repeating: 7, count: 1000))
            header.removeAll()
            payload.removeAll()
        }
    }

    func testNothingIsNoCall() throws {
        for (sender, receiver) in try everyKind() {
            XCTAssertEqual(try sender.write(gathering: []), 0)
            XCTAssertEqual(try receiver.read(scattering: []), 0)
            XCTAssertEqual(try receiver.read(scattering: [UnsafeMutableRawBufferPointer(start: nil, count: 0)]), 0)
        }
    }

    func testReadAheadComesFirst() throws {
        for (sender, receiver) in try everyKind() {
            try sender.writeAll("line\nrest")
            XCTAssertEqual(try receiver.readLine(), "line")
            var bytes = [UInt8](repeating: 0, count: 10)
            try bytes.withUnsafeMutableBytes { XCTAssertEqual(try receiver.read(scattering: [$0]), 4) }
            XCTAssertEqual(Array(bytes[..<4]), Array("rest".utf8))
        }
    }

    func testWaitingIsLimited() throws {
        for (_, receiver) in try everyKind() {
            var byte: UInt8 = 0
            withUnsafeMutableBytes(of: &byte) { byte in
                _ = assertThrows(.timedOut, .read) {
                    try receiver.read(scattering: [byte], timeout: .milliseconds(10))
                }
            }
        }
    }

    func testMoreThanTheSystemTakesAtOnce() throws {
        for (sender, receiver) in try everyKind() {
            let byte: [UInt8] = [9]
            try byte.withUnsafeBytes { byte in
                XCTAssertEqual(
                    try sender.write(gathering: [UnsafeRawBufferPointer](repeating: byte, count: 5000)),
                    1024
                )
            }
            XCTAssertEqual(try receiver.readExactly(1024), [UInt8](repeating: 9, count: 1024))
        }
    }
}
