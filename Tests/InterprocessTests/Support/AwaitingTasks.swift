// SPDX-License-Identifier: MIT OR Apache-2.0

import XCTest

@testable import Interprocess

/// Starts a task that runs where the caller does: on the event loop's thread, or in the default pool.
func start<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) -> Task<Value, any Error> {
    Task(executorPreference: Reactor.current == nil ? nil : EventLoop.shared) { try await body() }
}

/// Expects what an awaited call returns, which an autoclosure cannot await.
func assertEqual<Value: Equatable>(
    _ expected: Value,
    _ message: String = "",
    file: StaticString = #filePath,
    line: UInt = #line,
    _ body: () async throws -> Value
) async rethrows {
    let value = try await body()
    XCTAssertEqual(value, expected, message, file: file, line: line)
}
