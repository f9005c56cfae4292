// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// What programs inherit that are started while tasks await something: nothing; and what they leave alone when they
/// end.
final class InheritanceAsyncTests: InterprocessTestCase {
    func testNothingIsInherited() throws {
        let before = try ChildProcess.helper("descriptors")
        let baseline = try XCTUnwrap(before.readLine())

        // Everything that can be awaited, at once, on the shared loop and on one of its own.
        for executor in [nil, EventLoop.shared, EventLoop()] as [(any TaskExecutor)?] {
            let listener = try LocalSocketListener(try namespacedName())
            let (one, other) = try LocalSocketStream.pair()
            _ = try fill(one)
            let adopted = try LocalSocketStream(adopting: try other.detach())
            let pipe = try UnnamedPipe.create()
            let fifo = path("fifo-\(UInt32.random(in: 0...UInt32.max))")
            try FIFOFile.create(at: fifo)
            let started = Counter()
            func run(_ body: @escaping @Sendable () async throws -> Void) -> RunningTask<Void> {
                RunningTask(on: executor) {
                    started.increment()
                    try await body()
                }
            }
            let tasks = [
                run { _ = try await listener.accept() },
                run { _ = try await one.read(upTo: 1) },
                run { try await one.writeAll("x") },
                run { _ = try await adopted.duplicate().readExactly(1 << 30) },
                run { _ = try await pipe.receiver.readLine() },
                run { try await pipe.sender.writeAll([UInt8](repeating: 1, count: 1 << 20)) },
                run { _ = try await FIFOFile.openReceiver(at: fifo) },
            ]
            XCTAssertTrue(started.wait(for: tasks.count))
            for _ in 0..<5 { try ChildProcess.helper("descriptors").expect(baseline) }
            for task in tasks { task.cancel() }
            for task in tasks { _ = try? task.value() }
        }
    }

    /// There is no moment at which a descriptor could be inherited.
    func testNothingIsInheritedAtAnyTime() throws {
        let before = try ChildProcess.helper("descriptors")
        let baseline = try XCTUnwrap(before.readLine())
        let (name, flag) = (try namespacedName(), StopFlag())
        let listener = try LocalSocketListener(name)
        let server = RunningTask(on: EventLoop.shared) {
            while let stream = try? await listener.accept() { _ = try? await stream.readLine() }
        }
        let clients = Self.executors.map { executor in
            RunningTask(on: executor) {
                while !flag.isSet {
                    // A loop, a connection, a duplicate, a process and a pipe: with what is made for waiting.
                    try await LocalSocketStream.withConnection(to: name, on: EventLoop()) { stream in
                        let copy = try await stream.duplicate()
                        _ = try await copy.peerProcess()
                        _ = try? await UnnamedPipe.create().receiver.read(upTo: 1, timeout: .zero)
                        try await copy.writeAll("x\n")
                    }
                }
            }
        }
        for _ in 0..<40 { try ChildProcess.helper("descriptors").expect(baseline) }
        flag.set()
        for client in clients { try client.value() }
        listener.close()
        try server.value()
    }

    /// One that a child was given is awaited here and there, and closed here, without disturbing the child.
    func testGivenToOneChild() throws {
        for executor in Self.executors {
            let (one, other) = try LocalSocketStream.pair()
            let reader = RunningTask(on: executor) { try await one.read(upTo: 1) }
            waitUntilAwaited(one)
            let child = try one.withUnsafeDescriptor { descriptor in
                Result { try ChildProcess.helper("talk-over", "7", keeping: [(from: descriptor, to: 7)]) }
            }.get()
            one.close()
            assertThrows(.closed) { try reader.value() }
            let line = RunningTask(on: executor) {
                try await other.writeAll("hello\n")
                return try await other.readLine()
            }
            XCTAssertEqual(try line.value(), "child: hello")
            other.close()
            XCTAssertEqual(child.wait(), 0)
        }
    }
}

/// A program ends when it is told to, whatever its tasks still wait for.
final class ProcessExitTests: InterprocessTestCase {
    func testWithThousandsOfWaiters() throws {
        for ending in ["return", "task", "loop"] {
            let child = try ChildProcess.helper("exit-awaiting", "4000", ending)
            child.expect("waiting 4000")
            XCTAssertEqual(child.readLine(), nil)
            XCTAssertEqual(child.wait(), ending == "return" ? 0 : 7, ending)
        }
    }

    func testKilled() throws {
        let child = try ChildProcess.helper("exit-awaiting", "4000", "never")
        child.expect("waiting 4000")
        child.crash()
    }
}
