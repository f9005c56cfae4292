// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

/// Programs that are started with a connection.
final class SpawnTests: InterprocessTestCase {
    static func spawn(_ arguments: String..., options: IPCChild.Options = .init()) throws -> IPCChild {
        try IPCChild.spawn(ChildProcess.path(ofBuilt: "test-helper"), arguments: arguments, options: options)
    }

    func testConversation() throws {
        let child = try Self.spawn("echo-to-parent")
        XCTAssertTrue(child.isRunning)
        try child.stream.writeAll("hello\n")
        XCTAssertEqual(try child.stream.readLine(), "hello")
        XCTAssertEqual(try child.stream.peerCredentials().userID, geteuid())
        assertThrows(.timedOut) { try child.wait(timeout: .milliseconds(1)) }
        child.stream.close()
        XCTAssertEqual(try child.wait(), .exited(0))
        XCTAssertFalse(child.isRunning)
        XCTAssertTrue(try child.wait().isSuccess)
        // Its number may be somebody else's by now: nothing is sent.
        try child.kill()
    }

    func testExitStatuses() throws {
        for status in [0, 1, 7, 255] as [Int32] {
            let child = try Self.spawn("exit", "\(status)")
            XCTAssertEqual(try child.wait(), .exited(status))
            XCTAssertEqual(try child.wait().isSuccess, status == 0)
            XCTAssertNil(try child.stream.readLine())
        }
    }

    func testEndsAreToldAtOnce() throws {
        let killed = try Self.spawn("echo-to-parent")
        try killed.stream.writeAll("1\n")
        XCTAssertEqual(try killed.stream.readLine(), "1")
        let reading = Running { try killed.stream.readLine() }
        let waiting = Running { try killed.wait() }
        reading.waitUntilBlocked()
        waiting.waitUntilBlocked()
        try killed.kill()
        XCTAssertNil(try reading.value())
        XCTAssertEqual(try waiting.value(), .killed(.kill))
        let asked = try Self.spawn("echo-to-parent")
        try asked.terminate()
        XCTAssertEqual(try asked.wait(), .killed(.terminate))
        XCTAssertNil(try asked.stream.readLine())
    }

    /// Nothing but what it is to have, however many descriptors are open here and may be inherited.
    func testNothingElseIsInherited() throws {
        let (inheritable, other) = try LocalSocketStream.pair()
        try inheritable.setInheritable(true)
        // As threads of the event loop do, which nobody could end otherwise.
        var (usual, foreign) = (sigset_t(), sigset_t())
        sigfillset(&foreign)
        pthread_sigmask(SIG_BLOCK, &foreign, &usual)
        let before = signal(SIGUSR1, SIG_IGN)
        defer {
            pthread_sigmask(SIG_SETMASK, &usual, nil)
            signal(SIGUSR1, before)
        }
        var options = IPCChild.Options()
        options.environment["TEST_ADDED"] = "a=b"
        for isWhole in [true, false] {
            options.inheritsEnvironment = isWhole
            let child = try Self.spawn("describe-child", "a b", "\"c", "", options: options)
            XCTAssertEqual(try child.stream.readLine(), "open 0 1 2 3")
            XCTAssertEqual(try child.stream.readLine(), "connection 3")
            XCTAssertEqual(try child.stream.readLine(), "close-on-exec true")
            XCTAssertEqual(try child.stream.readLine(), "blocked 0")
            XCTAssertEqual(try child.stream.readLine(), "ignored []")
            XCTAssertEqual(try child.stream.readLine(), "again endpointMoved")
            XCTAssertEqual(try child.stream.readLine(), "variables a=b \(isWhole ? "PATH" : "-")")
            XCTAssertEqual(try child.stream.readLine(), "arguments a b|\"c|")
            XCTAssertEqual(try child.wait(), .exited(0))
        }
        withExtendedLifetime(other) {}
    }

