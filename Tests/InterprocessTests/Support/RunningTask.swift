// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

/// A task whose outcome can be waited for by threads as well.
final class RunningTask<Value: Sendable>: Sendable {
    private let outcome = Outcome<Value>()
    private let task: Task<Value, any Error>

    /// Starts `body` on an executor, or on the default pool.
    init(on executor: (any TaskExecutor)? = nil, _ body: @escaping @Sendable () async throws -> Value) {
        task = Task(executorPreference: executor) { [outcome] in
            let result: Result<Value, any Error>
            do { result = .success(try await body()) } catch { result = .failure(error) }
            outcome.set(result)
            return try result.get()
        }
    }

    /// Whether it has ended.
    var hasEnded: Bool { outcome.isSet }

    func cancel() { task.cancel() }

    /// Waits for the end, and returns what it returned or throws what it threw.
    @discardableResult
    func value() async throws -> Value { try await task.value }

    /// The same, blocking the thread; for tests that are not asynchronous.
    @discardableResult
    func value() throws -> Value { try outcome.value() }
}

/// What something comes to in the end.
private final class Outcome<Value: Sendable>: Sendable {
    private let result = Locked<Result<Value, any Error>?>(nil)
    private let ended = DispatchSemaphore(value: 0)

    var isSet: Bool { result.withLock { $0 != nil } }

    func set(_ result: Result<Value, any Error>) {
        self.result.withLock { $0 = result }
        ended.signal()
    }

    func value() throws -> Value {
        ended.wait()
        ended.signal()
        return try result.withLock { $0! }.get()
    }
}

extension InterprocessTestCase {
    /// Where tasks can run that await something: on the default pool, and on an event loop's thread.
    static var executors: [(any TaskExecutor)?] { [nil, EventLoop.shared] }

    /// Each kind of name with each executor.
    func eachNameAndExecutor() throws -> [(LocalSocketName, (any TaskExecutor)?)] {
        try Self.executors.flatMap { executor in
            [(try uniquePathName(), executor), (try namespacedName(), executor)]
        }
    }

    /// One after another, so that nothing that the one before had is still being closed.
    ///
    /// A task that has ended may hold its listener a moment longer, and with it a reserve.
    func forEachNameAndExecutor(_ body: (LocalSocketName, (any TaskExecutor)?) throws -> Void) throws {
        for (name, executor) in try eachNameAndExecutor() {
            let before = OpenDescriptors.count
            try body(name, executor)
            eventually("no descriptor is left open") { OpenDescriptors.count <= before }
        }
    }

    /// A path that no other listener of the test has, for one may go a little later than its name.
    func uniquePathName() throws -> LocalSocketName { try pathName("\(UInt32.random(in: 0...UInt32.max))") }

    /// Does something on an executor, and waits for it.
    func on<Value: Sendable>(
        _ executor: (any TaskExecutor)?,
        _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await RunningTask(on: executor, body).value()
    }
}
