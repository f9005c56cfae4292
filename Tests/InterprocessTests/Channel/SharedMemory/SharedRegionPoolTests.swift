// SPDX-License-Identifier: MIT OR Apache-2.0

import CInterprocess
import Foundation
import XCTest

@testable import Interprocess

/// Fills a slot with a text, and lends it.
private func lend(_ pool: SharedRegionPool, _ text: String) throws -> SharedRegionPool.Handle {
    var slot = try pool.take(timeout: .seconds(10))
    slot.withUnsafeMutableBytes { $0.copyBytes(from: text.utf8) }
    return try slot.lend(byteCount: text.utf8.count)
}

private func text(_ content: borrowing SharedRegionPool.Content) -> String {
    content.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
}

final class SharedRegionPoolTests: InterprocessTestCase {
    private typealias Handle = SharedRegionPool.Handle
    private typealias Greeting = PoolGreeting

    /// As in the helper.
    private struct PoolGreeting: Codable, Sendable {
        var reader: SharedRegionPool.Reader
        var handles: IPCReceiver<SharedRegionPool.Handle>
    }

    /// Lets a connected reader be one that has come in a message.
    private func send(_ reader: SharedRegionPool.Reader) throws -> SharedRegionPool.Reader {
        let (sender, receiver) = try IPCChannel.make(of: SharedRegionPool.Reader.self)
        try sender.send(reader)
        return try receiver.receive()
    }

    func testSlotsGoRound() throws {
        let (pool, reader) = try SharedRegionPool.make(slotCount: 2, slotSize: 5000)
        XCTAssertEqual([pool.slotCount, pool.slotSize, reader.slotSize], [2, 5000, 5000])
        for round in 0..<10 {
            let first = try reader.open(lend(pool, "first \(round)"))
            let second = try reader.open(lend(pool, "second \(round)"))
            XCTAssertEqual([text(first), text(second)], ["first \(round)", "second \(round)"])
            let isEmpty = try pool.tryTake() == nil
            XCTAssertTrue(isEmpty)
            assertThrows(.timedOut, .wait) { _ = try pool.take(timeout: .milliseconds(1)) }
            first.release()
            let third = try reader.open(lend(pool, "third"))
            XCTAssertEqual([text(second), text(third)], ["second \(round)", "third"])
            let copy = third.copyOut()
            XCTAssertEqual(copy, Array("third".utf8))
        }
    }

    func testAllOfASlot() throws {
        let (pool, reader) = try SharedRegionPool.make(slotCount: 3, slotSize: 10_001)
        for value in 1...6 as ClosedRange<UInt8> {
            var slot = try pool.take()
            XCTAssertEqual(slot.byteCount, 10_001)
            slot.withMutableBytes { span in
                XCTAssertEqual(span.byteCount, 10_001)
                span.withUnsafeMutableBytes { for index in $0.indices { $0[index] = value } }
            }
            let content = try reader.open(slot.lend())
            XCTAssertEqual(content.byteCount, 10_001)
            content.withBytes { XCTAssertEqual($0.byteCount, 10_001) }
            XCTAssertTrue(content.withUnsafeBytes { $0.allSatisfy { $0 == value } })
        }
        assertThrows(.messageTooLarge, .write) { try pool.take().lend(byteCount: 10_002) }
    }

