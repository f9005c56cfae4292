// SPDX-License-Identifier: MIT OR Apache-2.0

import CInterprocess
import XCTest

@testable import Interprocess

/// When a descriptor is closed, and by whom.
final class DescriptorCoreTests: InterprocessTestCase {
    /// One end of a socket pair, owned by a core, and the other end, to see what becomes of it.
    private struct Pair: ~Copyable {
        let core: DescriptorCore
        let peer: OwnedDescriptor

        init(_ waker: DescriptorCore.Waker = .shutdown, isShared: Bool = false) {
            var ends: [Int64] = [-1, -1]
            XCTAssertEqual(cip_socket_pair(Int64(CIP_STREAM), &ends), 0)
            core = DescriptorCore(OwnedDescriptor(ends[0]), name: "a pair", waker: waker, isShared: isShared)
            peer = OwnedDescriptor(ends[1])
        }

        /// Whether the core's number is open, which nothing else here can have taken meanwhile.
        var isOpen: Bool { cip_access_mode(core.descriptor) >= 0 }

        /// Whether the peer sees the end of the stream.
        var peerSeesEnd: Bool {
            var byte: UInt8 = 0
            return cip_receive(peer.raw, &byte, 1, false) == 0
        }
    }

    func testCloseClosesAtOnceWhenNoCallIsUnderWay() {
        let pair = Pair()
        XCTAssertTrue(pair.isOpen)
        XCTAssertTrue(pair.core.close())
        XCTAssertFalse(pair.isOpen)
        XCTAssertTrue(pair.peerSeesEnd)
    }

    func testCloseIsIdempotent() {
        let pair = Pair()
        XCTAssertTrue(pair.core.close())
        // The number may be somebody else's by now: closing again must not touch it.
        let other = OwnedDescriptor(cip_socket(Int64(CIP_STREAM), false))
        XCTAssertEqual(other.raw, pair.core.descriptor, "the number was not used anew: this test shows nothing")
        for side: DescriptorCore.Side in [.both, .receive, .send] { XCTAssertFalse(pair.core.close(side)) }
        XCTAssertGreaterThanOrEqual(cip_access_mode(other.raw), 0)
    }

    func testDroppingClosesOnce() {
        let number: Int64
        do {
            let pair = Pair()
            number = pair.core.descriptor
            XCTAssertTrue(pair.isOpen)
        }
        XCTAssertLessThan(cip_access_mode(number), 0)
    }

    func testDroppingAfterCloseLeavesTheNumberAlone() {
        var core: DescriptorCore? = Pair().core
        core?.close()
        let number = core?.descriptor ?? -1
        var ends: [Int64] = [-1, -1]
        XCTAssertEqual(cip_socket_pair(Int64(CIP_STREAM), &ends), 0)
        XCTAssertTrue(ends.contains(number), "the number was not used anew: this test shows nothing")
        core = nil
        for end in ends {
            XCTAssertGreaterThanOrEqual(cip_access_mode(end), 0)
            _ = cip_close(end)
        }
    }

    func testTheLastCallCloses() throws {
        for blocking in [false, true] {
            let pair = Pair(isShared: !blocking)
            var first: DescriptorCore.Lease? = try pair.core.lease(.receive, for: .read, blocking: blocking)
            var second: DescriptorCore.Lease? = try pair.core.lease(.send, for: .write, blocking: blocking)
            XCTAssertEqual(pair.core.callsUnderWay, 2)
            XCTAssertTrue(pair.core.close())
            XCTAssertTrue(pair.isOpen, "closed under two calls")
            first = nil
            XCTAssertTrue(pair.isOpen, "closed under a call")
            XCTAssertEqual(pair.core.callsUnderWay, 1)
            second = nil
            XCTAssertFalse(pair.isOpen)
            _ = (first == nil, second == nil)
        }
    }

    func testNoCallStartsOnAClosedDescriptor() throws {
        let pair = Pair()
        let lease = try pair.core.lease(.receive, for: .read)
        pair.core.close()
        for side: DescriptorCore.Side in [.receive, .send, .both] {
            let error = assertThrows(.closed, .identify) { _ = try pair.core.lease(side, for: .identify) }
            XCTAssertEqual(error?.name, "a pair")
            XCTAssertNil(error?.systemCode)
        }
        assertThrows(.closed, .duplicate) { try pair.core.share(for: .duplicate) }
        assertThrows(.closed, .detach) { try pair.core.detach() }
        assertThrows(.closed, .read) { try pair.core.wait(.receive, for: .read, lease, until: .never) }
        assertThrows(.closed, .read) { try pair.core.pause(.receive, for: .read, lease, until: .never) }
    }

