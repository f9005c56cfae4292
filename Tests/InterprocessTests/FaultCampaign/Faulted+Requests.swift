// SPDX-License-Identifier: MIT OR Apache-2.0

#if INTERPROCESS_FAULT_INJECTION && os(Linux)
import Foundation
import XCTest

@testable import Interprocess

/// Connections that are made with somebody else, and requests over them.
extension FaultSection {
    private typealias Texts = IPCConnection<String, String>

    static var connectionReaching: [FaultedOperation] {
        [
            connecting("`IPCConnection.connect(to:)`", waitingBy: .poll) { scene, name in
                try scene.faulted { try Texts.connect(to: name) }
            },
            connecting("`await IPCConnection.connect(to:)`", waitingBy: .watch) { scene, name in
                try scene.awaited { try await Texts.connect(to: name) }
            },
            spawning("`IPCConnection.spawn(_:)`", waitingBy: .poll) { scene, script, options in
                try scene.faulted { try Texts.spawn("sh", arguments: ["-c", script], options: options) }
            },
            spawning("`await IPCConnection.spawn(_:)`", waitingBy: .watch) { scene, script, options in
                try scene.awaited { try await Texts.spawn("sh", arguments: ["-c", script], options: options) }
            },
        ]
    }

    private static func connecting(
        _ name: String,
        waitingBy call: System.Call,
        _ connect: @escaping (FaultScene, LocalSocketName) throws -> Texts
    ) -> FaultedOperation {
        .make(name) { scene in
            let listener = try LocalSocketListener(try uniqueName())
            let name = try XCTUnwrap(listener.name)
            let bytes = try introduction(.server) + frame(.message, encoded("hello"))
            let accepted = Seen<LocalSocketStream>()
            scene.before(call) {
                // Of an attempt that failed late, the server has a client that has left.
                while let client = try? listener.accept(timeout: .zero) {
                    try? client.writeAll(bytes)
                    accepted.append(client)
                }
            }
            let connection = try connect(scene, name)
            XCTAssertEqual(try connection.receive(timeout: .seconds(10)), "hello")
        }
    }

    private static func spawning(
        _ name: String,
        waitingBy call: System.Call,
        _ spawn: @escaping (FaultScene, String, IPCChild.Options) throws -> (connection: Texts, child: IPCChild)
    ) -> FaultedOperation {
        .make(name) { scene in
            // The program says who it is when its input ends.
            let (gate, input) = try UnnamedPipe.create()
            var options = IPCChild.Options()
            options.input = .descriptor(input)
            scene.before(call) { gate.close() }
            let bytes = try introduction(.peer) + frame(.message, encoded("hello"))
            let words = bytes.map { byte in "\\0" + String(format: "%03o", byte) }.joined()
            let script = "read gate; printf %b '\(words)' >&3; read end <&3"
            let (connection, child) = try spawn(scene, script, options)
            XCTAssertEqual(try connection.receive(timeout: .seconds(10)), "hello")
            connection.close()
            try child.wait(timeout: .seconds(10))
        }.leaving(.children)
    }

    static var connectionRequests: [FaultedOperation] {
        [
            asking("`request(_:)`") { scene, connection in
                try scene.faulted { try connection.request("question", timeout: .seconds(20)) }
            },
            asking("`await request(_:)`") { scene, connection in
                try scene.awaited { try await connection.request("question", timeout: .seconds(20)) }
            },
            answering("`reply(_:)`") { scene, message in try scene.faulted { try message.reply("answer") } },
            answering("`await reply(_:)`") { scene, message in
                try scene.awaited { try await message.reply("answer") }
            },
            .use("`await send(_:)` on an event loop, and `await flush()`") { scene in
                let (one, other) = try Texts.pair()
                try scene.faulted {
                    try RunningTask(on: EventLoop.shared) {
                        // The preference holds from the first suspension on.
                        await Task.yield()
                        try await one.send("hello")
                        try await one.flush()
                    }.value()
                }
                XCTAssertEqual(try other.receive(timeout: .seconds(10)), "hello")
            },
        ]
    }

    private static func asking(
        _ name: String,
        _ ask: @escaping (FaultScene, Texts) throws -> String
    ) -> FaultedOperation {
        .use(name) { scene in
            let (connection, peer) = try Texts.withRawPeer()
            // It answers what has failed, too, and what is asked then.
            for number in 1...2 {
                try peer.writeAll(frame(.reply, encoded("answer \(number)"), request: UInt64(number)))
            }
            let answer = try ask(scene, connection)
            XCTAssertTrue(["answer 1", "answer 2"].contains(answer), answer)
        }
    }

    private static func answering(
        _ name: String,
        _ reply: @escaping (FaultScene, IPCIncomingMessage<String, String>) throws -> Void
    ) -> FaultedOperation {
        .use(name) { scene in
            let (connection, peer) = try Texts.withRawPeer()
            try peer.writeAll(frame(.request, encoded("question"), request: 1))
            try reply(scene, connection.receiveMessage(timeout: .seconds(10)))
            let answer = try frame(.reply, encoded("answer"), request: 1)
            XCTAssertEqual(try peer.readExactly(answer.count, timeout: .seconds(10)), answer)
        }
    }
}

/// What a side says of itself first.
func introduction(_ role: Hello.Role) -> [UInt8] {
    let options = IPCConnectionOptions()
    let fingerprint = Hello.fingerprint(String.self, options)
    return frame(.hello, Hello(role, options, receives: fingerprint, sends: fingerprint).bytes)
}
#endif
