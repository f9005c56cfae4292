// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

/// What becomes of children, awaited and forgotten, and of what they inherit.
final class SpawnedLifeTests: InterprocessTestCase {
    func testAwaiting() async throws {
        try await onEachExecutor {
            let child = try SpawnTests.spawn("echo-to-parent")
            let handle = child.handle
            let waiting = [start { try await child.wait() }, start { try await child.wait() }]
            let cancelled = start { try await child.wait() }
            while (handle.core.attached as? Registration)?.waiterCount != 3 { await Task.yield() }
            cancelled.cancel()
            await assertThrows(.cancelled) { try await cancelled.value }
            await assertThrows(.timedOut) { try await child.wait(timeout: .milliseconds(1)) }
            try await child.stream.writeAll("hello\n")
            try await assertEqual("hello") { try await child.stream.readLine() }
            try child.kill()
            for task in waiting { try await assertEqual(.killed(.kill)) { try await task.value } }
            try await assertEqual(nil) { try await child.stream.readLine() }
            try await assertEqual(.killed(.kill)) { try await child.wait(timeout: .zero) }
        }
    }

    /// Also on the loop's thread, which has signals blocked: the child has not.
    func testStartedOnTheLoop() async throws {
        try await withTaskExecutorPreference(EventLoop.shared) {
            await Task.yield()
            let child = try SpawnTests.spawn("describe-child")
            var lines: [String] = []
            while let line = try await child.stream.readLine() { lines.append(line) }
            XCTAssertTrue(lines.contains("blocked 0"), "\(lines)")
            try await assertEqual(.exited(0)) { try await child.wait() }
        }
    }

    /// One that nobody waits for leaves nothing behind, when it has ended and when it ends later.
    func testForgotten() throws {
        var ended: IPCChild? = try SpawnTests.spawn("exit", "0")
        let first = try XCTUnwrap(ended).processIdentifier
        _ = try ended?.stream.readLine()
        ended = nil
        let second = try SpawnTests.spawn("echo-to-parent").processIdentifier
        for process in [first, second] { eventually("no process is left") { kill(process, 0) != 0 } }
        XCTAssertLessThanOrEqual(waitpid(-1, nil, WNOHANG), 0)
    }

    /// Only the connection is needed.
    func testTheConnectionOutlivesTheObject() throws {
        let stream = try SpawnTests.spawn("echo-to-parent").stream
        try stream.writeAll("hello\n")
        XCTAssertEqual(try stream.readLine(), "hello")
    }

    func testOthersMayWaitForAllChildren() throws {
        let child = try SpawnTests.spawn("exit", "3")
        XCTAssertEqual(waitpid(child.processIdentifier, nil, 0), child.processIdentifier)
        XCTAssertEqual(try child.wait(), .unknown)
        XCTAssertFalse(try child.wait().isSuccess)
        try child.terminate()
    }

    /// It takes nobody else's child: that has still to be waited for by who has started it.
    func testNoOtherChildIsTaken() throws {
        let other = try ChildProcess.helper("exit", "5")
        let child = try SpawnTests.spawn("exit", "4")
        XCTAssertEqual(try child.wait(), .exited(4))
        XCTAssertEqual(other.wait(), 5)
    }

    func testTheConnectionIsHandedOnUntilItIsTaken() throws {
        let helper = try ChildProcess.path(ofBuilt: "test-helper")
        let child = try IPCChild.spawn("sh", arguments: ["-c", "\"$0\" echo-to-parent; exit 9", helper])
        try child.stream.writeAll("hello\n")
        XCTAssertEqual(try child.stream.readLine(), "hello")
        // The shell has it too.
        try child.stream.shutdown(.send)
        XCTAssertEqual(try child.wait(), .exited(9))

        let (sender, receiver) = try UnnamedPipe.create()
        var options = IPCChild.Options()
        options.output = .descriptor(sender)
        let replaced = try SpawnTests.spawn("replace-child", options: options)
        XCTAssertEqual(try replaced.stream.readLine(), "taken")
        XCTAssertNil(try replaced.stream.readLine())
        XCTAssertEqual(try receiver.readLine(), "notFound")
        XCTAssertEqual(try replaced.wait(), .exited(0))
    }

    func testWhatIsNoInheritedConnection() throws {
        assertThrows(.notFound, .adopt) { try IPCChild.inheritedStream() }
        let (one, other) = try LocalSocketStream.pair()
        let number = try one.withUnsafeDescriptor { $0 }
        let identity = try XCTUnwrap(ChildBackend.identity(of: Int64(number)))
        let values = [
            "": "invalidArgument", "3": "invalidArgument", "3:": "invalidArgument", "-1:1": "invalidArgument",
            "3:1:1": "invalidArgument", "99999999999999999999:1": "invalidArgument", "\(1 << 40):1": "invalidArgument",
            "7:\(identity &+ 1)": "notFound", "8:\(identity)": "notFound", "0:0": "notFound", "7:\(identity)": "taken",
        ]
        for (value, outcome) in values {
            let child = try ChildProcess.built(
                "test-helper",
                ["take-inherited"],
                keeping: [(number, 7)],
                environment: ["INTERPROCESS_CHANNEL": value]
            )
            XCTAssertEqual(child.readLine(), outcome, value)
            child.wait()
        }
        withExtendedLifetime(other) {}
    }
}
