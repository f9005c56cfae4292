// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import Synchronization
import XCTest

/// Replacing the file of a server that has died.
final class TakeoverTests: InterprocessTestCase {
    func testServerThatWasKilled() throws {
        let server = try ChildProcess.helper("listen", path(), "never")
        server.expect("ready")
        server.crash()
        XCTAssertEqual(FileImage(path())?.isSocket, true)
        assertThrows(.connectionRefused) { try LocalSocketStream.connect(to: try pathName()) }

        assertThrows(.addressInUse, .listen) {
            try LocalSocketListener(try pathName(), options: overwriting(.never))
        }
        let listener = try LocalSocketListener(try pathName())
        XCTAssertEqual(FileImage(path())?.permissions, 0o600)
        try assertReached(listener)
        XCTAssertEqual(temporaryFiles, [])
        listener.close()
        XCTAssertNil(FileImage(path()))
    }

    /// A server of another library may take a while from its bind to its listen, in which it refuses connections.
    func testADeadServerIsGivenTime() throws {
        makeStale(path())
        let elapsed = try ContinuousClock().measure { try LocalSocketListener(try pathName()).close() }
        XCTAssertGreaterThanOrEqual(elapsed, .milliseconds(20))
    }

    func testCrashAndRestartManyTimes() throws {
        for _ in 0..<20 {
            let server = try ChildProcess.helper("listen", path(), "ifStale")
            server.expect("ready")
            _ = try LocalSocketStream.connect(to: try pathName())
            server.crash()
        }
        let server = try ChildProcess.helper("serve", path(), "1")
        server.expect("ready")
        let client = try LocalSocketStream.connect(to: try pathName())
        try client.writeAll("at last\n")
        XCTAssertEqual(try client.readLine(), "at last")
        client.close()
        XCTAssertEqual(server.wait(), 0)
        XCTAssertEqual(try FileManager.default.contentsOfDirectory(atPath: directory), [])
    }

    /// The name of a dead server is replaced in one step: it is there at every moment.
    func testNameIsNeverMissing() throws {
        let name = try pathName()
        makeStale(path())
        let flag = StopFlag()
        let hasBegun = DispatchSemaphore(value: 0)
        let file = path()
        let watcher = Running {
            var looks = 0
            var found = stat()
            while !flag.isSet {
                if lstat(file, &found) != 0 { return -looks - 1 }
                if looks == 0 { hasBegun.signal() }
                looks += 1
            }
            return looks
        }
        hasBegun.wait()
        for _ in 0..<20 {
            let listener = try LocalSocketListener(name)
            listener.keepNameOnClose()
            listener.close()
        }
        flag.set()
        XCTAssertGreaterThan(try watcher.value(), 0, "the name was missing at that look")
    }

    /// Clients find a server at every moment while one live server replaces another.
    func testClientsNeverFailDuringReplacementOfLiveServers() throws {
        let name = try pathName()
        let flag = StopFlag()
        let hasBegun = DispatchSemaphore(value: 0)
        var current = try LocalSocketListener(name)
        let options = waiting(.timeout(.seconds(10)))
        let prober = Running {
            var connections = 0
            while !flag.isSet {
                try LocalSocketStream.connect(to: name, options: options).close()
                if connections == 0 { hasBegun.signal() }
                connections += 1
            }
            return connections
        }
        hasBegun.wait()
        for _ in 0..<60 {
            let next = try LocalSocketListener(name, options: overwriting(.always))
            current.close()
            current = next
        }
        flag.set()
        XCTAssertGreaterThan(try prober.value(), 0)
        XCTAssertEqual(FileImage(path())?.isSocket, true)
        XCTAssertEqual(temporaryFiles, [])
    }

    func testDisplacedListenerLeavesItsSuccessorsFile() throws {
        let name = try pathName()
        let first = try LocalSocketListener(name)
        let second = try LocalSocketListener(name, options: overwriting(.always))
        first.close()
        try assertReached(second)
        second.close()
        XCTAssertNil(FileImage(path()))
    }

    func testPathsNearTheLimit() throws {
        // From the lengths where a temporary name beside fits, over those where it does not, to the last byte.
        for length in [85, 90, 91, 92, 99, 104, 107, 108] {
            let text = directory + "/" + String(repeating: "p", count: length - directory.utf8.count - 1)
            let name = try LocalSocketName.path(text)
            makeStale(text)
            let before = try XCTUnwrap(FileImage(text))
            let listener = try LocalSocketListener(name)
            XCTAssertNotEqual(FileImage(text)?.inode, before.inode)
            XCTAssertEqual(FileImage(text)?.permissions, 0o600)
            try assertReached(listener)
            let next = try LocalSocketListener(name, options: overwriting(.always))
            listener.close()
            try assertReached(next)
            next.close()
            XCTAssertNil(FileImage(text))
            XCTAssertEqual(temporaryFiles, [])
        }
    }

    func testRelativePath() throws {
        // The current directory is the whole process's: it is put back at once.
        let before = FileManager.default.currentDirectoryPath
        defer { _ = chdir(before) }
        XCTAssertEqual(chdir(directory), 0)
        makeStale(path())
        let listener = try LocalSocketListener(.path("s"))
        _ = chdir(before)
        let client = try LocalSocketStream.connect(to: try pathName())
        client.close()
        XCTAssertEqual(temporaryFiles, [])
        listener.close()
        XCTAssertNil(FileImage(path()))
    }
}

/// Tells a thread to end.
final class StopFlag: Sendable {
    private let flag = Atomic<Bool>(false)
    var isSet: Bool { flag.load(ordering: .relaxed) }
    func set() { flag.store(true, ordering: .relaxed) }
}
