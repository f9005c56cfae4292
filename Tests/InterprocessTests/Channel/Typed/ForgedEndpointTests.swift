// SPDX-License-Identifier: MIT OR Apache-2.0

import CInterprocess
import Foundation
import XCTest

@testable import Interprocess

/// Descriptors that are not what their message says, or that nobody takes.
final class ForgedEndpointTests: InterprocessTestCase {
    /// Any descriptor, as any kind of endpoint.
    private struct Forgery: Codable, Sendable {
        let kind: UInt8
        let descriptor: IPCDescriptor

        init(_ kind: AttachmentKind, _ descriptor: IPCDescriptor) {
            (self.kind, self.descriptor) = (kind.rawValue, descriptor)
        }

        init(from decoder: any Decoder) throws { fatalError("only sent") }

        func encode(to encoder: any Encoder) throws {
            let kind = AttachmentKind(rawValue: kind)
            try encoder.encode(attachment: AttachedObject(kind: kind, core: descriptor.descriptorCore))
        }
    }

    private func copy(_ owner: some DescriptorOwner) throws -> IPCDescriptor {
        try owner.withUnsafeDescriptor { IPCDescriptor(OwnedDescriptor(Int64(dup($0))), name: nil) }
    }

    private func assertRefused<Value: Codable & Sendable>(
        _ type: Value.Type,
        _ kind: AttachmentKind,
        _ descriptors: [String: IPCDescriptor],
        line: UInt = #line
    ) throws {
        let (sender, end) = try IPCChannel.make(of: [Forgery].self)
        let receiver = IPCReceiver<[Value]>(try IPCChannel.adopt(copy(end)), limit: 1 << 20)
        for (name, descriptor) in descriptors {
            try sender.send([Forgery(kind, descriptor)])
            XCTAssertThrowsError(try receiver.receive(), "\(type): \(name)", line: line) {
                XCTAssertTrue($0 is IPCError, "\($0)", line: line)
            }
        }
        // The channel goes on.
        try sender.send([])
        XCTAssertEqual(try receiver.receive().count, 0, line: line)
    }

    func testDescriptorsOfOtherThings() throws {
        XCTAssertTrue(FileManager.default.createFile(atPath: path("file"), contents: Data("content".utf8)))
        let (pipe, end) = try UnnamedPipe.create()
        let (near, far) = try LocalSocketStream.pair()
        let (channel, other) = try IPCChannel.makeBytes()
        var unsealed = cip_region()
        XCTAssertEqual(cip_region_create(4096, &unsealed), 0)
        let others = [
            "the null device": try IPCDescriptor(adopting: open("/dev/null", O_RDWR)),
            "a pipe": try copy(end), "a pipe's other end": try copy(pipe),
            "a folder": try IPCDescriptor(adopting: open(directory, O_RDONLY)),
            "a file to be read": try IPCDescriptor(adopting: open(path("file"), O_RDONLY)),
            "a file to be written": try IPCDescriptor(adopting: open(path("file"), O_RDWR)),
            "memory that can shrink": IPCDescriptor(OwnedDescriptor(unsealed.writable), name: nil),
        ]
        let sockets = ["a stream": try copy(near), "a channel": try copy(channel)]
        let frozen = ["a frozen region": try copy(SharedRegion(byteCount: 10) { _ in })]
        let writable = ["shared memory": try copy(UnsafeSharedMemory(byteCount: 10))]
        let memory = frozen.merging(writable) { $1 }
        let noChannel = others.merging(memory) { $1 }.merging(["a stream": try copy(far)]) { $1 }
        try assertRefused(IPCSender<Int>.self, .sender, noChannel)
        try assertRefused(IPCReceiver<Int>.self, .receiver, noChannel)
        try assertRefused(SharedRegion.self, .region, others.merging(sockets) { $1 }.merging(writable) { $1 })
        try assertRefused(UnsafeSharedMemory.self, .unsafeMemory, others.merging(sockets) { $1 }.merging(frozen) { $1 })
        try assertRefused(
            LocalSocketStream.self,
            .stream,
            others.merging(memory) { $1 }.merging(["a channel": try copy(other)]) { $1 }
        )
        // By another kind than the type's, what is right is refused, too.
        try assertRefused(IPCSender<Int>.self, .receiver, sockets)
        try assertRefused(IPCDescriptor.self, .sender, sockets)
    }

    /// What is not decoded is closed, as the test's end finds out.
    func testMessagesThatNobodyDecodes() throws {
        let (sender, end) = try IPCChannel.make(of: [IPCSender<Int>].self)
        let raw = try IPCBytesReceiver(adopting: copy(end))
        let strings = IPCReceiver<[String]>(try IPCChannel.adopt(copy(end)), limit: 1 << 20)
        let numbers = try (0..<10).map { _ in try IPCChannel.make(of: Int.self) }
        for _ in 0..<3 { try sender.send(numbers.map { $0.sender }) }
        XCTAssertEqual(try raw.receiveMessage().descriptorCount, 10)
        XCTAssertGreaterThan(try raw.receive().count, 10)
        assertThrows(.decodingFailed) { try strings.receive() }
        // Half of them are decoded, and then it fails.
        try sender.send(numbers.map { $0.sender })
        let mixed = IPCReceiver<[IPCDescriptor]>(try IPCChannel.adopt(copy(end)), limit: 1 << 20)
        assertThrows(.decodingFailed) { try mixed.receive() }
        for (sender, receiver) in numbers {
            sender.close()
            assertThrows(.disconnected) { try receiver.receive(timeout: .seconds(10)) }
        }
    }

    #if os(Linux)
    /// A process that has room for some of them takes none.
    func testRoomForThree() throws {
        let (sender, receiver) = try IPCChannel.make(of: [IPCSender<Int>].self)
        let (numbers, inbox) = try IPCChannel.make(of: Int.self)
        try sender.send(Array(repeating: numbers, count: 100))
        try sender.send([numbers])
        // Descriptors are numbered from the lowest free one.
        var fillers: [Int32] = []
        let limit = DescriptorLimit(256)
        while case let filler = dup(0), filler >= 0 { fillers.append(filler) }
        for filler in fillers.suffix(3) { close(filler) }
        let result = Result { try receiver.receive() }
        let free = (0..<4).map { _ in dup(0) }
        for filler in fillers.dropLast(3) + free where filler >= 0 { close(filler) }
        limit.restore()
        assertThrows(.resourcesExhausted) { try result.get() }
        // All three are free again.
        XCTAssertEqual(free.filter { $0 >= 0 }.count, 3)
        try receiver.receive()[0].send(5)
        XCTAssertEqual(try inbox.receive(), 5)
    }
    #endif
}
