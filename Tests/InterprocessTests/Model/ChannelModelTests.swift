// SPDX-License-Identifier: MIT OR Apache-2.0

import XCTest

/// Channels whose ends travel in messages, and groups of receivers, put to random operations.
final class ChannelModelTests: ModelTestCase {
    func testRandomOperations() async throws { try await check(ChannelModel.self, rounds: 50) }
}
