// SPDX-License-Identifier: MIT OR Apache-2.0

#if INTERPROCESS_FAULT_INJECTION && os(Linux)
import Foundation
import XCTest

@testable import Interprocess

/// Channels, of bytes and of values.
extension FaultSection {
    static var channels: FaultSection {
        FaultSection(
            title: "IPCChannel",
            operations: channelMaking + bytesChannel + typedChannel,
            reasons: channelReasons
        )
    }

    static var groups: FaultSection {
        FaultSection(title: "IPCReceiverGroup", operations: groupOperations, reasons: groupReasons)
    }

    private static var channelMaking: [FaultedOperation] {
        [
            .make("`makeBytes()`") { scene in
                let (sender, receiver) = try scene.faulted { try IPCChannel.makeBytes() }
                try sender.send([7])
                XCTAssertEqual(try receiver.receive(), [7])
            },
            .make("`make(of:)`") { scene in
                let (sender, receiver) = try scene.faulted { try IPCChannel.make(of: String.self) }
                try sender.send("hello")
                XCTAssertEqual(try receiver.receive(), "hello")
            },
        ]
    }

    private static var bytesChannel: [FaultedOperation] {
        func sending(
            _ name: String,
            waits: Bool = false,
            _ bytes: [UInt8] = [7],
            _ send: @escaping (FaultScene, IPCBytesSender, [UInt8]) throws -> Void
        ) -> FaultedOperation {
            .use(name) { scene in
                let (sender, receiver) = try IPCChannel.makeBytes()
                if waits { scene.pretendToBlock(.message) }
                try send(scene, sender, bytes)
                XCTAssertEqual(try receiver.receive(), bytes)
            }
        }
        func receiving(
            _ name: String,
            waits: Bool = false,
            _ bytes: [UInt8] = [7],
            _ receive: @escaping (FaultScene, IPCBytesReceiver) throws -> [UInt8]?
        ) -> FaultedOperation {
            .use(name) { scene in
                let (sender, receiver) = try IPCChannel.makeBytes()
                try sender.send(bytes)
                if waits { scene.pretendToBlock(.message) }
                XCTAssertEqual(try receive(scene, receiver), bytes)
                try sender.send([8])
                XCTAssertEqual(try receiver.receive(), [8])
            }
        }
        let long = [UInt8](repeating: 9, count: 80_000)
        return [
            sending("`send(_:)`, bytes") { scene, sender, bytes in try scene.faulted { try sender.send(bytes) } },
            sending("`send(_:)`, bytes, that waits", waits: true) { scene, sender, bytes in
                try scene.faulted { try sender.send(bytes, timeout: .seconds(20)) }
            },
            sending("`await send(_:)`, bytes") { scene, sender, bytes in
                try scene.awaited { try await sender.send(bytes) }
            },
            sending("`send(_:)`, a message in parts", long) { scene, sender, bytes in
                try scene.faulted { try sender.send(bytes) }
            }.without("EAGAIN"),
            sending("`trySend(_:)`, bytes") { scene, sender, bytes in
                try scene.faulted { try sender.trySend(bytes) }
            },
            receiving("`receive()`, bytes") { scene, receiver in try scene.faulted { try receiver.receive() } },
            receiving("`receive()`, bytes, that waits", waits: true) { scene, receiver in
                try scene.faulted { try receiver.receive(timeout: .seconds(20)) }
            },
            receiving("`await receive()`, bytes") { scene, receiver in
                try scene.awaited { try await receiver.receive() }
            },
            receiving("`receive()`, a message in parts", long) { scene, receiver in
                try scene.faulted { try receiver.receive() }
            },
            receiving("`tryReceive()`, bytes") { scene, receiver in
                try scene.faulted {
                    guard let bytes = try receiver.tryReceive() else { throw nothing }
                    return bytes
                }
            },
        ]
    }

    private struct Parcel: Codable, Sendable {
        var text: String
        var file: IPCDescriptor?
    }

