// SPDX-License-Identifier: MIT OR Apache-2.0

#if INTERPROCESS_FAULT_INJECTION && os(Linux)
import Foundation
import XCTest

@testable import Interprocess

/// Unix domain sockets, with what only they carry.
extension FaultSection {
    static var unixStream: FaultSection {
        FaultSection(title: "UnixStream", operations: messages(LocalSocketStream.pair), reasons: messageReasons)
    }

    static var unixPackets: FaultSection {
        FaultSection(
            title: "UnixPacketSocket and UnixPacketListener",
            operations: packetMaking + messages(UnixPacketSocket.pair),
            reasons: packetReasons
        )
    }

    static var unixDatagrams: FaultSection {
        FaultSection(
            title: "UnixDatagramSocket",
            operations: datagramMaking + messages(UnixDatagramSocket.pair) + datagramSending,
            reasons: datagramReasons
        )
    }

    private static func messages<Socket: UnixSocket>(
        _ make: @escaping () throws -> (Socket, Socket)
    ) -> [FaultedOperation] {
        func sending(
            _ name: String,
            waits: Bool = false,
            attaches: Bool = false,
            _ send: @escaping (FaultScene, Socket, UnixAttachments) throws -> Int
        ) -> FaultedOperation {
            .use(name) { scene in
                let (one, other) = try make()
                if waits { scene.pretendToBlock(.message) }
                var attachments = UnixAttachments()
                if attaches {
                    attachments = .descriptors(one)
                    attachments.credentials = .own
                    try other.setReceivesCredentials(true)
                }
                XCTAssertEqual(try send(scene, one, attachments), 5)
                let (bytes, message) = try other.receive(upTo: 9, maximumDescriptors: 1)
                XCTAssertEqual(bytes, Array("hello".utf8))
                XCTAssertEqual(message.descriptors.count, attaches ? 1 : 0)
                XCTAssertEqual(message.credentials?.processID, attaches ? getpid() : nil)
            }
        }
        func receiving(
            _ name: String,
            waits: Bool = false,
            _ receive: @escaping (FaultScene, Socket) throws -> ([UInt8], UnixMessage)
        ) -> FaultedOperation {
            .use(name) { scene in
                let (one, other) = try make()
                try one.send(Array("hello".utf8), with: .descriptors(one))
                if waits { scene.pretendToBlock(.message) }
                let (bytes, message) = try receive(scene, other)
                XCTAssertEqual(bytes, Array("hello".utf8))
                XCTAssertEqual(message.descriptors.count, 1)
            }
        }
        let bytes = Array("hello".utf8)
        let limit = Duration.seconds(20)
        return [
            sending("`send(_:)`") { scene, socket, attachments in
                try scene.faulted { try socket.send(bytes, with: attachments) }
            },
            sending("`send(_:with:)`, a descriptor and credentials", attaches: true) { scene, socket, attachments in
                try scene.faulted { try socket.send(bytes, with: attachments) }
            },
            sending("`send(_:)` that waits", waits: true) { scene, socket, attachments in
                try scene.faulted { try socket.send(bytes, with: attachments, timeout: limit) }
            },
            sending("`await send(_:with:)`", attaches: true) { scene, socket, attachments in
                try scene.awaited { try await socket.send(bytes, with: attachments) }
            },
            receiving("`receive(upTo:)`, a descriptor") { scene, socket in
                try scene.faulted { try socket.receive(upTo: 9, maximumDescriptors: 2) }
            },
            receiving("`receive(upTo:)` that waits", waits: true) { scene, socket in
                try scene.faulted { try socket.receive(upTo: 9, maximumDescriptors: 2, timeout: limit) }
            },
            receiving("`await receive(upTo:)`") { scene, socket in
                try scene.awaited { try await socket.receive(upTo: 9, maximumDescriptors: 2) }
            },
            receiving("`peek(upTo:)`") { scene, socket in
                XCTAssertEqual(try scene.faulted { try socket.peek(upTo: 9) }, bytes)
                return try socket.receive(upTo: 9, maximumDescriptors: 2)
            },
            receiving("`setReceivesCredentials(_:)`") { scene, socket in
                try scene.faulted { try socket.setReceivesCredentials(true) }
                return try socket.receive(upTo: 9, maximumDescriptors: 2)
            },
            receiving("`sendBufferSize()`") { scene, socket in
                XCTAssertGreaterThan(try scene.faulted { try socket.sendBufferSize() }, 0)
                return try socket.receive(upTo: 9, maximumDescriptors: 2)
            },
            receiving("`setReceiveBufferSize(_:)`") { scene, socket in
                try scene.faulted { try socket.setReceiveBufferSize(65536) }
                return try socket.receive(upTo: 9, maximumDescriptors: 2)
            },
            receiving("`localAddress()`") { scene, socket in
                XCTAssertTrue(try scene.faulted { try socket.localAddress() }.isUnnamed)
                return try socket.receive(upTo: 9, maximumDescriptors: 2)
            },
        ]
    }

