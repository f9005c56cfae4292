// SPDX-License-Identifier: MIT OR Apache-2.0

#if INTERPROCESS_FAULT_INJECTION && os(Linux)
import Foundation
import XCTest

@testable import Interprocess

/// Listeners that go from client to client.
extension FaultSection {
    static var listenerServing: [FaultedOperation] {
        [
            serving("`accept()` at a name without a file") { scene, listener in
                try scene.faulted { try listener.accept() }.readLine()
            },
            serving("`incoming.next()`") { scene, listener in
                try scene.faulted { try XCTUnwrap(listener.incoming.next()).get() }.readLine()
            },
            serving("`await connections.next()`") { scene, listener in
                let client = try scene.awaited {
                    var clients = listener.connections.makeAsyncIterator()
                    return try await clients.next()
                }
                return try client?.readLine()
            },
            serving("`await serve(_:)`") { scene, listener in
                let lines = Seen<String?>()
                try scene.awaited {
                    try await listener.serve { stream in
                        lines.append(try await stream.readLine())
                        listener.close()
                    }
                }
                return lines.values.first ?? nil
            },
            serving("`await serve(eachPiece:)`") { scene, listener in
                let pieces = Seen<String>()
                try scene.awaited {
                    try await listener.serve { client in
                        { bytes in
                            if bytes.isEmpty { return }
                            pieces.append(bytes.withUnsafeBytes { String(decoding: $0.prefix(1), as: UTF8.self) })
                            listener.close()
                            client.close()
                        }
                    }
                }
                return pieces.values.first
            },
        ]
    }

    /// One that returns what a client has said.
    private static func serving(
        _ name: String,
        _ serve: @escaping (FaultScene, LocalSocketListener) throws -> String?
    ) -> FaultedOperation {
        .use(name) { scene in
            let listener = try LocalSocketListener(try uniqueName())
            let clients = try WaitingClients(of: XCTUnwrap(listener.name)) { Array("\($0)\n".utf8) }
            defer { clients.end() }
            clients.expectServed(try serve(scene, listener), in: scene)
        }
    }
}

/// A client of a server, which says "1"; and another one, which comes if the first is disconnected, and says "2".
final class WaitingClients {
    private let first: LocalSocketStream
    private let second: Running<LocalSocketStream?>
    private let pieces: Seen<[UInt8]>

    /// Clients that send what `say` makes of their number, and nothing more then, if they shut down.
    init(
        of name: LocalSocketName,
        shutsDown: Bool = false,
        _ say: @escaping @Sendable (String) throws -> [UInt8]
    ) throws {
        @Sendable func connect(_ number: String) throws -> LocalSocketStream {
            let client = try LocalSocketStream.connect(to: name)
            try client.writeAll(say(number))
            if shutsDown { try client.shutdown(.send) }
            return client
        }
        let first = try connect("1")
        self.first = first
        let pieces = Seen<[UInt8]>()
        self.pieces = pieces
        second = Running {
            FaultInjection.sparing {
                do throws(IPCError) {
                    while case let piece = try first.read(upTo: 4096), !piece.isEmpty { pieces.append(piece) }
                } catch {
                    if error.code == .closed { return nil }
                }
                // The server may be gone, too.
                return try? connect("2")
            }
        }
    }

    func expectServed(_ number: String?, in scene: FaultScene) {
        if number == "2" { scene.didTurnAway() } else { XCTAssertEqual(number, "1") }
    }

    /// What the first one has received, up to the end.
    var received: [UInt8] {
        _ = try? second.value()
        return pieces.values.flatMap { $0 }
    }

    func end() {
        first.close()
        _ = try? second.value()?.close()
    }
}
#endif