    private static var typedChannel: [FaultedOperation] {
        func make() throws -> (IPCSender<Parcel>, IPCReceiver<Parcel>, Parcel) {
            let (sender, receiver) = try IPCChannel.make(of: Parcel.self)
            return (sender, receiver, Parcel(text: "hello", file: try IPCDescriptor(adopting: dup(0))))
        }
        func expect(_ parcel: Parcel?) {
            XCTAssertEqual(parcel?.text, "hello")
            XCTAssertNotNil(parcel?.file)
        }
        return [
            .use("`send(_:)`, a value with a descriptor") { scene in
                let (sender, receiver, parcel) = try make()
                try scene.faulted { try sender.send(parcel) }
                try expect(receiver.receive())
            },
            .use("`await send(_:)`, a value with a descriptor") { scene in
                let (sender, receiver, parcel) = try make()
                try scene.awaited { try await sender.send(parcel) }
                try expect(receiver.receive())
            },
            .use("`trySend(_:)`, a value") { scene in
                let (sender, receiver, parcel) = try make()
                try scene.faulted { try sender.trySend(parcel) }
                try expect(receiver.receive())
            },
            .use("`receive()`, a value with a descriptor") { scene in
                let (sender, receiver, parcel) = try make()
                try sender.send(parcel)
                try expect(scene.faulted { try receiver.receive() })
            },
            .use("`await receive()`, a value with a descriptor") { scene in
                let (sender, receiver, parcel) = try make()
                try sender.send(parcel)
                try expect(scene.awaited { try await receiver.receive() })
            },
            .use("`tryReceive()`, a value") { scene in
                let (sender, receiver, parcel) = try make()
                try sender.send(parcel)
                try expect(
                    scene.faulted {
                        guard let parcel = try receiver.tryReceive() else { throw nothing }
                        return parcel
                    }
                )
            },
            .use("`send(_:)`, an end of a channel") { scene in
                let (sender, receiver) = try IPCChannel.make(of: IPCSender<String>.self)
                let (inner, last) = try IPCChannel.make(of: String.self)
                try scene.faulted { try sender.send(inner) }
                try receiver.receive().send("hello")
                XCTAssertEqual(try last.receive(), "hello")
            },
        ]
    }

    private static var groupOperations: [FaultedOperation] {
        [
            .make("`init()`") { scene in
                let group = try scene.faulted { try IPCReceiverGroup() }
                let (sender, receiver) = try IPCChannel.makeBytes()
                try group.add(receiver)
                try sender.send([7])
                try expectMessage(group.next(timeout: .seconds(10)))
            },
            .use("`add(_:)`") { scene in
                let group = try IPCReceiverGroup()
                let (sender, receiver) = try IPCChannel.makeBytes()
                try scene.faulted { _ = try group.add(receiver) }
                try sender.send([7])
                try expectMessage(group.next(timeout: .seconds(10)))
            },
            .use("`remove(_:)`") { scene in
                let group = try IPCReceiverGroup()
                let (sender, receiver) = try IPCChannel.makeBytes()
                let id = try group.add(receiver)
                try scene.faulted { _ = group.remove(id) }
                try sender.send([7])
                XCTAssertEqual(try receiver.receive(), [7])
            },
            .use("`next()`") { scene in
                let (group, sender) = try makeGroup()
                try sender.send([7])
                try expectMessage(scene.faulted { try told(group.next(timeout: .seconds(20))) })
            },
            .use("`tryNext()`") { scene in
                let (group, sender) = try makeGroup()
                try sender.send([7])
                try expectMessage(scene.faulted { try told(group.tryNext()) })
            },
            .use("`await next()`") { scene in
                let (group, sender) = try makeGroup()
                try sender.send([7])
                try expectMessage(scene.awaited { try told(await group.next()) })
            },
        ]
    }

    private static func makeGroup() throws -> (IPCReceiverGroup, IPCBytesSender) {
        let group = try IPCReceiverGroup()
        let (sender, receiver) = try IPCChannel.makeBytes()
        try group.add(receiver)
        // A new member is looked at once, whatever the kernel tells.
        _ = try group.tryNext()
        return (group, sender)
    }

    /// An event that is an error, as an error.
    @Sendable
    private static func told(_ event: IPCReceiverGroup.Event?) throws -> IPCReceiverGroup.Event? {
        guard let event else { throw nothing }
        if case .failed(_, let error) = event { throw error }
        return event
    }

    /// What takes the place of `nil`.
    private static var nothing: IPCError { IPCError(.wouldBlock, operation: .read) }

    private static func expectMessage(_ event: IPCReceiverGroup.Event?) throws {
        guard case .message(_, let message) = event else {
            return XCTFail("no message, but \(String(describing: event))")
        }
        XCTAssertEqual(message.bytes, [7])
    }
}
#endif