    func testSidesAreClosedSeparately() throws {
        let pair = Pair(isShared: true)
        XCTAssertTrue(pair.core.close(.receive))
        XCTAssertFalse(pair.core.close(.receive))
        XCTAssertTrue(pair.core.isClosed(.receive))
        XCTAssertFalse(pair.core.isClosed(.send))
        XCTAssertFalse(pair.core.isClosed(.both))
        assertThrows(.closed) { _ = try pair.core.lease(.receive, for: .read) }
        _ = try pair.core.lease(.send, for: .write)
        // Calls for either end only when both are closed.
        _ = try pair.core.lease(.both, for: .configure)
        XCTAssertTrue(pair.isOpen)
        XCTAssertFalse(pair.peerSeesEnd)
        XCTAssertTrue(pair.core.close(.both), "the other side was still to be closed")
        XCTAssertFalse(pair.isOpen)
        XCTAssertTrue(pair.peerSeesEnd)
    }

    func testDroppingClosesWhatIsHalfClosed() {
        for side: DescriptorCore.Side in [.receive, .send] {
            let number: Int64
            do {
                let pair = Pair(isShared: true)
                number = pair.core.descriptor
                pair.core.close(side)
                XCTAssertTrue(pair.isOpen)
            }
            XCTAssertLessThan(cip_access_mode(number), 0)
        }
    }

    /// Who waits for the end of both sides is woken by the last of them, also if the first was closed before it waited.
    func testTheWakeOfBothSidesIsThatOfTheOpenOne() throws {
        for order: [DescriptorCore.Side] in [[.receive, .send], [.send, .receive]] {
            let pair = Pair(isShared: true)
            pair.core.close(order[0])
            let lease = try pair.core.lease(.both, for: .connect)
            let wake = try pair.core.wake(.both, for: .connect)
            XCTAssertEqual(cip_poll(wake, Int64(CIP_READABLE), -1, 0), 0)
            pair.core.close(order[1])
            XCTAssertEqual(cip_poll(wake, Int64(CIP_READABLE), -1, 0), Int64(CIP_POLL_READY), "\(order) was not told")
            assertThrows(.closed, .connect) { try pair.core.wake(.both, for: .connect) }
            withExtendedLifetime(lease) {}
        }
    }

    /// A call that is kept among others may be the last to know of the descriptor.
    func testAHeldLeaseOutlivesEverythingElse() throws {
        for isClosed in [false, true] {
            var held: HeldLease?
            let number: Int64
            do {
                let pair = Pair()
                held = try HeldLease(toSend: pair.core)
                number = pair.core.descriptor
                if isClosed { pair.core.close() }
            }
            XCTAssertGreaterThanOrEqual(cip_access_mode(number), 0, "closed under a call")
            held = nil
            XCTAssertLessThan(cip_access_mode(number), 0)
            _ = held
        }
    }

    func testDetach() throws {
        let pair = Pair()
        var lease: DescriptorCore.Lease? = try pair.core.lease(.both, for: .configure)
        assertThrows(.busy, .detach) { try pair.core.detach() }
        lease = nil
        _ = lease == nil
        let given = OwnedDescriptor(try pair.core.detach())
        XCTAssertEqual(given.raw, pair.core.descriptor)
        XCTAssertTrue(pair.isOpen)
        XCTAssertFalse(pair.core.close(), "it is not the core's to close any more")
        XCTAssertTrue(pair.isOpen)
        XCTAssertFalse(pair.peerSeesEnd)
        assertThrows(.closed) { _ = try pair.core.lease(.both, for: .read) }
        assertThrows(.closed, .detach) { try pair.core.detach() }
    }

    func testDetachOfWhatIsHalfClosed() {
        let pair = Pair(isShared: true)
        pair.core.close(.send)
        assertThrows(.closed, .detach) { try pair.core.detach() }
        XCTAssertTrue(pair.isOpen)
    }

    func testManyClosersCloseOnce() throws {
        for _ in 0..<300 {
            let core = Pair().core
            let closers = (0..<3).map { _ in Running { core.close() } }
            XCTAssertEqual(try closers.filter { try $0.value() }.count, 1)
        }
    }
}
