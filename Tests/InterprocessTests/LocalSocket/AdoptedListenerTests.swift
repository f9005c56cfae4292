// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

final class AdoptedListenerTests: InterprocessTestCase {
    /// A socket that has taken the place of a dead one keeps, for the kernel, the name that it had meanwhile, which
    /// leads nowhere.
    func testNameAfterATakeoverIsNotTheTemporaryOne() throws {
        let dead = try ChildProcess.helper("listen", path(), "never")
        XCTAssertEqual(dead.readLine(), "ready")
        dead.kill()
        dead.wait()
        let listener = try LocalSocketListener(pathName())
        XCTAssertEqual(listener.name, try pathName())
        let adopted = try LocalSocketListener(adopting: listener.detach())
        XCTAssertNil(adopted.name)
        try LocalSocketStream.connect(to: pathName()).close()
    }

    func testFailedAdoptionLeavesTheDescriptorToTheCaller() throws {
        let descriptor = try LocalSocketListener(pathName()).detach()
        withoutDescriptors {
            _ = assertThrows(.resourcesExhausted, .adopt) { try LocalSocketListener(adopting: descriptor) }
        }
        XCTAssertGreaterThanOrEqual(fcntl(descriptor, F_GETFD), 0, "it is still open")
        let listener = try LocalSocketListener(adopting: descriptor)
        XCTAssertEqual(listener.name, try pathName())
    }

    func testIsClosedIsTheHalfsOwnAlsoInGenericCode() throws {
        func isClosed(_ owner: some DescriptorOwner) -> Bool { owner.isClosed }
        let (one, other) = try LocalSocketStream.pair()
        let (receiver, sender) = try one.split()
        receiver.close()
        XCTAssertTrue(isClosed(receiver))
        XCTAssertFalse(isClosed(sender))
        XCTAssertFalse(isClosed(one))
        other.close()
    }
}
