// SPDX-License-Identifier: MIT OR Apache-2.0

import XCTest

@testable import Interprocess

/// The vectors of FIPS 180-4, and of RFC 4231.
final class SHA256Tests: InterprocessTestCase {
    private func text(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private func hash(_ message: String) -> String { text(SHA256.hash(Array(message.utf8))) }

    func testHashes() {
        XCTAssertEqual(hash(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        XCTAssertEqual(hash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        XCTAssertEqual(
            hash("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        )
        XCTAssertEqual(
            hash(String(repeating: "a", count: 100_000)),
            "6d1cf22d7cc09b085dfc25ee1a1f3ae0265804c607bc2074ad253bcc82fd81ee"
        )
    }

    /// Messages of every length around that of a block.
    func testPadding() {
        XCTAssertEqual(
            hash(String(repeating: "x", count: 55)),
            "d5e285683cd4efc02d021a5c62014694958901005d6f71e89e0989fac77e4072"
        )
        XCTAssertEqual(Set((0...130).map { hash(String(repeating: "x", count: $0)) }).count, 131)
    }

    func testAuthenticationCodes() {
        func code(_ key: [UInt8], _ message: [UInt8]) -> String {
            text(SHA256.authenticationCode(of: message, key: key))
        }
        XCTAssertEqual(
            code([UInt8](repeating: 0x0b, count: 20), Array("Hi There".utf8)),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        )
        XCTAssertEqual(
            code(Array("Jefe".utf8), Array("what do ya want for nothing?".utf8)),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        )
        XCTAssertEqual(
            code(
                [UInt8](repeating: 0xaa, count: 131),
                Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8)
            ),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        )
    }

    func testComparison() {
        XCTAssertTrue(SHA256.areEqual([1, 2, 3], [1, 2, 3]))
        XCTAssertFalse(SHA256.areEqual([1, 2, 3], [1, 2, 4]))
        XCTAssertFalse(SHA256.areEqual([1, 2, 3], [0, 2, 3]))
        XCTAssertFalse(SHA256.areEqual([1, 2, 3], [1, 2]))
    }
}
