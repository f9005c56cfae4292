// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

/// The awaited forms do what those that block do.
final class UnixMessageAsyncTests: InterprocessTestCase {
    func testMessages() async throws {
        try await onEachExecutor {
            for pair in try eachKindOfUnixSocket() {
                let (one, other) = (pair.one, pair.other)
                let (sender, receiver) = try UnnamedPipe.create()
                try await assertEqual(3) { try await one.send([1, 2, 3], with: .descriptors(receiver)) }
                receiver.close()
                try await assertEqual([1, 2]) { try await other.peek(upTo: 2) }
                let (bytes, message) = try await other.receive(upTo: 9, maximumDescriptors: 1)
                XCTAssertEqual(bytes, [1, 2, 3])
                XCTAssertFalse(message.isEnd || message.isTruncated || message.descriptorsAreTruncated)
                try await sender.writeAll("x\n")
                let pipe = try UnnamedPipeReceiver(adopting: message.descriptors[0])
                try await assertEqual("x") { try await pipe.readLine() }

                try await one.send([4, 5], with: .descriptors(sender))
                let cut = try await other.receive(upTo: 1).message
                XCTAssertTrue(cut.descriptorsAreTruncated)
                XCTAssertEqual(cut.isTruncated, type(of: one).kind.keepsBoundaries)
                var many = UnixAttachments()
                for _ in 0..<254 { many.add(one) }
                await assertThrows(.messageTooLarge, .write) { try await one.send([1], with: many) }
                pair.close()
            }
        }
    }

