// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

/// A connection for the time of a closure, on an event loop's thread.
final class WithConnectionTests: InterprocessTestCase {
    private struct Unexpected: Error, Equatable { var number: Int }

    func testReturnsAndCloses() async throws {
        for name in try bothNames() {
            let listener = try LocalSocketListener(name)
            let stream = try await LocalSocketStream.withConnection(to: name) { stream in
                try await stream.writeAll("hello\n")
                return stream
            }
            XCTAssertTrue(stream.isClosed)
            let server = try await listener.accept()
            try await assertEqual("hello") { try await server.readLine() }
            try await assertEqual(nil) { try await server.readLine() }
        }
    }

    func testThrowsAndCloses() async throws {
        for name in try bothNames() {
            let listener = try LocalSocketListener(name)
            do {
                try await LocalSocketStream.withConnection(to: name) { _ in throw Unexpected(number: 7) }
                XCTFail("no error")
            } catch let error as Unexpected { XCTAssertEqual(error.number, 7) }
            try await assertEqual([]) { try await listener.accept().read(upTo: 1) }
        }
    }

    func testErrorsOfConnecting() async throws {
        let name = try uniquePathName()
        let body: @Sendable (LocalSocketStream) async throws -> Void = { _ in XCTFail("there is no connection") }
        let loop = EventLoop()
        await assertThrows(.notFound, .connect) { try await LocalSocketStream.withConnection(to: name, body) }
        await assertThrows(.notFound, .connect) { try await LocalSocketStream.withConnection(to: name, on: loop, body) }
        await assertThrows(.connectionRefused, .connect) {
            try await LocalSocketStream.withConnection(to: namespacedName(), on: loop, body)
        }
        let (listener, waiting) = try fullListener(name)
        let options = self.waiting(.timeout(.milliseconds(20)))
        await assertThrows(.timedOut, .connect) {
            try await LocalSocketStream.withConnection(to: name, options: options, body)
        }
        listener.close()
        waiting.close()
    }

    @MainActor
    func testRunsOnTheLoopsThread() async throws {
        let name = try uniquePathName()
        let listener = try LocalSocketListener(name)
        for loop in [EventLoop.shared, EventLoop()] {
            try await LocalSocketStream.withConnection(to: name, on: loop) { stream in
                XCTAssertTrue(Reactor.current === loop.reactor)
                let server = try await listener.accept()
                // There it stays: after it was suspended, in a child task, and though the listener is of another loop.
                try await Task.sleep(for: .milliseconds(1))
                XCTAssertTrue(Reactor.current === loop.reactor)
                async let line = {
                    XCTAssertTrue(Reactor.current === loop.reactor)
                    return try await stream.readLine()
                }()
                try await server.writeAll("x\n")
                let received = try await line
                XCTAssertEqual(received, "x")
                XCTAssertTrue(Reactor.current === loop.reactor)
                XCTAssertTrue((stream.descriptorCore.attached as? Registration)?.reactor === loop.reactor)
            }
        }
    }

    /// Where no loop is named, that of the calling task is taken; one that is named comes first, also there.
    func testLoopOfTheCaller() async throws {
        let name = try pathName()
        let listener = try LocalSocketListener(name)
        let (outer, inner) = (EventLoop(), EventLoop())
        try await on(outer) {
            XCTAssertTrue(Reactor.current === outer.reactor)
            let loops: [(EventLoop?, EventLoop)] = [(nil, outer), (inner, inner), (outer, outer)]
            for (loop, expected) in loops {
                try await LocalSocketStream.withConnection(to: name, on: loop) { stream in
                    XCTAssertTrue(Reactor.current === expected.reactor)
                    let server = try await listener.accept()
                    try await server.writeAll("x\n")
                    try await assertEqual("x") { try await stream.readLine() }
                    XCTAssertTrue(Reactor.current === expected.reactor)
                    XCTAssertTrue((stream.descriptorCore.attached as? Registration)?.reactor === expected.reactor)
                }
                await Task.yield()
                XCTAssertTrue(Reactor.current === outer.reactor)
            }
        }
    }

