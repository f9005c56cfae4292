// SPDX-License-Identifier: MIT OR Apache-2.0

import CInterprocess
import Foundation
import XCTest

@testable import Interprocess

/// A loop that cannot start, for want of descriptors or memory.
final class LoopExhaustionTests: InterprocessTestCase {
    /// The shared loop of another process, where nothing has started it yet.
    func testAnAwaitedReadFailsAndTheNextOneWorks() throws {
        let child = try ChildProcess.helper("await-without-descriptors")
        let said = child.readToEnd()
        XCTAssertEqual(said, "error resourcesExhausted\nerror resourcesExhausted\nread 3\n")
        XCTAssertEqual(child.wait(), 0)
    }

    func testJoiningFailsAndWorksLater() async throws {
        let (near, far) = try LocalSocketStream.pair()
        let loop = EventLoop()
        withoutDescriptors {
            for _ in 0..<3 { assertThrows(.resourcesExhausted, .wait) { try near.join(loop) } }
        }
        try near.join(loop)
        let reading = Task { try await near.read(upTo: 1) }
        await waitUntilAwaited(near)
        try send(1, over: far)
        let bytes = try await reading.value
        XCTAssertEqual(bytes, [1])
    }

    func testTasksRunOnTheDefaultPoolMeanwhile() throws {
        let loop = EventLoop()
        let ran = DispatchSemaphore(value: 0)
        let (near, far) = try LocalSocketStream.pair()
        withoutDescriptors {
            Task(executorPreference: loop) {
                for _ in 0..<100 {
                    XCTAssertNil(Reactor.current)
                    await Task.yield()
                }
                try send(5, over: far)
                // What needs no waiting works; waiting needs the shared loop, which runs.
                let bytes = try await near.read(upTo: 1)
                XCTAssertEqual(bytes, [5])
                ran.signal()
            }
            XCTAssertEqual(ran.wait(timeout: .now() + 10), .success)
        }
        // A task that it could not run for a while finds it when it runs.
        Task(executorPreference: loop) {
            XCTAssert(Reactor.current === loop.reactor)
            ran.signal()
        }
        XCTAssertEqual(ran.wait(timeout: .now() + 10), .success)
    }

    #if INTERPROCESS_FAULT_INJECTION
    /// What it was to run, the default pool runs, and the connection belongs to the shared one.
    func testAConnectionOnALoopThatCannotStart() async throws {
        let name = try namespacedName()
        let listener = try LocalSocketListener(name)
        let loop = EventLoop()
        FaultInjection.inject(.result(-Int64(ENOMEM)), into: .wake, times: 1000)
        defer { FaultInjection.clear() }
        try await LocalSocketStream.withConnection(to: name, on: loop) { stream in
            XCTAssertNil(Reactor.current)
            XCTAssert((stream.descriptorCore.attached as? Registration)?.reactor === EventLoop.shared.reactor)
            try send(1, over: stream)
        }
        FaultInjection.clear()
        try await LocalSocketStream.withConnection(to: name, on: loop) { stream in
            XCTAssert(Reactor.current === loop.reactor)
            try send(2, over: stream)
        }
        for byte in UInt8(1)...2 {
            let bytes = try await listener.accept().readToEnd()
            XCTAssertEqual(bytes, [byte])
        }
    }
    #endif
}
