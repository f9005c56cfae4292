// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// What programs that this process starts inherit: nothing, unless they are meant to.
final class InheritanceTests: InterprocessTestCase {
    func testNothingIsInherited() throws {
        let before = try ChildProcess.helper("descriptors")
        let baseline = try XCTUnwrap(before.readLine())

        // Everything there is, open at once.
        let name = try pathName()
        let listener = try LocalSocketListener(name)
        let namespaced = try LocalSocketListener(try namespacedName())
        makeStale(path("stale"))
        let replaced = try LocalSocketListener(try pathName("stale"))
        let client = try LocalSocketStream.connect(to: name)
        let timed = try LocalSocketStream.connect(to: name, options: waiting(.timeout(.seconds(5))))
        let server = try listener.accept()
        let copy = try client.duplicate()
        let halves = try server.split()
        let (one, other) = try LocalSocketStream.pair()
        let adopted = try LocalSocketStream(adopting: try other.detach())
        let deferred = try LocalSocketStream.connect(to: name, options: waiting(.deferred))
        let process = try one.peerProcess()
        let pipe = try UnnamedPipe.create()
        // Waiting makes descriptors too.
        assertThrows(.timedOut) { try server.read(upTo: 1, timeout: .zero) }
        assertThrows(.timedOut) { try copy.read(upTo: 1, timeout: .milliseconds(1)) }
        listener.setNonblocking(.accept)
        while (try? XCTUnwrap(listener.incoming.next()).get()) != nil {}

        let after = try ChildProcess.helper("descriptors")
        after.expect(baseline)
        withExtendedLifetime((namespaced, replaced, client, timed, halves, one, adopted, deferred, process, pipe)) {}
    }

    func testSetInheritable() throws {
        let (one, other) = try LocalSocketStream.pair()
        let number = try one.withUnsafeDescriptor { $0 }
        try one.setInheritable(true)
        let child = try ChildProcess.helper("talk-over", "\(number)")
        // From here on the child's is the only one.
        one.close()
        try other.writeAll("hello\n")
        XCTAssertEqual(try other.readLine(), "child: hello")
        try other.shutdown(.send)
        XCTAssertEqual(child.wait(), 0)
        XCTAssertNil(try other.readLine())
    }

    func testSetNotInheritableAgain() throws {
        let (one, other) = try LocalSocketStream.pair()
        let number = try one.withUnsafeDescriptor { $0 }
        try one.setInheritable(true)
        let with = try ChildProcess.helper("descriptors")
        XCTAssertTrue(try XCTUnwrap(with.readLine()).split(separator: " ").contains("\(number)"))
        try one.setInheritable(false)
        let without = try ChildProcess.helper("descriptors")
        XCTAssertFalse(try XCTUnwrap(without.readLine()).split(separator: " ").contains("\(number)"))
        withExtendedLifetime(other) {}
        one.close()
        assertThrows(.closed) { try one.setInheritable(true) }
    }

    /// One child alone gets the socket, under a number of its own.
    func testGivenToOneChild() throws {
        let (one, other) = try LocalSocketStream.pair()
        let child = try one.withUnsafeDescriptor { descriptor in
            Result { try ChildProcess.helper("talk-over", "7", keeping: [(from: descriptor, to: 7)]) }
        }.get()
        // Closing it here does not end the child's conversation, though a call waits.
        let reader = Running { try one.read(upTo: 1) }
        reader.waitUntilBlocked()
        one.close()
        assertThrows(.closed) { try reader.value() }
        try other.writeAll("hello\n")
        XCTAssertEqual(try other.readLine(), "child: hello")
        other.close()
        XCTAssertEqual(child.wait(), 0)
    }

    // MARK: - Socket activation

    private func activate(
        _ listeners: [LocalSocketListener],
        _ environment: [String: String]
    ) throws -> ChildProcess {
        var copies: [Int32] = []
        defer { for copy in copies { close(copy) } }
        for listener in listeners {
            // Above the numbers that the child is to find them under.
            copies.append(try listener.withUnsafeDescriptor { fcntl($0, F_DUPFD_CLOEXEC, 200) })
        }
        return try ChildProcess.helper(
            "activated",
            keeping: copies.enumerated().map { (from: $1, to: 3 + Int32($0)) },
            environment: environment
        )
    }

    func testActivation() throws {
        let names = try bothNames()
        let listeners = try names.map { try LocalSocketListener($0) }
        let child = try activate(listeners, ["LISTEN_FDS": "2", "LISTEN_PID": "mine"])
        child.expect("listeners 2")
        for (name, listener) in zip(names, listeners) {
            child.expect("name \(name)")
            let client = try LocalSocketStream.connect(to: name)
            XCTAssertEqual(try client.readLine(), "activated")
            // The child closes its listener then; this process's survives it, and so does the name.
            XCTAssertNil(try client.readLine())
            let next = try LocalSocketStream.connect(to: name)
            try next.writeAll("x\n")
            XCTAssertEqual(try listener.accept(timeout: .seconds(5)).readLine(), "x")
        }
        XCTAssertEqual(child.wait(), 0)
        XCTAssertEqual(FileImage(path())?.isSocket, true)
    }

    func testActivationOfAnotherProcess() throws {
        let listener = try LocalSocketListener(try pathName())
        for environment in [["LISTEN_FDS": "1", "LISTEN_PID": "1"], ["LISTEN_FDS": "1"], ["LISTEN_PID": "mine"]] {
            let child = try activate([listener], environment)
            child.expect("listeners 0")
            XCTAssertEqual(child.wait(), 0)
        }
    }

    func testActivationWithNonsense() throws {
        let listener = try LocalSocketListener(try pathName())
        for (count, process) in [
            ("x", "mine"), ("-1", "mine"), ("", "mine"), ("4097", "mine"), ("99999999999999999999", "mine"),
            ("1", ""), ("1", "0x10"),
        ] {
            let child = try activate([listener], ["LISTEN_FDS": count, "LISTEN_PID": process])
            child.expect("error invalidArgument")
            XCTAssertEqual(child.wait(), 1)
        }
    }

    /// Among the sockets passed may be others, for other parts of the program: they are left alone.
    func testActivationSkipsOtherSockets() throws {
        let listener = try LocalSocketListener(try pathName())
        let (one, other) = try LocalSocketStream.pair()
        let stream = try one.withUnsafeDescriptor { fcntl($0, F_DUPFD_CLOEXEC, 200) }
        let socket = try listener.withUnsafeDescriptor { fcntl($0, F_DUPFD_CLOEXEC, 200) }
        defer {
            close(stream)
            close(socket)
        }
        let child = try ChildProcess.helper(
            "activated",
            keeping: [(from: stream, to: 3), (from: socket, to: 4)],
            environment: ["LISTEN_FDS": "3", "LISTEN_PID": "mine"]
        )
        child.expect("listeners 1")
        child.expect("name \(path())")
        XCTAssertEqual(try LocalSocketStream.connect(to: try pathName()).readLine(), "activated")
        XCTAssertEqual(child.wait(), 0)
        withExtendedLifetime(other) {}
    }
}
