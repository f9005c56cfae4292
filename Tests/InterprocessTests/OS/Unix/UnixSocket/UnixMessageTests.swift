// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

/// Messages over streams: bytes with descriptors beside them.
final class UnixMessageTests: InterprocessTestCase {
    func testBytesAndDescriptors() throws {
        let (one, other) = try UnixStream.pair()
        let (sender, receiver) = try UnnamedPipe.create()
        XCTAssertEqual(try one.send([1, 2, 3], with: .descriptors(receiver, sender)), 3)
        let (bytes, message) = try other.receive(upTo: 10, maximumDescriptors: 2)
        XCTAssertEqual(bytes, [1, 2, 3])
        XCTAssertEqual(message.byteCount, 3)
        XCTAssertEqual(message.size, 3)
        XCTAssertFalse(message.isTruncated || message.isEnd || message.descriptorsAreTruncated)
        XCTAssertEqual(message.descriptors.count, 2)
        XCTAssertNil(message.sender)
        for descriptor in message.descriptors {
            XCTAssertEqual(try descriptor.withUnsafeDescriptor { fcntl($0, F_GETFD) }, FD_CLOEXEC)
        }
        receiver.close()
        let arrived = try UnnamedPipeReceiver(adopting: message.descriptors[0])
        try UnnamedPipeSender(adopting: message.descriptors[1]).writeAll("through\n")
        XCTAssertEqual(try arrived.readLine(), "through")
        sender.close()
        XCTAssertNil(try arrived.readLine())
    }
}
