// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Synchronization
import XCTest

/// A number that threads and tasks count up, and a test watches.
final class Counter: Sendable {
    private let count = Atomic<Int>(0)

    var value: Int { count.load(ordering: .acquiring) }

    func increment() { count.add(1, ordering: .releasing) }

    /// Blocks until it has got that far; returns whether it did in time.
    func wait(for count: Int, atMost limit: Duration = .seconds(10)) -> Bool {
        let end = ContinuousClock.now + limit
        while value < count {
            if ContinuousClock.now > end { return false }
            usleep(200)
        }
        return true
    }
}
