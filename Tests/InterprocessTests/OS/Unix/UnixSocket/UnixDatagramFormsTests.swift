// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// The forms in which a datagram can be sent to an address: each sends all of it, and what is attached.
final class UnixDatagramFormsTests: InterprocessTestCase {
    private func attachments() throws -> UnixAttachments { .descriptors(try IPCDescriptor(adopting: dup(0))) }

    private func assertArrived(_ text: String, _ server: UnixDatagramSocket, line: UInt = #line) throws {
        let (bytes, message) = try server.receive(upTo: 100, maximumDescriptors: 2, timeout: .seconds(20))
        XCTAssertEqual(String(decoding: bytes, as: UTF8.self), text, line: line)
        XCTAssertEqual(message.descriptors.count, 1, line: line)
        XCTAssertEqual(message.sender?.path, path("c"), line: line)
    }

    func testBlocking() throws {
        let server = try UnixDatagramSocket(address: .path(path()))
        let client = try UnixDatagramSocket(address: .path(path("c")))
        let (address, bytes) = (try server.localAddress(), Array("datagram".utf8))
        let attached = try attachments()
        XCTAssertEqual(try client.send(bytes, to: address, with: attached), 8)
        try assertArrived("datagram", server)
        XCTAssertEqual(try bytes.withUnsafeBytes { try client.send($0, to: address, with: attached) }, 8)
        try assertArrived("datagram", server)
        XCTAssertEqual(try client.send(bytes.span.bytes, to: address, with: attached), 8)
        try assertArrived("datagram", server)
        try bytes.withUnsafeBytes { memory in
            let (start, end) = (
                UnsafeRawBufferPointer(rebasing: memory[..<4]), UnsafeRawBufferPointer(rebasing: memory[4...])
            )
            let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
            XCTAssertEqual(try client.send(gathering: [end, nothing, start], to: address, with: attached), 8)
            try assertArrived("gramdata", server)
            let many = [UnsafeRawBufferPointer](repeating: start, count: 1025)
            assertThrows(.invalidArgument, .write) { try client.send(gathering: many, to: address) }
        }
        XCTAssertEqual(try client.send([], to: address, with: attached), 0)
        try assertArrived("", server)
        assertThrows(.notFound, .write) { try client.send(bytes.span.bytes, to: .path(self.path("nobody"))) }
    }

    func testAwaited() async throws {
        try await onEachExecutor {
            let server = try UnixDatagramSocket(address: .path(self.path()))
            let client = try UnixDatagramSocket(address: .path(self.path("c")))
            let (address, attached) = (try server.localAddress(), try self.attachments())
            let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 8, alignment: 1)
            defer { memory.deallocate() }
            memory.copyBytes(from: "datagram".utf8)
            let bytes = UnsafeRawBufferPointer(memory)
            var count = try await client.send(bytes, to: address, with: attached)
            XCTAssertEqual(count, 8)
            try self.assertArrived("datagram", server)
            let array = Array("datagram".utf8)
            count = try await client.send(array.span.bytes, to: address, with: attached)
            XCTAssertEqual(count, 8)
            try self.assertArrived("datagram", server)
            let pieces = [UnsafeRawBufferPointer(rebasing: bytes[4...]), UnsafeRawBufferPointer(rebasing: bytes[..<4])]
            count = try await client.send(gathering: pieces, to: address, with: attached)
            XCTAssertEqual(count, 8)
            try self.assertArrived("gramdata", server)
        }
    }
}
