// SPDX-License-Identifier: MIT OR Apache-2.0

#if INTERPROCESS_FAULT_INJECTION
import Foundation
import XCTest

@testable import Interprocess

/// Interrupted calls are repeated, and calls that come up short lose nothing.
final class FaultInjectionTests: InterprocessTestCase {
    override func tearDownWithError() throws {
        FaultInjection.clear()
        try super.tearDownWithError()
    }

    /// Makes calls be interrupted again and again, and expects that every interruption came.
    private func interrupted(_ calls: System.Call..., line: UInt = #line, _ body: () throws -> Void) rethrows {
        for call in calls { FaultInjection.inject(.result(-Int64(EINTR)), into: call, times: 50) }
        defer { FaultInjection.clear() }
        try body()
        XCTAssertEqual(FaultInjection.clear(), 0, "interruptions that did not come", line: line)
    }

    func testMakingAListener() throws {
        let name = try pathName()
        try interrupted(.socket, .bind, .listen, .wake, .lock, .file) { try LocalSocketListener(name).close() }
        let abstract = try namespacedName()
        try interrupted(.socket, .bind, .listen, .wake) { try LocalSocketListener(abstract).close() }
    }

    func testConnecting() throws {
        let listener = try LocalSocketListener(try namespacedName())
        let name = try XCTUnwrap(listener.name)
        for wait: LocalSocketStream.ConnectWait in [.unbounded, .timeout(.seconds(20)), .deferred] {
            var options = LocalSocketStream.ConnectOptions()
            options.wait = wait
            try interrupted(.socket, .connect, .accept) {
                let client = try LocalSocketStream.connect(to: name, options: options)
                try client.writeAll("x")
                XCTAssertEqual(try listener.accept().read(upTo: 1).count, 1)
            }
        }
    }

    func testMovingBytes() throws {
        for isShared in [false, true] {
            let (one, other) = try LocalSocketStream.pair()
            if isShared { _ = try other.split() }
            try interrupted(.receive, .send) {
                try one.writeAll("line\nrest")
                XCTAssertEqual(try other.readLine(), "line")
                XCTAssertEqual(try other.readExactly(4).count, 4)
            }
            try interrupted(.receive) {
                try one.writeAll("x")
                XCTAssertEqual(try other.read(upTo: 1).count, 1)
            }
        }
    }

    func testWaiting() throws {
        let (one, other) = try LocalSocketStream.pair()
        interrupted(.poll) {
            assertThrows(.timedOut) { try other.read(upTo: 1, timeout: .milliseconds(5)) }
        }
        FaultInjection.inject(.result(-Int64(EINTR)), into: .poll, times: 50)
        let reading = Running { try other.read(upTo: 1, timeout: .seconds(20)) }
        reading.waitUntilBlocked()
        try one.writeAll("x")
        XCTAssertEqual(try reading.value().count, 1)
        XCTAssertEqual(FaultInjection.clear(), 0)
    }

    /// A storm of interruptions does not stretch a time limit.
    func testInterruptionsDoNotStopTheClock() throws {
        let (one, other) = try LocalSocketStream.pair()
        FaultInjection.inject(.result(-Int64(EINTR)), into: .poll, times: .max)
        assertThrows(.timedOut) { try other.read(upTo: 1, timeout: .milliseconds(20)) }
        one.close()
    }

    func testPipesAndFiles() throws {
        try interrupted(.pipe, .option, .send, .receive) {
            let (sender, receiver) = try UnnamedPipe.create()
            try sender.writeAll("x")
            XCTAssertEqual(try receiver.read(upTo: 1).count, 1)
        }
        try interrupted(.file, .receive) {
            try FIFOFile.create(at: path())
            try FIFOFile.openReceiver(at: path(), waitsForSender: false).close()
            assertThrows(.timedOut) { try FIFOFile.openReceiver(at: path(), timeout: .zero) }
        }
        try interrupted(.file) { try FIFOFile.remove(at: path()) }
    }

    func testAsking() throws {
        let (one, _) = try LocalSocketStream.pair()
        try interrupted(.credentials) { XCTAssertEqual(try one.peerCredentials().processID, getpid()) }
        try interrupted(.credentials) { try one.peerProcess().close() }
        try interrupted(.duplicate) { try one.duplicate().close() }
        try interrupted(.option) { try one.setInheritable(false) }
        try interrupted(.option) { try one.shutdown(.send) }
        try interrupted(.option) { XCTAssertNil(try one.takeError()) }
        let descriptor = try one.detach()
        try interrupted(.option) { try LocalSocketStream(adopting: descriptor).close() }
    }

    func testShortTransfersLoseNothing() throws {
        let bytes = (0..<10_000).map { UInt8(truncatingIfNeeded: $0 ^ $0 >> 8) }
        for most in [1, 2, 7, 4095] {
            let times = bytes.count / most - 1
            let (sender, receiver) = try UnnamedPipe.create()
            FaultInjection.inject(.short(most), into: .send, times: times)
            FaultInjection.inject(.short(most), into: .receive, times: times)
            try sender.writeAll(bytes)
            XCTAssertEqual(try receiver.readExactly(5000), Array(bytes[..<5000]))
            sender.close()
            XCTAssertEqual(try receiver.readToEnd(), Array(bytes[5000...]))
            XCTAssertEqual(FaultInjection.clear(), 0)
        }
    }

    func testShortReadsOfLines() throws {
        let (one, other) = try LocalSocketStream.pair()
        try one.writeAll("first\r\n\nthird\nrest")
        one.close()
        FaultInjection.inject(.short(1), into: .receive, times: 14)
        FaultInjection.inject(.result(-Int64(EINTR)), into: .receive, after: 3, times: 5)
        XCTAssertEqual(try other.readLine(), "first")
        XCTAssertEqual(try other.readLine(), "")
        XCTAssertEqual(try other.readLine(), "third")
        XCTAssertEqual(FaultInjection.clear(), 0)
        XCTAssertEqual(try other.readLine(), "rest")
        XCTAssertNil(try other.readLine())
    }

    /// A call in the middle fails: the bytes before it are there, or told of.
    func testFailureInTheMiddle() throws {
        let (one, other) = try LocalSocketStream.pair()
        FaultInjection.inject(.short(3), into: .send)
        FaultInjection.inject(.result(-Int64(ENOBUFS)), into: .send, after: 1)
        let error = assertThrows(.resourcesExhausted, .write) { try one.writeAll("abcdef") }
        XCTAssertEqual(error?.bytesTransferred, 3)

        FaultInjection.clear()
        FaultInjection.inject(.short(2), into: .receive)
        FaultInjection.inject(.result(-Int64(EIO)), into: .receive, after: 1)
        let failure = assertThrows(.system, .read) { try other.readExactly(3) }
        XCTAssertEqual(failure?.bytesTransferred, 2)
        XCTAssertEqual(failure?.systemCode, Int64(EIO))
        XCTAssertEqual(try other.readExactly(3), Array("abc".utf8))
    }
}
#endif
