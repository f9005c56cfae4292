// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

extension InterprocessTestCase {
    /// Expects an error of the library with a code, and returns it.
    @discardableResult
    func assertThrows<Value>(
        _ code: IPCError.Code,
        _ operation: IPCError.Operation? = nil,
        file: StaticString = #filePath,
        line: UInt = #line,
        _ body: () async throws -> Value
    ) async -> IPCError? {
        let result: Result<Value, any Error>
        do {
            result = .success(try await body())
        } catch {
            result = .failure(error)
        }
        return assertThrows(code, operation, file: file, line: line) { try result.get() }
    }

    /// Waits until that many tasks are suspended in calls on an object, so that a test knows it without guessing a time.
    ///
    /// Without an object all tasks count, also those that pause before they look for a server again.
    func waitUntilAwaited(
        _ owner: (any DescriptorOwner)? = nil,
        by count: Int = 1,
        file: StaticString = #filePath,
        line: UInt = #line
    ) async {
        let end = ContinuousClock.now + .seconds(10)
        while waiterCount(owner) != count {
            if ContinuousClock.now > end { return failWait(owner, count, file, line) }
            try? await Task.sleep(for: .microseconds(200))
        }
    }

    /// The same, blocking the thread; for tests that are not asynchronous.
    func waitUntilAwaited(
        _ owner: (any DescriptorOwner)? = nil,
        by count: Int = 1,
        file: StaticString = #filePath,
        line: UInt = #line
    ) {
        let end = ContinuousClock.now + .seconds(10)
        while waiterCount(owner) != count {
            if ContinuousClock.now > end { return failWait(owner, count, file, line) }
            usleep(200)
        }
    }

    private func waiterCount(_ owner: (any DescriptorOwner)?) -> Int {
        guard let owner else { return EventLoop.shared.reactor.waiterCount }
        return (owner.descriptorCore.attached as? Registration)?.waiterCount ?? 0
    }

    private func failWait(_ owner: (any DescriptorOwner)?, _ count: Int, _ file: StaticString, _ line: UInt) {
        XCTFail("\(waiterCount(owner)) tasks wait instead of \(count)", file: file, line: line)
    }

    /// Does the same work twice: by tasks of the default pool, and by tasks on an event loop's thread.
    func onEachExecutor(_ body: () async throws -> Void) async throws {
        try await body()
        try await withTaskExecutorPreference(EventLoop.shared) {
            // The preference holds from the next suspension on.
            await Task.yield()
            XCTAssertNotNil(Reactor.current, "not on the loop's thread")
            try await body()
        }
    }
}