    func testAnotherProcessReads() throws {
        let (pool, reader) = try SharedRegionPool.make(slotCount: 3, slotSize: 1 << 20)
        let (greetings, end) = try IPCChannel.make(of: Greeting.self)
        let (handles, inbox) = try IPCChannel.make(of: Handle.self)
        let child = try end.withUnsafeDescriptor { try? ChildProcess.helper("pool", "5", keeping: [($0, 5)]) }
        end.close()
        try greetings.send(Greeting(reader: reader, handles: inbox))
        XCTAssertEqual(child?.readLine(), "ready")
        // It has moved.
        XCTAssertTrue(reader.isClosed)
        for round in 0..<20 as Range<UInt8> {
            var slot = try pool.take(timeout: .seconds(10))
            slot.withUnsafeMutableBytes { for index in $0.indices { $0[index] = round } }
            try handles.send(slot.lend())
            XCTAssertEqual(child?.readLine(), "sum \(UInt64(round) << 20)")
        }
        handles.close()
        XCTAssertEqual(child?.readLine(), "disconnected")
        XCTAssertEqual(child?.wait(), 0)
        assertThrows(.disconnected) { for _ in 0..<4 { _ = try pool.take(timeout: .seconds(10)).lend() } }
        assertThrows(.disconnected) { _ = try pool.tryTake() }
    }

    func testAReaderThatDiesIsTold() throws {
        let (pool, reader) = try SharedRegionPool.make(slotCount: 2, slotSize: 100)
        let (greetings, end) = try IPCChannel.make(of: Greeting.self)
        let (handles, inbox) = try IPCChannel.make(of: Handle.self)
        let child = try end.withUnsafeDescriptor { try? ChildProcess.helper("pool", "5", "die", keeping: [($0, 5)]) }
        end.close()
        try greetings.send(Greeting(reader: reader, handles: inbox))
        for _ in 0..<2 { try handles.send(pool.take().lend()) }
        let waiting = Running { _ = try pool.take() }
        XCTAssertEqual(child?.readLine(), "ready")
        XCTAssertEqual(child?.readLine(), "sum 0")
        XCTAssertEqual(child?.wait(), -SIGKILL)
        assertThrows(.disconnected, .wait) { try waiting.value() }
        assertThrows(.disconnected, .wait) { _ = try pool.tryTake() }
    }

    func testWaitingEndsByACreditACloseAndADisconnect() throws {
        let (pool, reader) = try SharedRegionPool.make(slotCount: 1, slotSize: 100)
        let content = try reader.open(lend(pool, "x"))
        let credited = Running { try lend(pool, "y") }
        credited.waitUntilBlocked()
        content.release()
        let handle = try credited.value()
        XCTAssertEqual(text(try reader.open(handle)), "y")
        _ = try lend(pool, "z")
        let closed = Running { _ = try pool.take() }
        closed.waitUntilBlocked()
        pool.close()
        assertThrows(.closed, .wait) { try closed.value() }
        assertThrows(.closed, .wait) { _ = try pool.take() }

        let (second, other) = try SharedRegionPool.make(slotCount: 1, slotSize: 100)
        _ = try lend(second, "x")
        let disconnected = Running { _ = try second.take() }
        disconnected.waitUntilBlocked()
        other.close()
        assertThrows(.disconnected, .wait) { try disconnected.value() }
    }

    func testAwaited() async throws {
        try await onEachExecutor {
            let (pool, reader) = try SharedRegionPool.make(slotCount: 1, slotSize: 100)
            let first = try await pool.take().lend()
            let waiting = start { try await pool.take().lend() }
            await waitUntilAwaited(pool)
            try reader.open(first).release()
            let second = try await waiting.value
            XCTAssertGreaterThan(second.number, first.number)
            await assertThrows(.timedOut, .wait) { _ = try await pool.take(timeout: .milliseconds(1)).lend() }
            let cancelled = start { try await pool.take().lend() }
            await waitUntilAwaited(pool)
            cancelled.cancel()
            await assertThrows(.cancelled, .wait) { try await cancelled.value }
            let closed = start { try await pool.take().lend() }
            await waitUntilAwaited(pool)
            pool.close()
            await assertThrows(.closed, .wait) { try await closed.value }
        }
    }

