// SPDX-License-Identifier: MIT OR Apache-2.0

import XCTest

/// A listener, streams and their halves, put to random operations.
final class StreamModelTests: ModelTestCase {
    func testRandomOperations() async throws { try await check(StreamModel.self, rounds: 100) }
}
