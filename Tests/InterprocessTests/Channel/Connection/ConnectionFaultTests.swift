// SPDX-License-Identifier: MIT OR Apache-2.0

#if INTERPROCESS_FAULT_INJECTION && !canImport(Darwin)
import Foundation
import XCTest

@testable import Interprocess

/// System calls that come up short, are interrupted, or fail.
final class ConnectionFaultTests: InterprocessTestCase {
    private struct Parcel: Codable, Sendable {
        var files: [IPCDescriptor]
        var bytes: [UInt8]
    }

    override func tearDownWithError() throws {
        FaultInjection.clear()
        try super.tearDownWithError()
    }

    /// Wherever a frame is cut, the rest of it follows, and descriptors belong to their own.
    func testCallsThatComeUpShort() throws {
        let file = try IPCDescriptor(adopting: dup(0))
        for most in [1, 2, 15, 16, 17, 23, 24, 25, 997] {
            let (one, other) = try IPCConnection<Parcel, Parcel>.pair()
            FaultInjection.inject(.short(most), into: .message, times: 3000)
            FaultInjection.inject(.short(most), into: .send, times: 3000)
            let sending = Running {
                for (count, size) in [(0, 0), (3, 5), (1, 300), (0, 70_000), (2, 70_000), (1, 1)] {
                    try one.send(Parcel(files: Array(repeating: file, count: count), bytes: pattern(size)))
                }
            }
            for (count, size) in [(0, 0), (3, 5), (1, 300), (0, 70_000), (2, 70_000), (1, 1)] {
                let parcel = try other.receive(timeout: .seconds(20))
                XCTAssertEqual(parcel.files.count, count, "\(most)")
                XCTAssertEqual(parcel.bytes, pattern(size), "\(most)")
            }
            try sending.value()
            FaultInjection.clear()
        }
    }

    func testInterruptedCalls() throws {
        let (one, other) = try IPCConnection<String, String>.pair()
        FaultInjection.inject(.result(-Int64(EINTR)), into: .message, times: 5)
        try one.send("x")
        FaultInjection.inject(.result(-Int64(EINTR)), into: .message, times: 5)
        XCTAssertEqual(try other.receive(), "x")
        XCTAssertEqual(FaultInjection.clear(), 0)
    }

    /// A frame that the kernel does not take for want of something is not sent, and others are.
    func testAnErrorOfOneFrame() throws {
        let (one, other) = try IPCConnection<String, String>.pair()
        FaultInjection.inject(.result(-Int64(ENOBUFS)), into: .message)
        assertThrows(.resourcesExhausted) { try one.send("lost") }
        try one.send("x")
        XCTAssertEqual(try other.receive(), "x")
        FaultInjection.inject(.result(-Int64(ENOMEM)), into: .message)
        assertThrows(.resourcesExhausted) { try other.receive() }
        try one.send("y")
        XCTAssertEqual(try other.receive(), "y")
    }

    /// A frame of which the kernel has a part goes, sooner or later: nobody is told that it does not.
    func testAnErrorWithinAFrame() throws {
        for size in [100, 100_000] {
            for times in [1, 2, 3, 20] {
                let (one, other) = try IPCConnection<[UInt8], [UInt8]>.pair()
                FaultInjection.inject(.short(30), into: .message)
                FaultInjection.inject(.result(-Int64(ENOBUFS)), into: .send, times: times)
                // Of a large one, what is missing may be a part that has not begun.
                do throws(IPCError) {
                    try one.send(pattern(size))
                    XCTAssertEqual(try other.receive(timeout: .seconds(20)), pattern(size))
                } catch {
                    XCTAssertEqual(size, 100_000)
                    XCTAssertEqual(error.code, .resourcesExhausted)
                    FaultInjection.clear()
                    try one.send([1])
                    XCTAssertEqual(try other.receive(timeout: .seconds(20)), [1])
                }
                FaultInjection.clear()
                try one.send(pattern(100_000))
                XCTAssertEqual(try other.receive(timeout: .seconds(20)), pattern(100_000))
            }
        }
    }

    /// What is on its way goes, also where the system has no memory for it when its turn comes.
    func testWantOfMemoryPasses() throws {
        let (one, other) = try IPCConnection<String, String>.pair()
        // The rest of a message of which the kernel has taken the beginning.
        FaultInjection.inject(.short(3), into: .message)
        FaultInjection.inject(.result(-Int64(ENOBUFS)), into: .send, times: 4)
        try one.send("x")
        XCTAssertEqual(try FaultInjection.sparing { try other.receive(timeout: .seconds(20)) }, "x")
        // What a task on the loop's thread has sent in its turn, with nobody who waits for it.
        FaultInjection.inject(.result(-Int64(ENOMEM)), into: .send, times: 3)
        try RunningTask(on: EventLoop.shared) {
            await Task.yield()
            try await one.send("y")
        }.value()
        XCTAssertEqual(try other.receive(timeout: .seconds(20)), "y")
        XCTAssertEqual(FaultInjection.clear(), 0)
        // The same with a connection that is closed then.
        FaultInjection.inject(.result(-Int64(ENOBUFS)), into: .send, times: 3)
        try RunningTask(on: EventLoop.shared) {
            await Task.yield()
            try await one.send("z")
            one.close()
        }.value()
        XCTAssertEqual(try other.receive(timeout: .seconds(20)), "z")
        XCTAssertEqual(FaultInjection.clear(), 0)
        assertThrows(.disconnected) { try other.receive(timeout: .seconds(20)) }
    }
}
#endif