    func testMemoryForms() async throws {
        try await onEachExecutor {
            let (one, other) = try UnixStream.pair()
            let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 10, alignment: 1)
            defer { memory.deallocate() }
            for index in 0..<10 { memory[index] = UInt8(index) }
            try await one.send(UnsafeRawBufferPointer(rebasing: memory[..<2]))
            let pieces = [2..<3, 3..<3, 3..<6].map { UnsafeRawBufferPointer(rebasing: memory[$0]) }
            try await assertEqual(4) { try await one.send(gathering: pieces) }
            try await assertEqual(6) { try await other.peek(into: memory) }
            let places = [8..<10, 0..<4].map { UnsafeMutableRawBufferPointer(rebasing: memory[$0]) }
            try await assertEqual(6) { try await other.receive(scattering: places).byteCount }
            XCTAssertEqual(Array(memory), [2, 3, 4, 5, 4, 5, 6, 7, 0, 1])
            try await one.send([9])
            try await assertEqual(1) { try await other.receive(into: memory).byteCount }
            XCTAssertEqual(memory[0], 9)
        }
    }

    /// A mistake in counting costs no message.
    func testNegativeCounts() async throws {
        for pair in try eachKindOfUnixSocket() {
            try await pair.other.send([1])
            await assertThrows(.invalidArgument, .read) { try await pair.one.receive(upTo: -1) }
            await assertThrows(.invalidArgument, .read) { try await pair.one.peek(upTo: -1) }
            try await assertEqual([1], pair.name) { try await pair.one.receive(upTo: 9).bytes }
            pair.close()
        }
    }

    #if os(Linux)
    /// What is there before the offset is no reason to look again and again, nor to do so for ever.
    func testPeekingBehindWhatIsThere() async throws {
        for executor in Self.executors {
            let (one, other) = try UnixStream.pair()
            try await other.send([1, 2])
            try one.setPeekOffset(2)
            #if INTERPROCESS_FAULT_INJECTION
            FaultInjection.startRecording()
            let late = RunningTask(on: executor) { try await one.peek(upTo: 2, timeout: .milliseconds(400)) }
            await assertThrows(.timedOut, .read) { try await late.value() }
            let looks = FaultInjection.endRecording().calls.count { $0 == .message }
            XCTAssertLessThan(looks, 100, "it keeps the processor busy")
            #endif
            for ending in ["cancel", "close"] {
                let peeking = RunningTask(on: executor) { try await one.peek(upTo: 2) }
                if ending == "cancel" { peeking.cancel() } else { one.close() }
                await assertThrows(ending == "cancel" ? .cancelled : .closed, .read) { try await peeking.value() }
            }
            let (two, third) = try UnixStream.pair()
            try await third.send([1, 2])
            try two.setPeekOffset(2)
            let peeking = RunningTask(on: executor) { try await two.peek(upTo: 2) }
            try await third.send([3])
            try await assertEqual([3]) { try await peeking.value() }
        }
    }
    #endif

    func testReadAheadComesFirst() async throws {
        try await onEachExecutor {
            let (one, other) = try UnixStream.pair()
            try await one.writeAll("line\nrest")
            try await assertEqual("line") { try await other.readLine() }
            try await one.send([7], with: .descriptors(one))
            try await assertEqual(Array("rest".utf8)) { try await other.peek(upTo: 100) }
            let first = try await other.receive(upTo: 100, maximumDescriptors: 1)
            XCTAssertEqual(first.bytes, Array("rest".utf8))
            let second = try await other.receive(upTo: 100, maximumDescriptors: 1)
            XCTAssertEqual(second.message.descriptors.count, 1)
        }
    }

    func testSendAll() async throws {
        for executor in Self.executors {
            let (one, other) = try UnixStream.pair()
            let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
            let sender = RunningTask(on: executor) { try await one.sendAll(bytes, with: .descriptors(other)) }
            var received: [UInt8] = []
            var descriptors = 0
            while received.count < bytes.count {
                let (part, message) = try await other.receive(upTo: 100_000, maximumDescriptors: 10)
                descriptors += message.descriptors.count
                received += part
            }
            try await sender.value()
            XCTAssertEqual(received, bytes)
            XCTAssertEqual(descriptors, 1)
            let error = await assertThrows(.timedOut, .write) {
                try await one.sendAll(bytes, with: .descriptors(one), timeout: .milliseconds(20))
            }
            XCTAssertGreaterThan(error!.bytesTransferred, 0)
        }
    }

    /// A receiver short of numbers gets an error that says so, and has none of them afterwards.
    func testNoNumbersLeft() async throws {
        // The loop has all that it needs before.
        let (one, other) = try UnixStream.pair()
        await assertThrows(.timedOut) { try await other.receive(upTo: 1, timeout: .milliseconds(1)) }
        try await one.send([1, 2, 3], with: .descriptors(one, one))
        try await one.send([4])
        let before = OpenDescriptors.all()
        let error = await withoutDescriptors {
            await assertThrows(.resourcesExhausted, .read) {
                try await other.receive(upTo: 9, maximumDescriptors: 5)
            }
        }
        XCTAssertEqual(OpenDescriptors.all(), before)
        #if os(Linux)
        XCTAssertEqual(error?.bytesTransferred, 3)
        try await assertEqual([4]) { try await other.receive(upTo: 3).bytes }
        #endif
    }

    func testStreamsByAddress() async throws {
        try await onEachExecutor {
            let address = try UnixSocketAddress.path(path("\(UInt32.random(in: 0...UInt32.max))"))
            await assertThrows(.notFound, .connect) { try await UnixStream.connect(toAddress: address) }
            let listener = try UnixListener(address: address)
            let client = try await UnixStream.connect(toAddress: address)
            let server = try await listener.accept()
            try await assertEqual(address) { try await client.peerAddress() }
            try await server.send([1])
            try await assertEqual([1]) { try await client.receive(upTo: 9).bytes }
            server.close()
            let end = try await client.receive(upTo: 9)
            XCTAssertTrue(end.message.isEnd)
            listener.close()
        }
    }

    #if !canImport(Darwin)
    func testPackets() async throws {
        for executor in Self.executors {
            let address = try UnixSocketAddress.path(path("\(UInt32.random(in: 0...UInt32.max))"))
            await assertThrows(.notFound, .connect) { try await UnixPacketSocket.connect(to: address) }
            let listener = try UnixPacketListener(address: address)
            let accepting = RunningTask(on: executor) { try await listener.accept() }
            await waitUntilAwaited(listener)
            let client = try await UnixPacketSocket.connect(to: address, options: waiting(.deferred))
            let server: UnixPacketSocket = try await accepting.value()
            try await assertEqual(getpid()) { try await client.peerCredentials().processID }
            try await assertEqual(address) { try await client.peerAddress() }
            for bytes in [[], [1, 2, 3]] as [[UInt8]] { try await client.send(bytes) }
            #if os(Linux)
            let empty = try await server.receive(upTo: 9)
            XCTAssertFalse(empty.message.isEnd)
            try await assertEqual(3) { try await server.nextMessageSize() }
            #else
            _ = try await server.receive(upTo: 9)
            #endif
            try await assertEqual([1, 2, 3]) { try await server.receive(upTo: 9).bytes }
            let copy = try await server.duplicate()
            try await client.shutdown(.send)
            let end = try await copy.receive(upTo: 9)
            XCTAssertTrue(end.message.isEnd)
            Foundation.close(try await copy.detach())

            await assertThrows(.timedOut, .accept) { try await listener.accept(timeout: .milliseconds(1)) }
            let cancelled = RunningTask(on: executor) { _ = try await listener.accept() }
            await waitUntilAwaited(listener)
            cancelled.cancel()
            await assertThrows(.cancelled, .accept) { try await cancelled.value() }
            let closed = RunningTask(on: executor) { _ = try await listener.accept() }
            await waitUntilAwaited(listener)
            listener.close()
            await assertThrows(.closed, .accept) { try await closed.value() }
        }
    }
    #endif

    func testDatagrams() async throws {
        for executor in Self.executors {
            let name = path("\(UInt32.random(in: 0...UInt32.max))")
            let server = try UnixDatagramSocket(address: .path(name))
            let client = try UnixDatagramSocket(address: .path(name + "c"))
            try await client.send([1, 2], to: .path(name))
            let (bytes, message) = try await server.receive(upTo: 9)
            XCTAssertEqual(bytes, [1, 2])
            XCTAssertEqual(message.sender?.path, name + "c")
            await assertThrows(.notFound, .write) { try await client.send([1], to: .path(name + "d")) }

            let sender = RunningTask(on: executor) {
                let batch = UnixDatagramBatch(capacity: 100, maximumSize: 4)
                for number in UInt8(0)..<100 { try batch.add([number], to: .path(name)) }
                var sent = 0
                while sent < 100 { sent += try await client.sendMany(batch, startingAt: sent) }
            }
            let batch = UnixDatagramBatch(capacity: 30, maximumSize: 4)
            var next: UInt8 = 0
            while next < 100 {
                let count = try await server.receiveMany(into: batch)
                for index in 0..<count {
                    XCTAssertEqual(batch.bytes(at: index), [next])
                    next += 1
                }
            }
            try await sender.value()
            await assertThrows(.timedOut, .read) { try await server.receiveMany(into: batch, timeout: .zero) }
        }
    }
}
