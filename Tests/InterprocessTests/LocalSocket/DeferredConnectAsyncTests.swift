// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// Streams that are connected by the first awaited call that needs it.
final class DeferredConnectAsyncTests: InterprocessTestCase {
    /// What such a call does, and says of it.
    private typealias Call = @Sendable (LocalSocketStream) async throws -> String

    /// Every call that needs the connection, without what it needs of the peer.
    private let calls: [(name: String, call: Call)] = [
        ("write", { "\(try await $0.write([1]))" }),
        ("writeAll", { "\(try await $0.writeAll("text"))" }),
        ("sender", { "\(try await $0.split().sender.writeAll("text"))" }),
        ("read", { "\(try await $0.read(upTo: 9).count)" }),
        ("readExactly", { "\(try await $0.readExactly(5).count)" }),
        ("readLine", { try await $0.readLine() ?? "none" }),
        ("receiver", { try await $0.split().receiver.readLine() ?? "none" }),
        ("peerCredentials", { "\(try await $0.peerCredentials().isCurrentUser)" }),
        ("peerProcess", { "\(try await $0.peerProcess().isRunning)" }),
        ("shutdown", { "\(try await $0.shutdown(.send))" }),
        ("duplicate", { "\(try await $0.duplicate().isClosed)" }),
        ("detach", { "\(close(try await $0.detach()))" }),
    ]

    private func connectLater(_ name: LocalSocketName) throws -> LocalSocketStream {
        try LocalSocketStream.connect(to: name, options: waiting(.deferred))
    }

    func testConnectsAtOnceWhereThereIsRoom() async throws {
        for (name, executor) in try eachNameAndExecutor() {
            let listener = try LocalSocketListener(name)
            let options = waiting(.deferred)
            let stream = try await on(executor) { try await LocalSocketStream.connect(to: name, options: options) }
            let server = try await listener.accept(timeout: .zero)
            try await stream.writeAll("x\n")
            try await assertEqual("x") { try await server.readLine() }
            let reader = RunningTask(on: executor) { try await stream.readLine() }
            await waitUntilAwaited(stream)
            try await server.writeAll("y\n")
            try await assertEqual("y") { try await reader.value() }
        }
    }

    func testNoServerIsToldAtOnce() async throws {
        let options = waiting(.deferred)
        let (path, namespaced) = (try uniquePathName(), try namespacedName())
        await assertThrows(.notFound, .connect) { try await LocalSocketStream.connect(to: path, options: options) }
        await assertThrows(.connectionRefused, .connect) {
            try await LocalSocketStream.connect(to: namespaced, options: options)
        }
    }

    func testFirstCallWaits() async throws {
        for (kind, call) in calls {
            for (name, executor) in try eachNameAndExecutor() {
                let (listener, waiting) = try fullListener(name)
                let stream = try connectLater(name)
                let first = RunningTask(on: executor) { try await call(stream) }
                await waitUntilAwaited()
                XCTAssertFalse(first.hasEnded, kind)
                _ = try await listener.accept()
                let server = try await listener.accept(timeout: .seconds(10))
                // One that has ended needs no answer.
                try? await server.writeAll("word\n")
                let result = try await first.value()
                XCTAssertTrue(["1", "()", "5", "word", "true", "false", "0"].contains(result), "\(kind): \(result)")
                waiting.close()
            }
        }
    }

    func testFirstCallIsCancelled() async throws {
        for (kind, call) in calls {
            for executor in Self.executors {
                let name = try namespacedName()
                let (listener, waiting) = try fullListener(name)
                let stream = try connectLater(name)
                let first = RunningTask(on: executor) { try await call(stream) }
                await waitUntilAwaited()
                first.cancel()
                let error = await assertThrows(.cancelled, .connect) { try await first.value() }
                XCTAssertEqual(error?.name, name.description, kind)
                // Nothing is lost by it: with room it connects, and another call does the same.
                _ = try await listener.accept()
                let second = RunningTask(on: executor) { try await call(stream) }
                let server = try await listener.accept(timeout: .seconds(10))
                try? await server.writeAll("word\n")
                _ = try await second.value()
                waiting.close()
            }
        }
    }

    func testFirstCallIsClosed() async throws {
        for (kind, call) in calls {
            for executor in Self.executors {
                let name = try uniquePathName()
                let (listener, waiting) = try fullListener(name)
                let stream = try connectLater(name)
                let first = RunningTask(on: executor) { try await call(stream) }
                await waitUntilAwaited()
                stream.close()
                await assertThrows(.closed) { try await first.value() }
                _ = try await listener.accept()
                await assertThrows(.timedOut) { try await listener.accept(timeout: .zero) }
                XCTAssertTrue(stream.isClosed, kind)
                waiting.close()
            }
        }
    }

    func testTimesOut() async throws {
        for executor in Self.executors {
            let name = try uniquePathName()
            let (listener, waiting) = try fullListener(name)
            let stream = try connectLater(name)
            stream.receiveTimeout = .milliseconds(30)
            stream.sendTimeout = .milliseconds(30)
            for (_, call) in calls {
                let start = ContinuousClock.now
                await assertThrows(.timedOut, .connect) { try await on(executor) { try await call(stream) } }
                XCTAssertGreaterThanOrEqual(ContinuousClock.now - start, .milliseconds(30))
            }
            _ = try await listener.accept()
            try await on(executor) { try await stream.writeAll("x\n") }
            try await assertEqual("x") { try await listener.accept().readLine() }
            waiting.close()
        }
    }

    func testServerThatEndsMeanwhileIsToldByTheNextCall() async throws {
        for (name, executor) in try eachNameAndExecutor() {
            let (listener, waiting) = try fullListener(name)
            let stream = try connectLater(name)
            let writer = RunningTask(on: executor) { try await stream.writeAll("x") }
            await waitUntilAwaited()
            listener.close()
            await assertThrows(name.isPath ? .notFound : .connectionRefused, .connect) { try await writer.value() }
            waiting.close()
        }
    }

    /// Of several tasks and threads that need the connection one makes it, also while the server accepts nobody.
    func testSeveralWaitTogether() throws {
        for executor in Self.executors {
            for _ in 0..<5 {
                let name = try uniquePathName()
                let (listener, waiting) = try fullListener(name)
                let stream = try connectLater(name)
                let readers = (0..<3).map { _ in RunningTask(on: executor) { try await stream.read(upTo: 1) } }
                let writers = (0..<3).map { _ in RunningTask(on: executor) { try await stream.writeAll("x") } }
                let thread = Running { try stream.writeAll("x") }
                waitUntilAwaited(by: 6)
                thread.waitUntilBlocked()
                _ = try listener.accept()
                // The backlog is full again with the connection itself; it is made all the same.
                for writer in writers { try writer.value() }
                try thread.value()
                let server = try listener.accept(timeout: .seconds(10))
                XCTAssertEqual(try server.readExactly(4, timeout: .seconds(10)), Array("xxxx".utf8))
                try server.writeAll("yyy")
                for reader in readers { XCTAssertEqual(try reader.value(), [UInt8(ascii: "y")]) }
                // It was one connection.
                assertThrows(.timedOut) { try listener.accept(timeout: .zero) }
                waiting.close()
            }
        }
    }
}
