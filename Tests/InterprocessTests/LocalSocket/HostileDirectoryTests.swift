// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

/// Others control a directory on the way to a socket's file.
final class HostileDirectoryTests: InterprocessTestCase {
    /// Somebody exchanges a directory for a link to another one, over and over, while listeners come and go in it: a
    /// file of the same name in the other one stays as it is.
    func testExchangedDirectoryCostsNobodyAFile() throws {
        let manager = FileManager.default
        for folder in ["d", "target"] {
            try manager.createDirectory(atPath: path(folder), withIntermediateDirectories: false)
        }
        try manager.createSymbolicLink(atPath: path("link"), withDestinationPath: path("target"))
        let victim = path("target/s")
        XCTAssertTrue(manager.createFile(atPath: victim, contents: Data("precious".utf8)))
        XCTAssertEqual(chmod(victim, 0o600), 0)

        // At once, by renameat2, which Swift does not see.
        typealias Exchange = @convention(c) (Int32, UnsafePointer<CChar>, Int32, UnsafePointer<CChar>, UInt32) -> Int32
        guard let symbol = dlsym(nil, "renameat2") else { return try skip("the system cannot exchange files") }
        let exchange = unsafeBitCast(symbol, to: Exchange.self)
        let (directory, link) = (path("d"), path("link"))
        let stop = DispatchSemaphore(value: 0)
        let attacker = Running {
            while stop.wait(timeout: .now()) == .timedOut { _ = exchange(AT_FDCWD, directory, AT_FDCWD, link, 2) }
        }
        var options = LocalSocketListener.Options()
        options.access = .everyone
        options.maxSpinTime = .zero
        var successes = 0
        for _ in 0..<3000 {
            guard let listener = try? LocalSocketListener(.path(path("d/s")), options: options) else { continue }
            successes += 1
            listener.close()
        }
        stop.signal()
        try attacker.value()
        XCTAssertGreaterThan(successes, 0)
        XCTAssertEqual(manager.contents(atPath: victim), Data("precious".utf8))
        let mode = try manager.attributesOfItem(atPath: victim)[.posixPermissions] as? Int
        XCTAssertEqual(mode, 0o600)
    }

    /// A user's own runtime directory may come and go between the making of a name and its use.
    func testRuntimeDirectoryThatHasChanged() throws {
        let paths = ["x/s", "/tmp", "/run/user/1/s/s"]
        for path in paths {
            let plan = BindPlan(
                address: try .path(path),
                label: path,
                isInRuntimeDirectory: true,
                LocalSocketListener.Options()
            )
            let error = assertThrows(path == "/tmp" ? .addressInUse : .notFound, .listen) { _ = try plan.bind() }
            XCTAssertEqual(error?.name, path)
        }
        let folder = "/tmp/ip-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        let own = "/run/user/\(getuid())/"
        XCTAssertEqual(UnixSocketAddress.runtimeDirectory(of: Array("\(folder)/s".utf8)[...]), Array("/tmp/".utf8))
        XCTAssertEqual(UnixSocketAddress.runtimeDirectory(of: Array("\(own)s".utf8)[...]), Array(own.utf8))
        XCTAssertNil(UnixSocketAddress.runtimeDirectory(of: Array("/run/s".utf8)[...]))
    }

    func testRuntimeDirectoryOfAnotherUserIsNotTrusted() throws {
        let folder = "ip-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        let name = try LocalSocketName.runtimeDirectory("\(folder)/s")
        let made = String(name.description.dropLast(2))
        XCTAssertEqual(mkdir(made, 0o777), 0)
        defer { rmdir(made) }
        // Others may write to it.
        XCTAssertEqual(chmod(made, 0o777), 0)
        assertThrows(.permissionDenied, .listen) { try LocalSocketListener(name) }
        XCTAssertEqual(chmod(made, 0o755), 0)
        try LocalSocketListener(name).close()
        if getuid() != 0 { return }
        XCTAssertEqual(chown(made, 65534, 65534), 0)
        assertThrows(.permissionDenied, .listen) { try LocalSocketListener(name) }
    }

    func testServerInTheRuntimeDirectoryMustBeOfThisUser() throws {
        if getuid() != 0 { try skip("only the superuser can become another user") }
        let folder = "ip-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        let name = try LocalSocketName.runtimeDirectory("\(folder)/s")
        let made = String(name.description.dropLast(2))
        XCTAssertEqual(mkdir(made, 0o777), 0)
        XCTAssertEqual(chmod(made, 0o777), 0)
        defer { rmdir(made) }
        let server = try ChildProcess.helper("--uid", "65534", "listen", name.description, "never")
        XCTAssertEqual(server.readLine(), "ready")
        assertThrows(.permissionDenied, .connect) { try LocalSocketStream.connect(to: name) }
        var options = LocalSocketStream.ConnectOptions()
        options.requiresPeer = .user(65534)
        try LocalSocketStream.connect(to: name, options: options).close()
        server.closeInput()
        XCTAssertEqual(server.wait(), 0)
    }
}
