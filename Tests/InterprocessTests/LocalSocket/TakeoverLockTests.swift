// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// Directories that cannot be locked, because a stranger holds the lock or because they may not be read.
final class TakeoverLockTests: InterprocessTestCase {
    private func options(_ overwrite: LocalSocketListener.Overwrite) -> LocalSocketListener.Options {
        var options = overwriting(overwrite)
        options.maxSpinTime = .milliseconds(150)
        return options
    }

    func testLockHeldByAStranger() throws {
        makeStale(path("stale"))
        let live = try LocalSocketListener(try pathName("live"))
        let before = FileImage(path("stale"))
        let stranger = try ChildProcess.helper("lock", directory)
        stranger.expect("locked")

        // A stranger can make us wait, and no more.
        let fresh = try LocalSocketListener(try pathName("fresh"), options: options(.ifStale))
        _ = try LocalSocketStream.connect(to: try pathName("fresh"))

        for overwrite in [LocalSocketListener.Overwrite.ifStale, .always] {
            let elapsed = ContinuousClock().measure {
                assertThrows(.busy, .listen) {
                    try LocalSocketListener(try pathName("stale"), options: options(overwrite))
                }
            }
            XCTAssertGreaterThanOrEqual(elapsed, .milliseconds(150))
            XCTAssertLessThan(elapsed, .seconds(5))
        }
        XCTAssertEqual(FileImage(path("stale")), before)
        // Where nothing would be replaced, the reason is another.
        assertThrows(.addressInUse) {
            try LocalSocketListener(try pathName("stale"), options: options(.never))
        }
        // Closing does not hang either, and cleans up.
        fresh.close()
        live.close()
        XCTAssertNil(FileImage(path("fresh")))
        XCTAssertNil(FileImage(path("live")))

        stranger.closeInput()
        stranger.expect("unlocked")
        try LocalSocketListener(try pathName("stale"), options: options(.ifStale)).close()
        XCTAssertEqual(try FileManager.default.contentsOfDirectory(atPath: directory), [])
    }

    func testWaitsForTheLock() throws {
        makeStale(path())
        let name = try pathName()
        let stranger = try ChildProcess.helper("lock", directory)
        stranger.expect("locked")
        var patient = LocalSocketListener.Options()
        patient.maxSpinTime = .seconds(20)
        let options = patient
        let starter = Running { try LocalSocketListener(name, options: options) }
        starter.waitUntilBlocked()
        stranger.closeInput()
        try starter.value().close()
    }

    /// A directory that may be written and not read: names are bound there, and not replaced.
    func testUnreadableDirectory() throws {
        try requireRoot()
        XCTAssertEqual(chown(directory, 1000, 1000), 0)
        XCTAssertEqual(chmod(directory, 0o300), 0)
        let server = try ChildProcess.helper("--uid", "1000", "listen", path(), "ifStale")
        server.expect("ready")
        let second = try ChildProcess.helper("--uid", "1000", "listen", path(), "never")
        second.expect("error addressInUse")
        server.crash()
        let before = FileImage(path())
        for overwrite in ["ifStale", "always"] {
            let other = try ChildProcess.helper("--uid", "1000", "listen", path(), overwrite)
            other.expect("error busy")
        }
        XCTAssertEqual(FileImage(path()), before)
        let error = try ChildProcess.helper("--uid", "1001", "listen", path("t"), "ifStale")
        error.expect("error permissionDenied")
    }

    /// Closing in good order removes the name even where the directory cannot be locked.
    func testReclaimsInUnreadableDirectory() throws {
        try requireRoot()
        XCTAssertEqual(chown(directory, 1000, 1000), 0)
        XCTAssertEqual(chmod(directory, 0o300), 0)
        let server = try ChildProcess.helper("--uid", "1000", "listen", path(), "ifStale")
        server.expect("ready")
        server.closeInput()
        XCTAssertEqual(server.wait(), 0)
        XCTAssertNil(FileImage(path()))
    }

    /// Starters in other directories are not in each other's way.
    func testLockIsOfOneDirectory() throws {
        try FileManager.default.createDirectory(atPath: path("other"), withIntermediateDirectories: false)
        let stranger = try ChildProcess.helper("lock", path("other"))
        stranger.expect("locked")
        makeStale(path())
        try LocalSocketListener(try pathName(), options: options(.ifStale)).close()
        stranger.closeInput()
    }
}
