// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

final class NameTests: InterprocessTestCase {
    /// A path in the test's directory of exactly that many bytes.
    private func path(length: Int) -> String {
        directory + "/" + String(repeating: "p", count: length - directory.utf8.count - 1)
    }

    private func converse(_ name: LocalSocketName) throws {
        let listener = try LocalSocketListener(name)
        let client = try LocalSocketStream.connect(to: name)
        try client.writeAll("over\n")
        XCTAssertEqual(try listener.accept(timeout: .seconds(5)).readLine(), "over")
    }

    func testLengthsOfPaths() throws {
        for length in [103, 104, 107, 108] {
            let text = path(length: length)
            let name = try LocalSocketName.path(text)
            XCTAssertEqual(name.description, text)
            try converse(name)
            XCTAssertNil(FileImage(text), "the file of \(length) bytes was left behind")
        }
        let error = assertThrows(.nameTooLong, .name) { try LocalSocketName.path(path(length: 109)) }
        XCTAssertEqual(error?.name, path(length: 109))
    }

    /// The last byte counts: two names that differ in it only are two names.
    func testLastByteOfALongPathCounts() throws {
        let one = try LocalSocketListener(.path(String(path(length: 107) + "1")))
        let two = try LocalSocketListener(.path(String(path(length: 107) + "2")))
        let client = try LocalSocketStream.connect(to: .path(path(length: 107) + "2"))
        try client.writeAll("x")
        XCTAssertEqual(try two.accept(timeout: .seconds(5)).readExactly(1).count, 1)
        assertThrows(.timedOut) { try one.accept(timeout: .zero) }
    }

    func testLengthsOfAbstractNames() throws {
        let unique = "\(getpid())-\(UInt32.random(in: 0...UInt32.max))-"
        for length in [103, 104, 106, 107] {
            let text = unique + String(repeating: "a", count: length - unique.utf8.count)
            try converse(try .abstract(text))
            try converse(try .namespaced(text))
        }
        let long = String(repeating: "a", count: 108)
        assertThrows(.nameTooLong, .name) { try LocalSocketName.abstract(long) }
        assertThrows(.nameTooLong, .name) { try LocalSocketName.namespaced(long) }
    }

    /// An abstract name is not padded: one with a trailing piece more is another name.
    func testAbstractNamesAreNotPadded() throws {
        let text = "\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
        let listener = try LocalSocketListener(.abstract(text))
        assertThrows(.connectionRefused) { try LocalSocketStream.connect(to: .abstract(text + "x")) }
        assertThrows(.connectionRefused) { try LocalSocketStream.connect(to: .abstract(String(text.dropLast()))) }
        listener.close()
    }

    func testEmptyNames() throws {
        assertThrows(.invalidName, .name) { try LocalSocketName.path("") }
        assertThrows(.invalidName, .name) { try LocalSocketName.path(bytes: []) }
        assertThrows(.invalidName, .name) { try LocalSocketName.namespaced("") }
        assertThrows(.invalidName, .name) { try LocalSocketName.abstract("") }
        assertThrows(.invalidName, .name) { try LocalSocketName.runtimeDirectory("") }
    }

    func testNUL() throws {
        for text in ["\0", "a\0", "\0a", "a\0b"] {
            assertThrows(.invalidName, .name) { try LocalSocketName.path(text) }
            assertThrows(.invalidName, .name) { try LocalSocketName.path(bytes: Array(text.utf8)) }
            assertThrows(.invalidName, .name) { try LocalSocketName.namespaced(text) }
            assertThrows(.invalidName, .name) { try LocalSocketName.abstract(text) }
            assertThrows(.invalidName, .name) { try LocalSocketName.runtimeDirectory(text) }
        }
    }

    func testRuntimeDirectoryCannotBeLeft() throws {
        for text in ["..", "../s", "a/../s", "a/..", "a/b/../../../s", "/../s"] {
            assertThrows(.invalidName, .name) { try LocalSocketName.runtimeDirectory(text) }
        }
        // Dots that are part of a name lead nowhere.
        for text in ["..s", "a..", "a/...", "a..b/s", "."] { _ = try LocalSocketName.runtimeDirectory(text) }
        // A path says where it leads.
        _ = try LocalSocketName.path("../s")
    }

    func testRuntimeDirectoryLimitIsThatOfTheWholePath() throws {
        let prefix = try LocalSocketName.runtimeDirectory("x").description.utf8.count - 1
        _ = try LocalSocketName.runtimeDirectory(String(repeating: "r", count: 108 - prefix))
        assertThrows(.nameTooLong, .name) {
            try LocalSocketName.runtimeDirectory(String(repeating: "r", count: 109 - prefix))
        }
    }

    func testPathThatIsNotUTF8() throws {
        let bytes = Array(directory.utf8) + [UInt8(ascii: "/"), 0xff, 0xc3, 0x28, 0x80]
        let name = try LocalSocketName.path(bytes: bytes)
        XCTAssertEqual(name.description, directory + "/\u{fffd}\u{fffd}(\u{fffd}")
        let listener = try LocalSocketListener(name)
        var found = stat()
        XCTAssertEqual((bytes + [0]).withUnsafeBytes { lstat($0.bindMemory(to: CChar.self).baseAddress!, &found) }, 0)
        // Another path with the same description is another name.
        let other = try LocalSocketName.path(bytes: bytes.map { $0 == 0xff ? 0xfe : $0 })
        XCTAssertEqual(other.description, name.description)
        XCTAssertNotEqual(other, name)
        assertThrows(.notFound) { try LocalSocketStream.connect(to: other) }
        _ = try LocalSocketStream.connect(to: name)
        listener.close()
        XCTAssertEqual((bytes + [0]).withUnsafeBytes { lstat($0.bindMemory(to: CChar.self).baseAddress!, &found) }, -1)
    }

    func testKindsAndDescriptions() throws {
        let path = try LocalSocketName.path("relative/s")
        XCTAssertEqual("\(path)", "relative/s")
        XCTAssertTrue(path.isPath)
        XCTAssertFalse(path.isNamespaced)
        for name in [try LocalSocketName.abstract("n"), try .namespaced("n")] {
            XCTAssertEqual("\(name)", "@n")
            XCTAssertFalse(name.isPath)
            XCTAssertTrue(name.isNamespaced)
        }
        let runtime = try LocalSocketName.runtimeDirectory("a/n")
        XCTAssertTrue(runtime.description.hasSuffix("/a/n"))
        XCTAssertTrue(runtime.isPath)
        XCTAssertFalse(runtime.isNamespaced)
    }

    func testHashable() throws {
        XCTAssertEqual(try LocalSocketName.namespaced("n"), try LocalSocketName.abstract("n"))
        XCTAssertEqual(try LocalSocketName.path("n"), try LocalSocketName.path(bytes: [UInt8(ascii: "n")]))
        let names: Set<LocalSocketName> = [
            try .path("n"), try .path("m"), try .namespaced("n"), try .abstract("n"), try .path("n"), try .path("@n"),
        ]
        XCTAssertEqual(names.count, 4)
        // Names are bytes: text that Unicode calls equal can name two things.
        XCTAssertNotEqual(try LocalSocketName.path("\u{e9}"), try LocalSocketName.path("e\u{301}"))
    }

    func testNameOfListener() throws {
        for name in try bothNames() {
            let listener = try LocalSocketListener(name)
            XCTAssertEqual(listener.name, name)
        }
    }
}
