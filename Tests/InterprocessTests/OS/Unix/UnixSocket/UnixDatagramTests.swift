// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

/// Datagrams: addresses, boundaries, full queues.
final class UnixDatagramTests: InterprocessTestCase {
    func testToAndFro() throws {
        let server = try UnixDatagramSocket(address: .path(path()))
        let client = try UnixDatagramSocket(address: .path(path("c")))
        XCTAssertEqual(try client.send([1, 2, 3], to: try server.localAddress()), 3)
        XCTAssertEqual(try client.send([], to: try server.localAddress()), 0)
        let (bytes, message) = try server.receive(upTo: 2)
        XCTAssertEqual(bytes, [1, 2])
        XCTAssertTrue(message.isTruncated)
        #if os(Linux)
        XCTAssertEqual(message.size, 3)
        #endif
        XCTAssertEqual(message.sender?.path, path("c"))
        let empty = try server.receive(upTo: 2).message
        XCTAssertEqual(empty.byteCount, 0)
        XCTAssertFalse(empty.isEnd)
        try server.send([4], to: XCTUnwrap(message.sender))
        XCTAssertEqual(try client.receive(upTo: 9).bytes, [4])
        server.close()
        client.close()
        XCTAssertNil(FileImage(path()))
        XCTAssertNil(FileImage(path("c")))
    }
}
