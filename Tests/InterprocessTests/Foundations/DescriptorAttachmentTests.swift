// SPDX-License-Identifier: MIT OR Apache-2.0

import CInterprocess
import XCTest

@testable import Interprocess

/// What is attached learns of the close in time, and once.
final class DescriptorAttachmentTests: InterprocessTestCase {
    private final class Recorder: DescriptorAttachment, @unchecked Sendable {
        let events = Locked<[String]>([])
        /// What to look at when it is told: whether the number is open still.
        let descriptor: Int64

        init(_ core: DescriptorCore) { descriptor = core.descriptor }

        private func note(_ event: String) {
            let isOpen = cip_access_mode(descriptor) >= 0
            events.withLock { $0.append(isOpen ? event : event + ", too late") }
        }

        override func willClose(_ side: DescriptorCore.Side) { note("willClose \(side)") }
        override func didDrain() { note("didDrain") }
        var all: [String] { events.withLock { $0 } }
    }

    private func makeCore() throws -> (core: DescriptorCore, recorder: Recorder) {
        let result = cip_socket(Int64(CIP_STREAM), false)
        let core = DescriptorCore(OwnedDescriptor(result), name: nil, waker: .poll)
        XCTAssertNil(core.attached)
        let recorder = Recorder(core)
        XCTAssertTrue(core.attach(recorder) === recorder)
        return (core, recorder)
    }

    func testOrder() throws {
        let (core, recorder) = try makeCore()
        do {
            let lease = try core.lease(.receive, for: .read)
            core.close()
            XCTAssertEqual(recorder.all, ["willClose both"])
            withExtendedLifetime(lease) {}
        }
        XCTAssertEqual(recorder.all, ["willClose both", "didDrain"])
        core.close()
        XCTAssertEqual(recorder.all.count, 2)
    }

    func testEachSideIsToldOnce() throws {
        let (core, recorder) = try makeCore()
        core.close(.send)
        XCTAssertEqual(recorder.all, ["willClose send"])
        core.close(.send)
        XCTAssertEqual(recorder.all, ["willClose send"])
        core.close(.both)
        XCTAssertEqual(recorder.all, ["willClose send", "willClose receive", "didDrain"])
        core.close(.receive)
        XCTAssertEqual(recorder.all.count, 3)
    }

    func testDetach() throws {
        let (core, recorder) = try makeCore()
        let descriptor = OwnedDescriptor(try core.detach())
        XCTAssertEqual(recorder.all, ["willClose both", "didDrain"])
        core.close()
        XCTAssertEqual(recorder.all.count, 2)
        XCTAssertGreaterThanOrEqual(cip_access_mode(descriptor.raw), 0)
    }

    func testDropping() throws {
        var recorder: Recorder?
        do { recorder = try makeCore().recorder }
        XCTAssertEqual(recorder?.all.last, "didDrain")
    }

    func testTheFirstOneWins() throws {
        for _ in 0..<100 {
            let result = cip_socket(Int64(CIP_STREAM), false)
            let core = DescriptorCore(OwnedDescriptor(result), name: nil, waker: .poll)
            let recorders = (0..<3).map { _ in Recorder(core) }
            let winners = try recorders.map { recorder in
                Running { ObjectIdentifier(core.attach(recorder)) }
            }.map { try $0.value() }
            XCTAssertEqual(Set(winners).count, 1)
            let attached = try XCTUnwrap(core.attached)
            XCTAssertEqual(ObjectIdentifier(attached), winners[0])
            core.close()
            XCTAssertEqual(recorders.filter { !$0.all.isEmpty }.count, 1)
        }
    }

    /// It lives as long as the core, and no longer.
    func testLifetime() throws {
        weak var attached: Recorder?
        do {
            let core: DescriptorCore
            do {
                let (made, recorder) = try makeCore()
                core = made
                attached = recorder
            }
            XCTAssertNotNil(attached)
            core.close()
            XCTAssertNotNil(core.attached)
        }
        XCTAssertNil(attached, "the attachment is never released")
    }
}
