// SPDX-License-Identifier: MIT OR Apache-2.0

#if INTERPROCESS_FAULT_INJECTION && os(Linux)
import Foundation
import XCTest

@testable import Interprocess

/// Connections and shared memory.
extension FaultSection {
    static var connections: FaultSection {
        FaultSection(
            title: "IPCConnection",
            operations: connectionMaking + connectionReaching + connectionUse + connectionRequests,
            reasons: connectionReasons
        )
    }

    static var sharedMemory: FaultSection {
        FaultSection(
            title: "SharedRegion and SharedRegionPool",
            operations: (regionOperations + poolOperations).map { $0.leaving(.mappings) },
            reasons: memoryReasons
        )
    }

    private typealias Texts = IPCConnection<String, String>

    private static var connectionMaking: [FaultedOperation] {
        [
            .make("`IPCConnection.pair()`") { scene in
                let (one, other) = try scene.faulted { try Texts.pair() }
                try one.send("hello")
                XCTAssertEqual(try other.receive(), "hello")
            },
            .make("`IPCConnection(over:)`") { scene in
                let (one, other) = try introducedPeer()
                let connection = try scene.faulted { try Texts(over: one, timeout: .seconds(20)) }
                try other.writeAll(frame(.message, encoded("hello")))
                XCTAssertEqual(try connection.receive(), "hello")
            },
            .make("`await IPCConnection(over:)`") { scene in
                let (one, other) = try introducedPeer()
                let connection = try scene.awaited { try await Texts(over: one, timeout: .seconds(20)) }
                try other.writeAll(frame(.message, encoded("hello")))
                XCTAssertEqual(try connection.receive(), "hello")
            },
        ]
    }

    /// A stream, and its other end, which has introduced itself.
    private static func introducedPeer() throws -> (LocalSocketStream, LocalSocketStream) {
        let (one, other) = try LocalSocketStream.pair()
        try other.writeAll(introduction(.peer))
        return (one, other)
    }

    private static var connectionUse: [FaultedOperation] {
        let long = String(repeating: "long ", count: 16_000)
        func sending(
            _ name: String,
            waits: Bool = false,
            _ text: String = "hello",
            _ send: @escaping (FaultScene, Texts, String) throws -> Void
        ) -> FaultedOperation {
            .use(name) { scene in
                let (one, other) = try Texts.pair()
                if waits { scene.pretendToBlock(.message) }
                try send(scene, one, text)
                XCTAssertEqual(try other.receive(timeout: .seconds(10)), text)
            }
        }
        func receiving(
            _ name: String,
            waits: Bool = false,
            _ text: String = "hello",
            _ receive: @escaping (FaultScene, Texts) throws -> String?
        ) -> FaultedOperation {
            .use(name) { scene in
                let (one, other) = try Texts.pair()
                try one.send(text)
                if waits { scene.pretendToBlock(.message) }
                let received = try receive(scene, other)
                XCTAssertEqual(received, text)
                try one.send("again")
                XCTAssertEqual(try other.receive(timeout: .seconds(10)), "again")
            }
        }
        return [
            sending("`send(_:)`") { scene, connection, text in try scene.faulted { try connection.send(text) } },
            sending("`send(_:)` that waits", waits: true) { scene, connection, text in
                try scene.faulted { try connection.send(text, timeout: .seconds(20)) }
            },
            sending("`send(_:)`, a long message", long) { scene, connection, text in
                try scene.faulted { try connection.send(text) }
            }.without("EAGAIN"),
            sending("`await send(_:)`") { scene, connection, text in
                try scene.awaited { try await connection.send(text) }
            },
            sending("`trySend(_:)`") { scene, connection, text in
                try scene.faulted { try connection.trySend(text) }
            },
            receiving("`receive()`") { scene, connection in try scene.faulted { try connection.receive() } },
            receiving("`receive()` that waits", waits: true) { scene, connection in
                try scene.faulted { try connection.receive(timeout: .seconds(20)) }
            },
            receiving("`receive()`, a long message", long) { scene, connection in
                try scene.faulted { try connection.receive() }
            },
            receiving("`await receive()`") { scene, connection in
                try scene.awaited { try await connection.receive() }
            },
            receiving("`tryReceive()`") { scene, connection in
                try scene.faulted {
                    guard let text = try connection.tryReceive() else { throw IPCError(.wouldBlock, operation: .read) }
                    return text
                }
            },
            .use("`peerCredentials()`") { scene in
                let (one, _) = try Texts.pair()
                XCTAssertEqual(try scene.faulted { try one.peerCredentials() }.processID, getpid())
            },
        ]
    }

    private static var regionOperations: [FaultedOperation] {
        [
            .make("`SharedRegion(copying:)`") { scene in
                let bytes = Array("hello".utf8)
                let region = try scene.faulted { try SharedRegion(copying: bytes.span.bytes) }
                XCTAssertEqual(region.withUnsafeBytes { Array($0) }, bytes)
            },
            .make("`SharedRegion(adopting:)`") { scene in
                let bytes = Array("hello".utf8)
                let copy = try SharedRegion(copying: bytes.span.bytes).withUnsafeDescriptor { dup(RawDescriptor($0)) }
                let region = try scene.faulted { try SharedRegion(adopting: copy) }
                XCTAssertEqual(region.withUnsafeBytes { Array($0) }, bytes)
            },
            .make("`UnsafeSharedMemory(byteCount:)`") { scene in
                let memory = try scene.faulted { try UnsafeSharedMemory(byteCount: 5000) }
                XCTAssertEqual(memory.withUnsafeMutableBytes { $0.count }, 5000)
            },
        ]
    }

    private static var poolOperations: [FaultedOperation] {
        func lend(_ slot: consuming SharedRegionPool.Slot) throws -> SharedRegionPool.Handle {
            slot.withUnsafeMutableBytes { $0.copyBytes(from: "hello".utf8) }
            return try slot.lend(byteCount: 5)
        }
        func read(_ reader: SharedRegionPool.Reader, _ handle: SharedRegionPool.Handle) throws -> String {
            String(decoding: try reader.open(handle).copyOut(), as: UTF8.self)
        }
        return [
            .make("`SharedRegionPool.make(slotCount:slotSize:)`") { scene in
                let (pool, reader) = try scene.faulted { try SharedRegionPool.make(slotCount: 1, slotSize: 9) }
                XCTAssertEqual(try read(reader, lend(pool.take())), "hello")
            },
            .use("`take()` of a slot that was given back") { scene in
                let (pool, reader) = try SharedRegionPool.make(slotCount: 1, slotSize: 9)
                XCTAssertEqual(try read(reader, lend(pool.take())), "hello")
                let handle = try scene.faulted { try lend(pool.take(timeout: .seconds(20))) }
                XCTAssertEqual(try read(reader, handle), "hello")
            },
            .use("`Reader.open(_:)`, and giving back") { scene in
                let (pool, reader) = try SharedRegionPool.make(slotCount: 1, slotSize: 9)
                let handle = try lend(pool.take())
                XCTAssertEqual(try scene.faulted { try read(reader, handle) }, "hello")
            },
        ]
    }
}
#endif