    func testStandardStreams() throws {
        let (input, output, errors) = (try UnnamedPipe.create(), try UnnamedPipe.create(), try UnnamedPipe.create())
        var options = IPCChild.Options()
        options.input = .descriptor(input.receiver)
        options.output = .descriptor(output.sender)
        options.errors = .descriptor(errors.sender)
        let child = try IPCChild.spawn("sh", arguments: ["-c", "tr a-z A-Z; echo no >&2"], options: options)
        for end in [input.receiver, output.sender, errors.sender] as [any DescriptorOwner] {
            XCTAssertFalse(end.isClosed)
        }
        input.receiver.close()
        output.sender.close()
        errors.sender.close()
        try input.sender.writeAll("hello\n")
        input.sender.close()
        XCTAssertEqual(try output.receiver.readToEnd(), Array("HELLO\n".utf8))
        XCTAssertEqual(try errors.receiver.readToEnd(), Array("no\n".utf8))
        XCTAssertEqual(try child.wait(), .exited(0))
        assertThrows(.closed) { try IPCChild.spawn("sh", options: options) }
    }

    func testNullStreams() throws {
        let (sender, receiver) = try UnnamedPipe.create()
        var options = IPCChild.Options()
        options.input = .null
        options.output = .null
        options.errors = .descriptor(sender)
        let child = try IPCChild.spawn("sh", arguments: ["-c", "echo lost; wc -c >&2"], options: options)
        sender.close()
        XCTAssertEqual(try receiver.readLine()?.filter { $0 != " " }, "0")
        XCTAssertEqual(try child.wait(), .exited(0))
    }

    func testWhatCannotBeStarted() throws {
        let before = OpenDescriptors.all()
        assertThrows(.notFound, .spawn) { try IPCChild.spawn(path("none")) }
        assertThrows(.notFound, .spawn) { try IPCChild.spawn("interprocess-has-no-such-program") }
        try "not a program".write(toFile: path("text"), atomically: false, encoding: .utf8)
        assertThrows(.permissionDenied, .spawn) { try IPCChild.spawn(path("text")) }
        chmod(path("text"), 0o700)
        assertThrows(.invalidArgument, .spawn) { try IPCChild.spawn(path("text")) }
        assertThrows(.invalidArgument, .spawn) { try IPCChild.spawn("sh", arguments: ["a\0b"]) }
        var options = IPCChild.Options()
        for name in ["", "A=B", "A\0"] {
            options.environment = [name: ""]
            assertThrows(.invalidArgument, .spawn) { try IPCChild.spawn("sh", options: options) }
        }
        let much = String(repeating: "x", count: 4 << 20)
        assertThrows(.messageTooLarge, .spawn) { try IPCChild.spawn("sh", arguments: [much]) }
        XCTAssertEqual(OpenDescriptors.all(), before)
    }

    func testFaults() throws {
        let before = OpenDescriptors.all()
        withoutDescriptors { _ = assertThrows(.resourcesExhausted) { try Self.spawn("exit", "0") } }
        // At each descriptor that it takes; the last time it runs already, and is ended.
        for taken in 0..<3 {
            let (call, skip) = [(System.Call.socket, 0), (.process, 0), (.process, 1)][taken]
            FaultInjection.inject(.result(-Int64(EMFILE)), into: call, after: skip)
            defer { FaultInjection.clear() }
            assertThrows(.resourcesExhausted) { try Self.spawn("echo-to-parent") }
        }
        FaultInjection.inject(.result(-Int64(ENOSYS)), into: .process)
        defer { FaultInjection.clear() }
        assertThrows(.unsupported, .spawn) { try Self.spawn("exit", "0") }
        XCTAssertEqual(OpenDescriptors.all(), before)
        // Nothing is left to wait for.
        XCTAssertLessThanOrEqual(waitpid(-1, nil, WNOHANG), 0)
    }

    func testManyAtOnce() throws {
        let children = try (0..<50).map { _ in try Self.spawn("echo-to-parent") }
        for (number, child) in children.enumerated() { try child.stream.writeAll("\(number)\n") }
        for (number, child) in children.enumerated() { XCTAssertEqual(try child.stream.readLine(), "\(number)") }
        XCTAssertEqual(Set(children.map(\.processIdentifier)).count, 50)
        // No child holds the connection of another one.
        for child in children {
            child.stream.close()
            XCTAssertEqual(try child.wait(), .exited(0))
        }
    }
}
