// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// The tests that the crate has for listeners.
final class CrateListenerTests: InterprocessTestCase {
    func testRuntimeDirectoryWithSpaceAndDirectories() throws {
        for _ in 0..<32 {
            let top = "interprocess test \(getpid()) \(UInt32.random(in: 0...UInt32.max))"
            let name = try LocalSocketName.runtimeDirectory("\(top)/fake ns/test.sock")
            let root = String(name.description.dropLast("/fake ns/test.sock".count))
            XCTAssertTrue(root.hasPrefix("/run/user/\(geteuid())/") || root.hasPrefix("/tmp/"), root)
            defer { try? FileManager.default.removeItem(atPath: root) }
            // A client creates no directories.
            assertThrows(.notFound) { try LocalSocketStream.connect(to: name) }
            XCTAssertNil(FileImage(root))

            let listener = try LocalSocketListener(name)
            XCTAssertEqual(FileImage(root)?.permissions, 0o700)
            XCTAssertEqual(FileImage(root + "/fake ns")?.permissions, 0o700)
            let client = try LocalSocketStream.connect(to: name)
            try client.writeAll("x")
            XCTAssertEqual(try listener.accept().readExactly(1), [UInt8(ascii: "x")])
        }
    }

    func testMode() throws {
        for name in try bothNames() {
            var options = LocalSocketListener.Options()
            options.mode = 0o600
            let listener = try LocalSocketListener(name, options: options)
            let client = try LocalSocketStream.connect(to: name)
            try client.writeAll("x")
            XCTAssertEqual(try listener.accept().readExactly(1), [UInt8(ascii: "x")])
            if name.isPath { XCTAssertEqual(FileImage(path())?.permissions, 0o600) }
        }
    }

    func testOverwriteAlways() throws {
        let name = try pathName()
        let first = try LocalSocketListener(name)
        let second = try LocalSocketListener(name, options: overwriting(.always))
        let client = try LocalSocketStream.connect(to: name)
        try client.writeAll("x")
        XCTAssertEqual(try second.accept(timeout: .seconds(5)).readExactly(1), [UInt8(ascii: "x")])
        assertThrows(.timedOut) { try first.accept(timeout: .zero) }
    }

    func testAbstractNameIsTaken() throws {
        let name = try namespacedName()
        let listener = try LocalSocketListener(name)
        for overwrite in [LocalSocketListener.Overwrite.never, .ifStale, .always] {
            assertThrows(.addressInUse, .listen) { try LocalSocketListener(name, options: overwriting(overwrite)) }
        }
        listener.close()
        try LocalSocketListener(name).close()
    }
}