    /// On another loop it is as well ended by cancelling, and whatever it throws comes out.
    func testCancellingOnItsOwnLoop() async throws {
        let name = try namespacedName()
        let listener = try LocalSocketListener(name)
        let loop = EventLoop()
        for executor in Self.executors {
            let connection = RunningTask(on: executor) {
                try await LocalSocketStream.withConnection(to: name, on: loop) { stream in
                    do { _ = try await stream.readLine() } catch {
                        XCTAssertEqual((error as? IPCError)?.code, .cancelled)
                        throw Unexpected(number: 3)
                    }
                }
            }
            let server = try await listener.accept()
            while loop.reactor.waiterCount == 0 { await Task.yield() }
            connection.cancel()
            do {
                try await connection.value()
                XCTFail("no error")
            } catch let error as Unexpected { XCTAssertEqual(error.number, 3) }
            try await assertEqual([]) { try await server.read(upTo: 1) }
        }
    }

    func testCancellingWhileConnecting() async throws {
        let name = try uniquePathName()
        let (listener, waiting) = try fullListener(name)
        let connecting = RunningTask {
            try await LocalSocketStream.withConnection(to: name) { _ in XCTFail("there is no connection") }
        }
        await waitUntilAwaited()
        connecting.cancel()
        await assertThrows(.cancelled, .connect) { try await connecting.value() }
        listener.close()
        waiting.close()
    }

    /// Whatever the body awaits of the connection ends, be it the first wait or a later one, in it or in a child task.
    func testCancellingEndsTheBody() async throws {
        let name = try namespacedName()
        let listener = try LocalSocketListener(name)
        let bodies: [@Sendable (LocalSocketStream) async throws -> Void] = [
            { _ = try await $0.read(upTo: 1) },
            { _ = try await $0.readLine() },
            { try await $0.writeAll([UInt8](repeating: 1, count: 8 << 20)) },
            { for try await _ in $0.lines {} },
            { _ = try await $0.split().receiver.readExactly(1) },
            { _ = try await $0.duplicate().readExactly(1) },
            { stream in
                async let bytes = stream.readExactly(1)
                _ = try await bytes
            },
            { stream in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<3 { group.addTask { _ = try await stream.readLine() } }
                    try await group.waitForAll()
                }
            },
            { stream in
                // What is caught is thrown again by the next call.
                _ = try? await stream.read(upTo: 1)
                _ = try await stream.read(upTo: 1, timeout: .seconds(25))
            },
        ]
        for body in bodies {
            for echoes in [0, 1, 10] {
                let bodyHasBegun = StopFlag()
                let connection = RunningTask {
                    try await LocalSocketStream.withConnection(to: name) { stream in
                        for _ in 0..<echoes {
                            try await stream.writeAll([1])
                            _ = try await stream.readExactly(1)
                        }
                        bodyHasBegun.set()
                        try await body(stream)
                    }
                }
                let server = try await listener.accept()
                for _ in 0..<echoes {
                    let bytes = try await server.readExactly(1)
                    try await server.writeAll(bytes)
                }
                while !bodyHasBegun.isSet || EventLoop.shared.reactor.waiterCount == 0 { await Task.yield() }
                connection.cancel()
                await assertThrows(.cancelled) { try await connection.value() }
                while try await !server.read(upTo: 1 << 20).isEmpty {}
            }
        }
    }

    /// Cancelling at any moment ends it, and every other connection goes on.
    func testCancellingAtAnyMoment() async throws {
        let name = try uniquePathName()
        let listener = try LocalSocketListener(name)
        let server = RunningTask(on: EventLoop.shared) {
            try await withThrowingTaskGroup(of: Void.self) { group in
                while let stream = try? await listener.accept() {
                    group.addTask {
                        while let line = try? await stream.readLine() { try? await stream.writeAll(line + "\n") }
                    }
                }
                try await group.waitForAll()
            }
        }
        let steady = try await LocalSocketStream.connect(to: name)
        for round in 0..<300 {
            let connection = RunningTask {
                try await LocalSocketStream.withConnection(to: name) { stream in
                    while true {
                        try await stream.writeAll("line\n")
                        guard try await stream.readLine() == "line" else { throw Unexpected(number: round) }
                    }
                }
            }
            for _ in 0..<round { await Task.yield() }
            connection.cancel()
            await assertThrows(.cancelled) { try await connection.value() }
            try await steady.writeAll("\(round)\n")
            try await assertEqual("\(round)") { try await steady.readLine() }
        }
        steady.close()
        listener.close()
        try await server.value()
    }
}
