// SPDX-License-Identifier: MIT OR Apache-2.0

import Interprocess
import XCTest

/// Several pieces of memory at once, awaited.
final class VectoredAsyncTests: InterprocessTestCase {
    private let none = UnsafeRawBufferPointer(start: nil, count: 0)

    /// Memory that stays where it is, and holds these bytes.
    private func memory(_ bytes: [UInt8]) -> UnsafeMutableRawBufferPointer {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        memory.copyBytes(from: bytes)
        addTeardownBlock { memory.deallocate() }
        return memory
    }

    func testPiecesArriveInOrder() async throws {
        let header = UnsafeRawBufferPointer(memory([1, 2, 3]))
        let payload = UnsafeRawBufferPointer(memory([UInt8](repeating: 7, count: 1000)))
        let (first, rest) = (memory([0, 0]), memory([UInt8](repeating: 0, count: 2000)))
        try await onEachExecutor {
            for (sender, receiver) in try everyKind() {
                try await assertEqual(1003) { try await sender.write(gathering: [none, header, none, payload]) }
                try await assertEqual(1003) { try await receiver.read(scattering: [first, rest]) }
                XCTAssertEqual(Array(first), [1, 2])
                XCTAssertEqual(Array(rest[..<1001]), [3] + [UInt8](repeating: 7, count: 1000))
            }
        }
    }

    func testNothingIsNoCall() async throws {
        for (sender, receiver) in try everyKind() {
            try await assertEqual(0) { try await sender.write(gathering: []) }
            try await assertEqual(0) { try await sender.write(gathering: [none]) }
            try await assertEqual(0) { try await receiver.read(scattering: []) }
            try await assertEqual(0) {
                try await receiver.read(scattering: [UnsafeMutableRawBufferPointer(start: nil, count: 0)])
            }
        }
    }

    func testReadAheadComesFirst() async throws {
        let bytes = memory([UInt8](repeating: 0, count: 10))
        for (sender, receiver) in try everyKind() {
            try await sender.writeAll("line\nrest")
            try await assertEqual("line") { try await receiver.readLine() }
            // Into the first piece that has room, and no further.
            let pieces = [bytes[..<0], bytes[..<3], bytes[3...]].map { UnsafeMutableRawBufferPointer(rebasing: $0) }
            try await assertEqual(3) { try await receiver.read(scattering: pieces) }
            try await assertEqual(1) { try await receiver.read(scattering: pieces) }
            XCTAssertEqual(text(Array(bytes[..<3])), "tes")
        }
    }

    func testMoreThanTheSystemTakesAtOnce() async throws {
        let byte = UnsafeRawBufferPointer(memory([9]))
        for (sender, receiver) in try everyKind() {
            try await assertEqual(1024) {
                try await sender.write(gathering: [UnsafeRawBufferPointer](repeating: byte, count: 5000))
            }
            try await assertEqual([UInt8](repeating: 9, count: 1024)) { try await receiver.readExactly(1024) }
        }
    }
}
