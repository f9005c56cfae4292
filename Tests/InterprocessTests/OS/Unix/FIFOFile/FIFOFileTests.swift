// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// The file itself: making and removing it, and refusing what is none.
final class FIFOFileTests: InterprocessTestCase {
    private func mode(_ path: String) throws -> Int {
        var found = stat()
        XCTAssertEqual(lstat(path, &found), 0)
        XCTAssertEqual(found.st_mode & S_IFMT, S_IFIFO)
        return Int(found.st_mode & 0o7777)
    }

    /// A socket's file that nobody listens at.
    private func makeSocketFile(_ path: String) throws {
        var options = LocalSocketListener.Options()
        options.reclaimsName = false
        try LocalSocketListener(.path(path), options: options).close()
    }

    func testModeIsExactUnderAnyUmask() throws {
        // The umask belongs to the process: no other thread makes files here, and it is put back whatever happens.
        let before = umask(0)
        defer { umask(before) }
        for mask: mode_t in [0o000, 0o022, 0o077, 0o777] {
            umask(mask)
            for wanted: UInt16 in [0o600, 0o666, 0o620, 0o777, 0o000] {
                let path = path("\(mask)-\(wanted)")
                try FIFOFile.create(at: path, mode: wanted)
                XCTAssertEqual(try mode(path), Int(wanted), "under umask \(String(mask, radix: 8))")
                XCTAssertEqual(umask(mask), mask, "the umask was changed")
            }
        }
    }

    func testModeIsForTheOwnerAloneUnlessToldOtherwise() throws {
        let before = umask(0)
        defer { umask(before) }
        try FIFOFile.create(at: path())
        XCTAssertEqual(try mode(path()), 0o600)
    }

    func testCreateWhereSomethingIs() throws {
        try FIFOFile.create(at: path("fifo"))
        try Data("kept".utf8).write(to: URL(fileURLWithPath: path("file")))
        try FileManager.default.createSymbolicLink(atPath: path("link"), withDestinationPath: path("nowhere"))
        for name in ["fifo", "file", "link"] {
            let error = assertThrows(.alreadyExists, .create) { try FIFOFile.create(at: path(name)) }
            XCTAssertEqual(error?.name, path(name))
            XCTAssertEqual(error?.systemCode, Int64(EEXIST))
        }
        XCTAssertEqual(try String(contentsOfFile: path("file"), encoding: .utf8), "kept")
        XCTAssertFalse(FileManager.default.fileExists(atPath: path("nowhere")), "made through a symbolic link")
    }

    func testCreateInMissingDirectory() {
        assertThrows(.notFound, .create) { try FIFOFile.create(at: path("missing/fifo")) }
    }

    func testCreateWithNameTooLong() {
        let name = String(repeating: "x", count: 300)
        assertThrows(.nameTooLong, .create) { try FIFOFile.create(at: path(name)) }
    }

    func testNamesThatCannotBe() {
        for bad in ["", "\0", path("a\0b")] {
            assertThrows(.invalidName) { try FIFOFile.create(at: bad) }
            assertThrows(.invalidName) { try FIFOFile.remove(at: bad) }
            assertThrows(.invalidName) { try FIFOFile.openReceiver(at: bad, timeout: .zero) }
            assertThrows(.invalidName) { try FIFOFile.openSender(at: bad, timeout: .zero) }
        }
        // A path that is cut at the NUL would have made this.
        XCTAssertFalse(FileManager.default.fileExists(atPath: path("a")))
    }

    /// A path that ends with a slash is a directory's.
    func testDirectories() {
        assertThrows(.alreadyExists, .create) { try FIFOFile.create(at: directory + "/") }
        assertThrows(.invalidArgument, .remove) { try FIFOFile.remove(at: directory + "/") }
        assertThrows(.invalidArgument, .open) { try FIFOFile.openReceiver(at: directory + "/", timeout: .zero) }
        assertThrows(.notFound, .create) { try FIFOFile.create(at: path("missing/")) }
    }

