// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// What a listener must never replace.
final class TakeoverRefusedTests: InterprocessTestCase {
    private static let replacing: [LocalSocketListener.Overwrite] = [.never, .ifStale, .always]

    /// Expects that no listener takes the place of what is at the test's path, and that it is the same as before.
    private func assertRefused(
        _ overwrites: [LocalSocketListener.Overwrite] = replacing,
        line: UInt = #line
    ) throws {
        let before = try XCTUnwrap(FileImage(path()))
        let content = FileManager.default.contents(atPath: path())
        for overwrite in overwrites {
            let error = assertThrows(.addressInUse, .listen, line: line) {
                try LocalSocketListener(try pathName(), options: overwriting(overwrite))
            }
            XCTAssertEqual(error?.name, path(), line: line)
        }
        XCTAssertEqual(FileImage(path()), before, line: line)
        XCTAssertEqual(FileManager.default.contents(atPath: path()), content, line: line)
        XCTAssertEqual(temporaryFiles, [], line: line)
    }

    func testLiveListener() throws {
        let listener = try LocalSocketListener(try pathName())
        try assertRefused([.never, .ifStale])
        try assertReached(listener)
    }

    func testLiveListenerOfAnotherProcess() throws {
        let server = try ChildProcess.helper("listen", path(), "never")
        server.expect("ready")
        try assertRefused([.never, .ifStale])
        server.closeInput()
        XCTAssertEqual(server.wait(), 0)
    }

    func testLiveListenerWithAFullBacklog() throws {
        let (listener, waiting) = try fullListener(try pathName())
        try assertRefused([.never, .ifStale])
        waiting.close()
        listener.close()
    }

    /// A server that was stopped, as by a debugger, is no dead one.
    func testStoppedProcess() throws {
        let server = try ChildProcess.helper("listen", path(), "never")
        server.expect("ready")
        server.kill(SIGSTOP)
        try assertRefused([.never, .ifStale])
        server.kill(SIGCONT)
        server.closeInput()
        XCTAssertEqual(server.wait(), 0)
    }

    /// Another user may not even ask whether the server lives; and not knowing is no reason to replace it.
    func testLiveListenerOfAnotherUser() throws {
        try requireRoot()
        XCTAssertEqual(chmod(directory, 0o777), 0)
        let server = try ChildProcess.helper("--uid", "1000", "listen", path(), "never")
        server.expect("ready")
        let before = FileImage(path())
        let other = try ChildProcess.helper("--uid", "1001", "listen", path(), "ifStale")
        other.expect("error addressInUse")
        XCTAssertEqual(FileImage(path()), before)
        XCTAssertEqual(temporaryFiles, [])
        try assertRefused([.never, .ifStale])
        server.closeInput()
        XCTAssertEqual(server.wait(), 0)
    }

    func testFiles() throws {
        try Data("precious".utf8).write(to: URL(fileURLWithPath: path()))
        try assertRefused()
        XCTAssertEqual(FileManager.default.contents(atPath: path()), Data("precious".utf8))
    }

    func testEmptyFile() throws {
        try Data().write(to: URL(fileURLWithPath: path()))
        try assertRefused()
    }

    func testDirectory() throws {
        try FileManager.default.createDirectory(atPath: path(), withIntermediateDirectories: false)
        try assertRefused()
    }

    func testFIFO() throws {
        XCTAssertEqual(mkfifo(path(), 0o600), 0)
        let before = FileImage(path())
        for overwrite in Self.replacing {
            assertThrows(.addressInUse, .listen) {
                try LocalSocketListener(try pathName(), options: overwriting(overwrite))
            }
        }
        XCTAssertEqual(FileImage(path()), before)
    }

    func testDanglingSymbolicLink() throws {
        XCTAssertEqual(symlink(path("nothing"), path()), 0)
        try assertRefused()
        XCTAssertNil(FileImage(path("nothing")))
        XCTAssertEqual(try FileManager.default.destinationOfSymbolicLink(atPath: path()), path("nothing"))
    }

    func testSymbolicLinkToASocket() throws {
        let live = try LocalSocketListener(try pathName("live"))
        XCTAssertEqual(symlink(path("live"), path()), 0)
        try assertRefused()
        XCTAssertEqual(FileImage(path("live"))?.isSocket, true)
        live.close()

        makeStale(path("dead"))
        XCTAssertEqual(unlink(path()), 0)
        XCTAssertEqual(symlink(path("dead"), path()), 0)
        let dead = FileImage(path("dead"))
        try assertRefused()
        XCTAssertEqual(FileImage(path("dead")), dead)
    }

    /// A path that ends with a slash is a directory's, and that is told at once.
    func testDirectoryByItsPath() throws {
        var options = overwriting(.always)
        options.maxSpinTime = .seconds(50)
        let error = assertThrows(.addressInUse, .listen) {
            try LocalSocketListener(.path(directory + "/"), options: options)
        }
        XCTAssertEqual(error?.description.contains("no socket"), true, error?.description ?? "")
        assertThrows(.notFound, .listen) { try LocalSocketListener(pathName("none/"), options: options) }
    }

    func testMissingDirectory() throws {
        for overwrite in Self.replacing {
            assertThrows(.notFound, .listen) {
                try LocalSocketListener(try pathName("none/s"), options: overwriting(overwrite))
            }
        }
        XCTAssertNil(FileImage(path("none")), "a path's directories are not for the listener to create")
        try Data().write(to: URL(fileURLWithPath: path("file")))
        assertThrows(.notFound, .listen) { try LocalSocketListener(try pathName("file/s")) }
    }
}
