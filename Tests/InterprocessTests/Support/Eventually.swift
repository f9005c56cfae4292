// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

extension InterprocessTestCase {
    /// Waits until something holds that other tasks or processes bring about.
    func eventually(
        _ what: String,
        within limit: Duration = .seconds(10),
        file: StaticString = #filePath,
        line: UInt = #line,
        _ condition: () throws -> Bool
    ) async rethrows {
        let end = ContinuousClock.now + limit
        while try !condition() {
            if ContinuousClock.now > end { return XCTFail("not so in time: \(what)", file: file, line: line) }
            try? await Task.sleep(for: .microseconds(200))
        }
    }

    /// The same, blocking the thread; for tests that are not asynchronous.
    func eventually(
        _ what: String,
        within limit: Duration = .seconds(10),
        file: StaticString = #filePath,
        line: UInt = #line,
        _ condition: () throws -> Bool
    ) rethrows {
        let end = ContinuousClock.now + limit
        while try !condition() {
            if ContinuousClock.now > end { return XCTFail("not so in time: \(what)", file: file, line: line) }
            usleep(200)
        }
    }
}
