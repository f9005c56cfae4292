// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Synchronization
import XCTest

@testable import Interprocess

final class UnsafeSharedMemoryTests: InterprocessTestCase {
    func testBothSidesWrite() throws {
        let memory = try UnsafeSharedMemory(byteCount: 100)
        let (sender, receiver) = try IPCChannel.make(of: [UnsafeSharedMemory].self)
        try sender.send([memory])
        let other = try receiver.receive()[0]
        XCTAssertEqual(other.byteCount, 100)
        XCTAssertTrue(other.withUnsafeMutableBytes { $0.allSatisfy { $0 == 0 } })
        memory.withUnsafeMutableBytes { $0[99] = 7 }
        XCTAssertEqual(other.withUnsafeMutableBytes { $0[99] }, 7)
        other.withUnsafeMutableBytes { $0[0] = 8 }
        XCTAssertEqual(memory.withUnsafeMutableBytes { $0[0] }, 8)
        memory.close()
        XCTAssertTrue(memory.isClosed)
        XCTAssertEqual(memory.withUnsafeMutableBytes { $0[0] }, 8)
        assertThrows(.closed) { try sender.send([memory]) }
        XCTAssertThrowsError(try JSONEncoder().encode(other))
        XCTAssertEqual(try UnsafeSharedMemory(byteCount: 0).withUnsafeMutableBytes { $0.count }, 0)
    }

    func testProcessesCountTogether() throws {
        let memory = try UnsafeSharedMemory(byteCount: 8)
        let children = try (0..<2).map { _ in
            let (sender, end) = try IPCChannel.make(of: UnsafeSharedMemory.self)
            try sender.send(memory)
            let child = try end.withUnsafeDescriptor {
                try? ChildProcess.helper("count-in-memory", "5", "100000", keeping: [($0, 5)])
            }
            return try XCTUnwrap(child)
        }
        for _ in 0..<100_000 { memory.withAtomic(UInt64.self, at: 0) { _ = $0.wrappingAdd(1, ordering: .relaxed) } }
        for child in children {
            XCTAssertEqual(child.readToEnd(), "ready\ndone\n")
            XCTAssertEqual(child.wait(), 0)
        }
        XCTAssertEqual(memory.withAtomic(UInt64.self, at: 0) { $0.load(ordering: .relaxed) }, 300_000)
    }

    func testWhatIsNoneIsRefused() throws {
        let frozen = try SharedRegion(byteCount: 100) { _ in }
        let copy = try frozen.withUnsafeDescriptor { dup($0) }
        XCTAssertThrowsError(try UnsafeSharedMemory(adopting: copy)) { XCTAssertTrue($0 is IPCError) }
        XCTAssertEqual(close(copy), 0)
        let memory = try UnsafeSharedMemory(byteCount: 100)
        let own = try memory.withUnsafeDescriptor { dup($0) }
        // It can change, so it is no frozen region.
        assertThrows(.permissionDenied, .adopt) { try SharedRegion(adopting: own) }
        assertThrows(.invalidArgument, .adopt) { try UnsafeSharedMemory(adopting: own, byteCount: 101) }
        #if os(Linux)
        XCTAssertEqual(ftruncate(own, 0), -1)
        #endif
        XCTAssertEqual(try UnsafeSharedMemory(adopting: own, byteCount: 10).byteCount, 10)
        assertThrows(.invalidArgument, .create) { try UnsafeSharedMemory(byteCount: -1) }
        assertThrows(.resourcesExhausted, .create) { try UnsafeSharedMemory(byteCount: Int.max) }
        let file = open(path("file"), O_RDWR | O_CREAT, 0o600)
        assertThrows(.permissionDenied, .adopt) { try UnsafeSharedMemory(adopting: file) }
        close(file)
    }

    /// One kind of memory does not pass for another.
    func testKindsAreToldApart() throws {
        let (sender, receiver) = try IPCChannel.make(of: UnsafeSharedMemory.self)
        let regions = try receiver.withUnsafeDescriptor {
            IPCReceiver<SharedRegion>(
                try! PacketTransport.adopt(OwnedDescriptor(Int64(dup($0))), toReceive: true, isShared: true),
                limit: 1 << 20
            )
        }
        try sender.send(UnsafeSharedMemory(byteCount: 10))
        assertThrows(.decodingFailed) { try regions.receive() }
    }
}
