// SPDX-License-Identifier: MIT OR Apache-2.0

import XCTest

/// A connection with one peer, put to random operations.
final class ConnectionModelTests: ModelTestCase {
    func testRandomOperations() async throws { try await check(ConnectionModel.self, rounds: 50) }
}