    func testRemove() throws {
        try FIFOFile.create(at: path())
        try FIFOFile.remove(at: path())
        XCTAssertFalse(FileManager.default.fileExists(atPath: path()))
        assertThrows(.notFound, .remove) { try FIFOFile.remove(at: path()) }
    }

    func testRemoveLeavesEverythingElse() throws {
        let files = FileManager.default
        try FIFOFile.create(at: path("fifo"))
        XCTAssertTrue(files.createFile(atPath: path("file"), contents: Data("kept".utf8)))
        try files.createDirectory(atPath: path("directory"), withIntermediateDirectories: false)
        try files.createSymbolicLink(atPath: path("link"), withDestinationPath: path("fifo"))
        try makeSocketFile(path("socket"))
        for name in ["file", "directory", "link", "socket"] {
            let error = assertThrows(.invalidArgument, .remove) { try FIFOFile.remove(at: path(name)) }
            XCTAssertEqual(error?.name, path(name))
            XCTAssertEqual(error?.description.contains("no FIFO"), true, error?.description ?? "")
        }
        let left = try files.contentsOfDirectory(atPath: directory).sorted()
        XCTAssertEqual(left, ["directory", "fifo", "file", "link", "socket"])
        XCTAssertEqual(try String(contentsOfFile: path("file"), encoding: .utf8), "kept")
    }

    func testRemoveLeavesOpenEndsWorking() throws {
        try FIFOFile.create(at: path())
        let receiver = try FIFOFile.openReceiver(at: path(), waitsForSender: false)
        let sender = try FIFOFile.openSender(at: path())
        try FIFOFile.remove(at: path())
        try sender.writeAll("still here\n")
        XCTAssertEqual(try receiver.readLine(), "still here")
    }

    func testOpenWhatIsNoFIFO() throws {
        let files = FileManager.default
        XCTAssertTrue(files.createFile(atPath: path("file"), contents: Data("kept".utf8)))
        try files.createDirectory(atPath: path("directory"), withIntermediateDirectories: false)
        try files.createSymbolicLink(atPath: path("dangling"), withDestinationPath: path("nowhere"))
        try makeSocketFile(path("socket"))
        let others = ["/dev/null", path("file"), path("directory"), path("socket")]
        for other in others {
            let errors = [
                assertThrows(.invalidArgument, .open) { try FIFOFile.openReceiver(at: other, timeout: .seconds(5)) },
                assertThrows(.invalidArgument, .open) { try FIFOFile.openSender(at: other, timeout: .seconds(5)) },
            ]
            for error in errors {
                XCTAssertEqual(error?.name, other)
                XCTAssertEqual(error?.description.contains("no FIFO"), true, error?.description ?? "")
            }
        }
        for missing in [path("missing"), path("dangling"), path("file/below")] {
            assertThrows(.notFound, .open) { try FIFOFile.openReceiver(at: missing, timeout: .seconds(5)) }
            assertThrows(.notFound, .open) { try FIFOFile.openSender(at: missing, timeout: .seconds(5)) }
        }
        XCTAssertEqual(try String(contentsOfFile: path("file"), encoding: .utf8), "kept")
    }

    func testOpenFollowsSymbolicLinks() throws {
        try FIFOFile.create(at: path("fifo"))
        try FileManager.default.createSymbolicLink(atPath: path("link"), withDestinationPath: path("fifo"))
        let receiver = try FIFOFile.openReceiver(at: path("link"), waitsForSender: false)
        let sender = try FIFOFile.openSender(at: path("link"))
        try sender.writeAll("x")
        XCTAssertEqual(try receiver.read(upTo: 10), [UInt8(ascii: "x")])
    }

    func testOpenWhatIsNotAllowed() throws {
        // The superuser may open everything, so another user has to try.
        if getuid() != 0 { try skip("only the superuser can become another user") }
        try FIFOFile.create(at: path())
        XCTAssertEqual(chmod(directory, 0o755), 0)
        let child = try ChildProcess.helper("--uid", "65534", "write-without-reader", path())
        XCTAssertEqual(child.readLine(), "error permissionDenied")
        XCTAssertEqual(child.readLine(), "survived")
        XCTAssertEqual(child.wait(), 0)
    }
}