    private static var packetMaking: [FaultedOperation] {
        func exchange(_ one: UnixPacketSocket, _ other: UnixPacketSocket) throws {
            try one.send([7])
            XCTAssertEqual(try other.receive(upTo: 9).bytes, [7])
        }
        return [
            .make("`UnixPacketListener(address:)`, a path") { scene in
                let address = try UnixSocketAddress.path(scene.path)
                let listener = try scene.faulted { try UnixPacketListener(address: address) }
                try exchange(UnixPacketSocket.connect(to: address), listener.accept())
            },
            .use("`accept()`") { scene in
                let address = try UnixSocketAddress.path(scene.path)
                let listener = try UnixPacketListener(address: address)
                let client = try UnixPacketSocket.connect(to: address)
                try exchange(client, scene.faulted { try listener.accept() })
            },
            .make("`UnixPacketSocket.connect(to:)`") { scene in
                let address = try UnixSocketAddress.path(scene.path)
                let listener = try UnixPacketListener(address: address)
                try exchange(scene.faulted { try UnixPacketSocket.connect(to: address) }, listener.accept())
            },
            .make("`UnixPacketSocket.pair()`") { scene in
                let (one, other) = try scene.faulted { try UnixPacketSocket.pair() }
                try exchange(one, other)
            },
            .use("`nextMessageSize()`") { scene in
                let (one, other) = try UnixPacketSocket.pair()
                try one.send([1, 2, 3])
                XCTAssertEqual(try scene.faulted { try other.nextMessageSize() }, 3)
            },
        ]
    }

    private static var datagramMaking: [FaultedOperation] {
        [
            .make("`init(address:)`, a path") { scene in
                let address = try UnixSocketAddress.path(scene.path)
                let socket = try scene.faulted { try UnixDatagramSocket(address: address) }
                try socket.send([7], to: address)
                XCTAssertEqual(try socket.receive(upTo: 9).bytes, [7])
            },
            .make("`init(address:)`, `.automatic`") { scene in
                let socket = try scene.faulted { try UnixDatagramSocket(address: .automatic) }
                try socket.send([7], to: socket.localAddress())
                XCTAssertEqual(try socket.receive(upTo: 9).bytes, [7])
            },
            .make("`pair()`") { scene in
                let (one, other) = try scene.faulted { try UnixDatagramSocket.pair() }
                try one.send([7])
                XCTAssertEqual(try other.receive(upTo: 9).bytes, [7])
            },
        ]
    }

    private static var datagramSending: [FaultedOperation] {
        [
            .use("`connect(to:)`") { scene in
                let (one, other) = (
                    try UnixDatagramSocket(address: .automatic), try UnixDatagramSocket(address: .automatic)
                )
                let address = try other.localAddress()
                try scene.faulted { try one.connect(to: address) }
                try one.send([7])
                XCTAssertEqual(try other.receive(upTo: 9).bytes, [7])
            },
            .use("`send(_:to:)`") { scene in
                let (one, other) = (
                    try UnixDatagramSocket(address: .automatic), try UnixDatagramSocket(address: .automatic)
                )
                let address = try other.localAddress()
                try scene.faulted { _ = try one.send([7], to: address) }
                XCTAssertEqual(try other.receive(upTo: 9).bytes, [7])
            },
            .use("`sendMany(_:)`") { scene in
                let (one, other) = try UnixDatagramSocket.pair()
                let batch = UnixDatagramBatch(capacity: 2, maximumSize: 9)
                try batch.add([1])
                try batch.add([2])
                XCTAssertEqual(try scene.faulted { try one.sendMany(batch) }, 2)
                XCTAssertEqual(try other.receive(upTo: 9).bytes + other.receive(upTo: 9).bytes, [1, 2])
            },
            .use("`receiveMany(into:)`") { scene in
                let (one, other) = try UnixDatagramSocket.pair()
                try one.send([1])
                try one.send([2])
                let batch = UnixDatagramBatch(capacity: 2, maximumSize: 9)
                XCTAssertEqual(try scene.faulted { try other.receiveMany(into: batch) }, 2)
                XCTAssertEqual(batch.bytes(at: 0) + batch.bytes(at: 1), [1, 2])
            },
        ]
    }
}
#endif