    /// What is not lent wakes those who wait.
    func testDroppedSlotsAreFree() throws {
        let (pool, reader) = try SharedRegionPool.make(slotCount: 1, slotSize: 100)
        var slot = Optional(try pool.take())
        let waiting = Running { try lend(pool, "x") }
        waiting.waitUntilBlocked()
        slot = nil
        let handle = try waiting.value()
        XCTAssertTrue(slot == nil)
        // Nor is what could not be sent lost.
        let next = Running { try lend(pool, "y") }
        next.waitUntilBlocked()
        pool.takeBack(handle)
        pool.takeBack(handle)
        XCTAssertEqual(text(try reader.open(next.value())), "y")
        XCTAssertEqual(try lend(pool, "z").index, 0)
        let isEmpty = try pool.tryTake() == nil
        XCTAssertTrue(isEmpty)
    }

    func testThreadsShareThePool() throws {
        let (pool, reader) = try SharedRegionPool.make(slotCount: 3, slotSize: 4096)
        let (handles, inbox) = try IPCChannel.make(of: Handle.self)
        let producers = (0..<4).map { thread in
            Running {
                for number in 0..<200 {
                    // Some are dropped, and some taken back.
                    if number % 5 == 0 { _ = try pool.take() }
                    let handle = try lend(pool, "\(thread) \(number)")
                    if number % 7 == 0 { pool.takeBack(handle) } else { try handles.send(handle) }
                }
            }
        }
        var received: Set<String> = []
        for _ in 0..<4 * (200 - 29) {
            let content = try reader.open(inbox.receive(timeout: .seconds(30)))
            XCTAssertTrue(received.insert(text(content)).inserted)
        }
        for producer in producers { try producer.value() }
        // Every slot is there, once.
        let all = try (0..<3).map { _ in try lend(pool, "").index }
        XCTAssertEqual(all.sorted(), [0, 1, 2])
    }

    /// As many credits as there can be are there without anybody to take them.
    func testAllCreditsFit() throws {
        let (pool, reader) = try SharedRegionPool.make(slotCount: 128, slotSize: 1)
        for _ in 0..<3 {
            let handles = try (0..<128).map { _ in try lend(pool, "x") }
            for handle in handles { try reader.open(handle).release() }
        }
        XCTAssertEqual(Set(try (0..<128).map { _ in try lend(pool, "x").index }).count, 128)
    }

    func testAReaderThatIsInUseDoesNotMove() throws {
        let (pool, reader) = try SharedRegionPool.make(slotCount: 2, slotSize: 100)
        let (sender, receiver) = try IPCChannel.make(of: [SharedRegionPool.Reader].self)
        let content = try reader.open(lend(pool, "x"))
        assertThrows(.busy) { try sender.send([reader]) }
        content.release()
        // Once at most.
        assertThrows(.busy) { try sender.send([reader, reader]) }
        XCTAssertNil(try receiver.tryReceive())
        let handle = try lend(pool, "in between")
        try sender.send([reader])
        assertThrows(.endpointMoved) { try sender.send([reader]) }
        assertThrows(.endpointMoved) { _ = try reader.open(handle) }
        let moved = try receiver.receive()[0]
        XCTAssertEqual(text(try moved.open(handle)), "in between")
        moved.close()
        assertThrows(.closed) { _ = try moved.open(handle) }
        XCTAssertThrowsError(try JSONEncoder().encode(moved))
    }

    #if os(Linux)
    func testTheReaderCannotWrite() throws {
        let (_, reader) = try SharedRegionPool.make(slotCount: 2, slotSize: 100)
        let moved = try send(reader)
        let descriptor = Int32(moved.region.descriptor)
        XCTAssertEqual(mmap(nil, 100, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0), MAP_FAILED)
        XCTAssertEqual(pwrite(descriptor, "x", 1, 0), -1)
        XCTAssertEqual(ftruncate(descriptor, 0), -1)
        let base = try moved.memory().mapping.memory.baseAddress
        XCTAssertEqual(mprotect(base, 4096, PROT_READ | PROT_WRITE), -1)
    }
    #endif

