// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// Ends in the hands of children, and awaited on both sides, or on one.
final class UnnamedPipeChildAsyncTests: InterprocessTestCase {
    /// Starts a helper that has an end as its descriptor 5.
    private func child(_ role: String, having end: some DescriptorOwner) throws -> ChildProcess {
        try end.withUnsafeDescriptor { descriptor in
            Result { try ChildProcess.helper(role, "5", keeping: [(descriptor, 5)]) }
        }.get()
    }

    /// What waiting needs is not inherited either.
    func testNothingIsInheritedUnasked() async throws {
        func descriptors() throws -> String? { try ChildProcess.helper("descriptors").readLine() }
        let before = try descriptors()
        let (sender, receiver) = try UnnamedPipe.create()
        let loop = EventLoop()
        let reading = Task(executorPreference: loop) { try await receiver.readLine() }
        await waitUntilAwaited(receiver)
        XCTAssertEqual(try descriptors(), before)
        try await sender.writeAll("x\n")
        try await assertEqual("x") { try await reading.value }
    }

    func testChildSends() async throws {
        try await onEachExecutor {
            for role in ["send", "send-awaited"] {
                let (sender, receiver) = try UnnamedPipe.create()
                let reading = start {
                    var lines: [String] = []
                    for try await line in receiver.lines { lines.append(line) }
                    return lines
                }
                await waitUntilAwaited(receiver)
                let child = try child(role, having: sender)
                sender.close()
                // The end of the child is the end of the stream: nobody else has the sender.
                try await assertEqual(["from the child \(child.pid)"]) { try await reading.value }
                XCTAssertEqual(child.wait(), 0)
            }
        }
    }

    func testChildReceives() async throws {
        try await onEachExecutor {
            for role in ["receive", "receive-awaited"] {
                let (sender, receiver) = try UnnamedPipe.create()
                let child = try child(role, having: receiver)
                receiver.close()
                let long = String(repeating: "long", count: 200_000)
                for line in ["one", "two", long] {
                    try await sender.writeAll(line + "\n")
                    XCTAssertEqual(child.readLine(), "got \(line)")
                }
                sender.close()
                XCTAssertEqual(child.readLine(), "end")
                XCTAssertEqual(child.wait(), 0)
            }
        }
    }

    func testChildThatDiesIsTheEnd() async throws {
        try await onEachExecutor {
            let (toChild, childReceives) = try UnnamedPipe.create()
            let child = try child("receive-awaited", having: childReceives)
            childReceives.close()
            try await toChild.writeAll("before\n")
            XCTAssertEqual(child.readLine(), "got before")
            child.kill(SIGSTOP)
            // One thread takes the signal; until it has run, the others go on.
            var status: Int32 = 0
            XCTAssertEqual(waitpid(child.pid, &status, WUNTRACED), child.pid)
            let writing = start { try await toChild.writeAll([UInt8](repeating: 0x78, count: 1 << 20)) }
            await waitUntilAwaited(toChild)
            child.kill()
            let error = await assertThrows(.brokenPipe, .write) { try await writing.value }
            XCTAssertGreaterThan(error?.bytesTransferred ?? 0, 0)
            XCTAssertEqual(child.wait(), -SIGKILL)
        }
    }
}
