// SPDX-License-Identifier: MIT OR Apache-2.0

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

    /// Waits until a task is suspended in a call on an object, so that a test knows it without guessing a time.
    func waitUntilAwaited(_ owner: some DescriptorOwner, file: StaticString = #filePath, line: UInt = #line) async {
        let end = ContinuousClock.now + .seconds(10)
        while owner.descriptorCore.attached?.isBusy != true {
            if ContinuousClock.now > end { return XCTFail("no task came to wait", file: file, line: line) }
            try? await Task.sleep(for: .microseconds(200))
        }
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