    /// Whatever a reader sends back, no slot comes that is in use.
    func testForgedCredits() throws {
        let (pool, reader) = try SharedRegionPool.make(slotCount: 1, slotSize: 100)
        // Somebody who has what the reader has.
        let copy = try reader.withUnsafeDescriptor { IPCDescriptor(OwnedDescriptor(Int64(dup($0))), name: nil) }
        let forger = try IPCBytesSender(adopting: copy)
        let handle = try lend(pool, "lent")
        let forged: [[UInt8]] = [
            [], [1, 2, 3], PoolCredit(index: 1, number: handle.number).bytes, PoolCredit(index: 0, number: 0).bytes,
            PoolCredit(index: 0, number: handle.number + 1).bytes, PoolCredit(index: Int.max, number: 1).bytes,
            [UInt8](repeating: 255, count: 16),
        ]
        for credit in forged {
            try forger.send(credit)
            assertThrows(.protocolViolation, .wait) { _ = try pool.take(timeout: .seconds(10)) }
        }
        try forger.send([UInt8](repeating: 0, count: 17))
        assertThrows(.messageTooLarge, .wait) { _ = try pool.take(timeout: .seconds(10)) }
        try forger.send(PoolCredit(index: 0, number: handle.number).bytes, with: [reader])
        let next = try lend(pool, "next")
        // Twice for the same one.
        try forger.send(PoolCredit(index: 0, number: handle.number).bytes)
        assertThrows(.protocolViolation) { _ = try pool.take(timeout: .seconds(10)) }
        let content = try reader.open(next)
        XCTAssertEqual(text(content), "next")
        assertThrows(.timedOut) { _ = try pool.take(timeout: .milliseconds(1)) }
        content.release()
        _ = try lend(pool, "again")
    }

    /// Nor can the pool's side make the reader look elsewhere.
    func testForgedHandles() throws {
        let (pool, reader) = try SharedRegionPool.make(slotCount: 2, slotSize: 100)
        let wrong = [
            Handle(index: 2, number: 1, byteCount: 1), Handle(index: Int.max, number: 1, byteCount: 1),
            Handle(index: 0, number: 1, byteCount: 101), Handle(index: 0, number: 1, byteCount: Int.max),
            Handle(index: 0, number: 0, byteCount: 1),
        ]
        for handle in wrong { assertThrows(.protocolViolation, .open) { _ = try reader.open(handle) } }
        let handle = try lend(pool, "x")
        try reader.open(handle).release()
        assertThrows(.protocolViolation, .open) { _ = try reader.open(handle) }
    }

