// SPDX-License-Identifier: MIT OR Apache-2.0

import CInterprocess
import XCTest

@testable import Interprocess

/// When it pays to ask for readiness before trying.
final class EmptinessGuessTests: InterprocessTestCase {
    private let wouldBlock = -cip_codes.would_block

    func testShortReadsAndTheEnd() {
        let guess = EmptinessGuess()
        XCTAssertFalse(guess.isLikelyEmpty, "nothing is known at first")
        guess.learn(5, of: 10)
        XCTAssertTrue(guess.isLikelyEmpty)
        guess.learn(10, of: 10)
        XCTAssertFalse(guess.isLikelyEmpty)
        guess.learn(wouldBlock, of: 10)
        XCTAssertTrue(guess.isLikelyEmpty)
        guess.learn(0, of: 10)
        XCTAssertFalse(guess.isLikelyEmpty, "the end stays, and nothing tells of it again")
        guess.learn(-1, of: 10)
        XCTAssertTrue(guess.isLikelyEmpty)
    }

    /// How many full reads after an attempt in vain are not followed by another attempt.
    private func rest(_ guess: borrowing EmptinessGuess) -> Int {
        for count in 0..<1000 {
            guess.learn(10, of: 10)
            if !guess.isLikelyEmpty { return count }
        }
        return .max
    }

    func testAttemptsInVainAreMadeEverMoreSeldom() {
        let guess = EmptinessGuess()
        var rests: [Int] = []
        for _ in 0..<9 {
            guess.learn(wouldBlock, of: 10)
            rests.append(rest(guess))
        }
        XCTAssertEqual(rests, [1, 3, 7, 15, 31, 63, 64, 64, 64])
        // One that is not in vain changes that.
        guess.learn(10, of: 10)
        guess.learn(wouldBlock, of: 10)
        XCTAssertEqual(rest(guess), 1)
    }

    func testReadinessThatWasInVainIsNoAttempt() {
        let guess = EmptinessGuess()
        guess.learn(wouldBlock, of: 10)
        for _ in 0..<100 { guess.learn(wouldBlock, of: 10) }
        XCTAssertEqual(rest(guess), 1)
    }
}
