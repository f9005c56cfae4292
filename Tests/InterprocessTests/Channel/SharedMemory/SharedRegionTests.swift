// SPDX-License-Identifier: MIT OR Apache-2.0

import CInterprocess
import Foundation
import XCTest

@testable import Interprocess

final class SharedRegionTests: InterprocessTestCase {
    private func bytes(_ region: SharedRegion) -> [UInt8] { region.withUnsafeBytes { Array($0) } }

    private func makeRegion(_ text: String = "content") throws -> SharedRegion {
        try SharedRegion(copying: Array(text.utf8).span.bytes)
    }

    private func number(_ owner: some DescriptorOwner) throws -> Int32 { try owner.withUnsafeDescriptor { $0 } }

    func testIsFilledInPlace() throws {
        let region = try SharedRegion(byteCount: 3 << 20) { memory in
            // All zeroes, and writable to the end.
            XCTAssertEqual(memory.byteCount, 3 << 20)
            memory.withUnsafeMutableBytes { memory in
                XCTAssertTrue(memory.allSatisfy { $0 == 0 })
                memory[0] = 1
                memory[(3 << 20) - 1] = 2
            }
        }
        XCTAssertEqual(region.byteCount, 3 << 20)
        region.withBytes { (bytes: RawSpan) in
            XCTAssertEqual(bytes.byteCount, 3 << 20)
            XCTAssertEqual(bytes.unsafeLoad(as: UInt8.self), 1)
            XCTAssertEqual(bytes.unsafeLoad(fromByteOffset: (3 << 20) - 1, as: UInt8.self), 2)
        }
    }

    func testCopies() throws {
        for size in [1, 4095, 4096, 4097] {
            let content = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            XCTAssertEqual(bytes(try SharedRegion(copying: content.span.bytes)), content)
        }
    }

    func testOneOfNothing() throws {
        let made = [try SharedRegion(byteCount: 0) { XCTAssertEqual($0.byteCount, 0) }, try makeRegion("")]
        for region in made {
            XCTAssertEqual(region.byteCount, 0)
            XCTAssertEqual(bytes(region), [])
            XCTAssertEqual(try SharedRegion(adopting: dup(number(region))).byteCount, 0)
        }
    }

    func testNobodyCanChangeIt() throws {
        let region = try makeRegion()
        let descriptor = try number(region)
        XCTAssertEqual(pwrite(descriptor, "X", 1, 0), -1)
        XCTAssertEqual(ftruncate(descriptor, 0), -1)
        XCTAssertEqual(ftruncate(descriptor, 1 << 20), -1)
        XCTAssertEqual(mmap(nil, 7, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0), MAP_FAILED)
        // Nor can the mapping that is there be made writable.
        let base = region.withUnsafeBytes { UnsafeMutableRawPointer(mutating: $0.baseAddress) }
        XCTAssertEqual(mprotect(base, 7, PROT_READ | PROT_WRITE), -1)
        XCTAssertEqual(bytes(region), Array("content".utf8))
    }

    func testAChildReadsIt() throws {
        let region = try makeRegion("for the child")
        let child = try ChildProcess.helper("region", "5", keeping: [(try number(region), 5)])
        XCTAssertEqual(child.readLine(), "got for the child")
        XCTAssertEqual(child.wait(), 0)
    }

    func testContentsOutliveTheirMaker() throws {
        var region: SharedRegion? = try makeRegion()
        let other = try SharedRegion(adopting: dup(number(try XCTUnwrap(region))))
        region = nil
        XCTAssertEqual(bytes(other), Array("content".utf8))
        other.close()
        XCTAssertTrue(other.isClosed)
        XCTAssertEqual(bytes(other), Array("content".utf8))
        assertThrows(.closed) { try number(other) }
    }

    func testAPartOfIt() throws {
        let region = try makeRegion()
        XCTAssertEqual(bytes(try SharedRegion(adopting: dup(number(region)), byteCount: 3)), Array("con".utf8))
        let copy = dup(try number(region))
        for wrong in [-1, 8] {
            assertThrows(.invalidArgument, .adopt) { try SharedRegion(adopting: copy, byteCount: wrong) }
        }
        // It is still the caller's.
        XCTAssertEqual(close(copy), 0)
    }

    func testWhatIsNoFrozenRegionIsRefused() throws {
        let (sender, receiver) = try UnnamedPipe.create()
        let listener = try LocalSocketListener(pathName())
        for owner in [sender, receiver, listener] as [any DescriptorOwner] {
            let copy = dup(try owner.withUnsafeDescriptor { $0 })
            assertThrows(.invalidArgument, .adopt) { try SharedRegion(adopting: copy) }
            XCTAssertEqual(close(copy), 0)
        }
        let file = open(path("file"), O_RDWR | O_CREAT, 0o600)
        assertThrows(.permissionDenied, .adopt) { try SharedRegion(adopting: file) }
        close(file)
        assertThrows(.invalidArgument, .adopt) { try SharedRegion(adopting: -1) }
        #if os(Linux)
        // One whose maker could still take the memory from under the reader.
        var region = cip_region()
        XCTAssertEqual(cip_region_create(10, &region), 0)
        let open = Int32(region.writable)
        assertThrows(.permissionDenied, .adopt) { try SharedRegion(adopting: open) }
        // Writing is ruled out, shrinking is not.
        let (addSeals, sealGrow, sealWrite) = (Int32(1033), Int32(4), Int32(8))
        XCTAssertEqual(fcntl(open, addSeals, sealGrow | sealWrite), 0)
        assertThrows(.permissionDenied, .adopt) { try SharedRegion(adopting: open) }
        XCTAssertEqual(close(open), 0)
        #endif
    }

    func testAnUnfilledOneLeavesNothing() throws {
        struct Refusal: Error {}
        XCTAssertThrowsError(try SharedRegion(byteCount: 10) { _ in throw Refusal() }) { XCTAssertTrue($0 is Refusal) }
    }

    func testTooLarge() throws {
        assertThrows(.invalidArgument, .create) { try SharedRegion(byteCount: -1) { _ in } }
        for size in [Int.max, 1 << 50] {
            assertThrows(.resourcesExhausted, .create) { try SharedRegion(byteCount: size) { _ in } }
        }
    }

    func testNoDescriptorLeft() throws {
        _ = withoutDescriptors {
            assertThrows(.resourcesExhausted, .create) { try SharedRegion(byteCount: 10) { _ in } }
        }
    }

    #if INTERPROCESS_FAULT_INJECTION
    func testFailuresOfEachCall() throws {
        defer { FaultInjection.clear() }
        // To make, to map, to freeze, and to map again.
        for step in 0..<4 {
            FaultInjection.inject(.result(-Int64(ENOMEM)), into: .memory, after: step)
            assertThrows(.resourcesExhausted, .create) { try makeRegion() }
        }
        let region = try makeRegion()
        let copy = dup(try number(region))
        for step in 0..<2 {
            FaultInjection.inject(.result(-Int64(ENOMEM)), into: .memory, after: step)
            assertThrows(.resourcesExhausted) { try SharedRegion(adopting: copy) }
        }
        XCTAssertEqual(bytes(try SharedRegion(adopting: copy)), Array("content".utf8))
    }
    #endif

    #if os(Linux)
    func testMemoryIsGivenBack() throws {
        for _ in 0..<100 { XCTAssertEqual(try SharedRegion(byteCount: 1 << 20) { _ in }.byteCount, 1 << 20) }
        let maps = try String(contentsOfFile: "/proc/self/maps", encoding: .utf8)
        XCTAssertFalse(maps.contains("memfd:interprocess"))
    }
    #endif
}