    /// Memory that could be taken away, or is not as large as it says, is refused when it comes.
    func testForgedPools() throws {
        struct Forgery: Codable, Sendable {
            var slotCount = 2
            var slotSize = 100
            var region: Part
            var credits: Part

            struct Part: Codable, Sendable {
                var kind: UInt8 = 16
                var descriptor: IPCDescriptor

                init(_ kind: UInt8, _ descriptor: IPCDescriptor) { (self.kind, self.descriptor) = (kind, descriptor) }

                init(from decoder: any Decoder) throws { fatalError("only sent") }

                func encode(to encoder: any Encoder) throws {
                    let kind = AttachmentKind(rawValue: kind)
                    try encoder.encode(attachment: AttachedObject(kind: kind, core: descriptor.descriptorCore))
                }
            }
        }
        func descriptor(_ owner: some DescriptorOwner) throws -> IPCDescriptor {
            try owner.withUnsafeDescriptor { IPCDescriptor(OwnedDescriptor(Int64(dup($0))), name: nil) }
        }
        let (sender, _) = try IPCChannel.makeBytes()
        let credits = Forgery.Part(17, try descriptor(sender))
        let region = try SharedRegion(byteCount: 8192) { _ in }
        let small = try SharedRegion(byteCount: 8191) { _ in }
        var unsealed = cip_region()
        XCTAssertEqual(cip_region_create(8192, &unsealed), 0)
        let open = IPCDescriptor(OwnedDescriptor(unsealed.writable), name: nil)
        let file = try IPCDescriptor(adopting: Foundation.open(path("file"), O_RDWR | O_CREAT, 0o600))
        let good = Forgery.Part(16, try descriptor(region))
        let forgeries = [
            Forgery(region: Forgery.Part(16, try descriptor(small)), credits: credits),
            Forgery(region: Forgery.Part(16, open), credits: credits),
            Forgery(region: Forgery.Part(16, file), credits: credits),
            Forgery(region: credits, credits: credits),
            Forgery(region: good, credits: good),
            Forgery(region: good, credits: Forgery.Part(17, try descriptor(region))),
            Forgery(slotCount: 0, region: good, credits: credits),
            Forgery(slotCount: 129, region: good, credits: credits),
            Forgery(slotSize: -1, region: good, credits: credits),
            Forgery(slotSize: Int.max, region: good, credits: credits),
            Forgery(slotSize: 4097, region: good, credits: credits),
        ]
        let (forgers, receiver) = try IPCChannel.make(of: Forgery.self)
        let readers = IPCReceiver<SharedRegionPool.Reader>(
            try IPCChannel.adopt(descriptor(receiver), toReceive: true),
            limit: 1 << 20
        )
        for forgery in forgeries {
            try forgers.send(forgery)
            XCTAssertThrowsError(try readers.receive()) { XCTAssertTrue($0 is IPCError) }
        }
        // One that is right is taken, so that the others were refused for what is wrong with them.
        try forgers.send(Forgery(region: good, credits: credits))
        XCTAssertEqual(try readers.receive().slotSize, 100)
    }

    func testWrongNumbers() throws {
        for (count, size) in [(0, 1), (-1, 1), (129, 1), (1, 0), (1, -1), (1, Int.max)] {
            assertThrows(.invalidArgument, .create) { _ = try SharedRegionPool.make(slotCount: count, slotSize: size) }
        }
        assertThrows(.resourcesExhausted, .create) { _ = try SharedRegionPool.make(slotCount: 128, slotSize: 1 << 47) }
        _ = withoutDescriptors {
            assertThrows(.resourcesExhausted, .create) { _ = try SharedRegionPool.make(slotCount: 1, slotSize: 1) }
        }
    }

    #if INTERPROCESS_FAULT_INJECTION
    func testFailuresOfEachCall() throws {
        defer { FaultInjection.clear() }
        // To make, to reserve, to map, and to share.
        for step in 0..<4 {
            FaultInjection.inject(.result(-Int64(ENOMEM)), into: .memory, after: step)
            assertThrows(.resourcesExhausted, .create) { _ = try SharedRegionPool.make(slotCount: 1, slotSize: 1) }
        }
        let (pool, reader) = try SharedRegionPool.make(slotCount: 1, slotSize: 1)
        let handle = try lend(pool, "x")
        FaultInjection.inject(.result(-Int64(ENOMEM)), into: .memory)
        assertThrows(.resourcesExhausted) { _ = try reader.open(handle) }
        XCTAssertEqual(text(try reader.open(handle)), "x")
    }

    /// A slot that could not be given back for want of memory is, later.
    func testWantOfMemoryCostsNoSlot() throws {
        defer { FaultInjection.clear() }
        for isRead in [true, false] {
            let (pool, reader) = try SharedRegionPool.make(slotCount: 1, slotSize: 1)
            let handle = try lend(pool, "x")
            FaultInjection.inject(.result(-Int64(ENOBUFS)), into: .message, times: 3)
            if isRead { _ = try reader.open(handle).copyOut() } else { pool.takeBack(handle) }
            let again = try FaultInjection.sparing { try pool.take(timeout: .seconds(20)).lend(byteCount: 1) }
            XCTAssertNotEqual(again, handle)
            XCTAssertEqual(FaultInjection.clear(), 0)
        }
    }
    #endif
}
