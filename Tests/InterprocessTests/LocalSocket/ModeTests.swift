// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// The permission bits of the socket's file.
final class ModeTests: InterprocessTestCase {
    /// Runs `body` under a umask, which is the whole process's, and puts it back.
    private func under<Value>(umask mask: mode_t, _ body: () throws -> Value) rethrows -> Value {
        let before = umask(mask)
        defer { _ = umask(before) }
        return try body()
    }

    private func mode(
        under mask: mode_t,
        _ change: (inout LocalSocketListener.Options) -> Void
    ) throws -> UInt32? {
        var options = LocalSocketListener.Options()
        change(&options)
        let listener = try under(umask: mask) { try LocalSocketListener(try pathName(), options: options) }
        defer { listener.close() }
        return FileImage(path())?.permissions
    }

    func testExactModesUnderEveryUmask() throws {
        for mask: mode_t in [0, 0o022, 0o077, 0o777] {
            for mode: UInt16 in [0, 0o600, 0o640, 0o660, 0o666, 0o777, 0o700, 0o1666] {
                XCTAssertEqual(try self.mode(under: mask) { $0.mode = mode }, UInt32(mode), "umask \(mask)")
            }
        }
    }

    func testAccess() throws {
        for mask: mode_t in [0, 0o022, 0o077, 0o777] {
            XCTAssertEqual(try mode(under: mask) { _ in }, 0o600)
            XCTAssertEqual(try mode(under: mask) { $0.access = .currentUser }, 0o600)
            XCTAssertEqual(try mode(under: mask) { $0.access = .group }, 0o660)
            XCTAssertEqual(try mode(under: mask) { $0.access = .everyone }, 0o666)
            XCTAssertEqual(try mode(under: mask) { $0.access = .custom }, 0o777 & ~UInt32(mask))
        }
    }

    func testModeGoesBeforeAccess() throws {
        let mode = try mode(under: 0o022) {
            $0.access = .everyone
            $0.mode = 0o640
        }
        XCTAssertEqual(mode, 0o640)
    }

    func testTakeoverGivesTheModeAsWell() throws {
        for mask: mode_t in [0, 0o777] {
            for overwrite in [LocalSocketListener.Overwrite.ifStale, .always] {
                under(umask: 0) { makeStale(path()) }
                let mode = try mode(under: mask) {
                    $0.overwrite = overwrite
                    $0.access = .group
                }
                XCTAssertEqual(mode, 0o660)
            }
        }
    }

    /// A file that is open for others at first, and closed to them then, has let them in.
    func testNeverWiderThanAskedFor() throws {
        let file = path()
        let flag = StopFlag()
        let watcher = Running {
            var seen: UInt32 = 0
            while !flag.isSet { seen |= FileImage(file)?.permissions ?? 0 }
            return seen
        }
        try under(umask: 0) {
            for _ in 0..<400 { try LocalSocketListener(try pathName()).close() }
        }
        flag.set()
        XCTAssertEqual(try watcher.value() & 0o177, 0)
    }

    func testProcessUmaskIsLeftAlone() throws {
        try under(umask: 0o027) {
            try LocalSocketListener(try pathName()).close()
            let now = umask(0o027)
            XCTAssertEqual(now, 0o027)
        }
    }
}
