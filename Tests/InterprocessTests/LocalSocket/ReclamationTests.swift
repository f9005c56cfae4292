// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// What becomes of the socket's file when its listener ends.
final class ReclamationTests: InterprocessTestCase {
    func testCloseRemovesTheFile() throws {
        let listener = try LocalSocketListener(try pathName())
        XCTAssertEqual(FileImage(path())?.isSocket, true)
        listener.close()
        XCTAssertNil(FileImage(path()))
        assertThrows(.notFound) { try LocalSocketStream.connect(to: try pathName()) }
        // Once is enough: whoever has the name now keeps it.
        let next = try LocalSocketListener(try pathName())
        listener.close()
        XCTAssertNotNil(FileImage(path()))
        next.close()
    }

    func testLastReferenceRemovesTheFile() throws {
        var listener: LocalSocketListener? = try LocalSocketListener(try pathName())
        var other = listener
        listener = nil
        XCTAssertNotNil(FileImage(path()))
        withExtendedLifetime(other) {}
        other = nil
        XCTAssertNil(FileImage(path()))
    }

    func testListenerThatIsStillBlockedRemovesTheFileAtClose() throws {
        let listener = try LocalSocketListener(try pathName())
        let server = Running { try listener.accept() }
        server.waitUntilBlocked()
        listener.close()
        XCTAssertNil(FileImage(path()))
        assertThrows(.closed) { try server.value() }
    }

    func testOptionKeepsTheFile() throws {
        var options = LocalSocketListener.Options()
        options.reclaimsName = false
        try LocalSocketListener(try pathName(), options: options).close()
        XCTAssertEqual(FileImage(path())?.isSocket, true)
        assertThrows(.connectionRefused) { try LocalSocketStream.connect(to: try pathName()) }
    }

    func testKeepNameOnClose() throws {
        let listener = try LocalSocketListener(try pathName())
        listener.keepNameOnClose()
        listener.close()
        XCTAssertEqual(FileImage(path())?.isSocket, true)

        // Also where the name was taken over, and the listener is not closed but dropped.
        var other: LocalSocketListener? = try LocalSocketListener(try pathName())
        other?.keepNameOnClose()
        other = nil
        XCTAssertEqual(FileImage(path())?.isSocket, true)
        // Harmless where there is no file.
        let namespaced = try LocalSocketListener(try namespacedName())
        namespaced.keepNameOnClose()
        namespaced.close()
    }

    func testRelativePathAfterChangeOfDirectory() throws {
        let server = try ChildProcess.helper("listen-in", directory, "s")
        server.expect("ready")
        XCTAssertEqual(FileImage(path())?.isSocket, true)
        server.closeInput()
        server.expect("closed")
        XCTAssertNil(FileImage(path()))
        XCTAssertEqual(server.wait(), 0)
    }

    func testAnotherFileInItsPlaceStays() throws {
        let listener = try LocalSocketListener(try pathName())
        XCTAssertEqual(unlink(path()), 0)
        try Data("precious".utf8).write(to: URL(fileURLWithPath: path()))
        listener.close()
        XCTAssertEqual(FileManager.default.contents(atPath: path()), Data("precious".utf8))
    }

    func testAnotherSocketInItsPlaceStays() throws {
        let listener = try LocalSocketListener(try pathName())
        XCTAssertEqual(rename(path(), path("moved")), 0)
        makeStale(path())
        let other = FileImage(path())
        listener.close()
        XCTAssertEqual(FileImage(path()), other)
        // The file went to another place, where nobody looks for it.
        XCTAssertNotNil(FileImage(path("moved")))
    }

    func testMissingFile() throws {
        let listener = try LocalSocketListener(try pathName())
        XCTAssertEqual(unlink(path()), 0)
        listener.close()
        XCTAssertEqual(try FileManager.default.contentsOfDirectory(atPath: directory), [])
    }

    func testDetachedListenerLeavesTheFile() throws {
        let name = try pathName()
        let listener = try LocalSocketListener(name)
        let descriptor = try listener.detach()
        XCTAssertTrue(listener.isClosed)
        listener.close()
        assertThrows(.closed, .accept) { try listener.accept() }
        XCTAssertEqual(FileImage(path())?.isSocket, true)
        XCTAssertEqual(fcntl(descriptor, F_GETFL) & O_NONBLOCK, 0, "it is given away in blocking mode")

        // And it still listens.
        let adopted = try LocalSocketListener(adopting: descriptor)
        XCTAssertEqual(adopted.name, name)
        let client = try LocalSocketStream.connect(to: name)
        try client.writeAll("x\n")
        XCTAssertEqual(try adopted.accept().readLine(), "x")
        // Who has adopted a listener does not own its name.
        adopted.close()
        XCTAssertEqual(FileImage(path())?.isSocket, true)
    }

    func testDetachWhileAcceptIsBlocked() throws {
        let listener = try LocalSocketListener(try pathName())
        let server = Running { try listener.accept() }
        server.waitUntilBlocked()
        assertThrows(.busy, .detach) { try listener.detach() }
        XCTAssertNotNil(FileImage(path()))
        _ = try LocalSocketStream.connect(to: try pathName())
        _ = try server.value()
        listener.close()
        XCTAssertNil(FileImage(path()))
    }

    /// A name is free when `close` has returned, also where another thread was waiting for clients.
    func testNameIsFreeAfterClose() throws {
        for name in try bothNames() {
            for _ in 0..<50 {
                let listener = try LocalSocketListener(name, options: overwriting(.never))
                let server = Running { try listener.accept() }
                server.waitUntilBlocked()
                listener.close()
                try LocalSocketListener(name, options: overwriting(.never)).close()
                assertThrows(.closed) { try server.value() }
            }
        }
    }

    func testStreamsOutliveTheirListener() throws {
        for name in try bothNames() {
            let (server, client) = try connected(name)
            try client.writeAll("x\n")
            XCTAssertEqual(try server.readLine(), "x")
        }
    }

    func testClientsThatWereNotAcceptedAreDisconnected() throws {
        for name in try bothNames() {
            let listener = try LocalSocketListener(name)
            let client = try LocalSocketStream.connect(to: name)
            let reader = Running { try client.read(upTo: 1) }
            reader.waitUntilBlocked()
            listener.close()
            assertThrows(.connectionReset, .read) { try reader.value() }
        }
    }
}
