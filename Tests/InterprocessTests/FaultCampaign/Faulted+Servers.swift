// SPDX-License-Identifier: MIT OR Apache-2.0

#if INTERPROCESS_FAULT_INJECTION && os(Linux)
import Foundation
import XCTest

@testable import Interprocess

/// Servers of connections, whose clients introduce themselves.
extension FaultSection {
    static var servers: FaultSection {
        FaultSection(
            title: "IPCServer and IPCOneShotServer",
            operations: serverMaking + serverAccepting + serverServing + serverForOne,
            reasons: serverReasons
        )
    }

    private typealias Server = IPCServer<String, String>
    private typealias ServerForOne = IPCOneShotServer<String, String>

    private static var serverMaking: [FaultedOperation] {
        [
            .make("`IPCServer(_:)`") { scene in
                let name = try LocalSocketName.path(scene.path)
                try scene.faulted { try Server(name) }.close()
            },
            .make("`IPCOneShotServer()`") { scene in try scene.faulted { try ServerForOne() }.close() },
        ]
    }

    private static var serverAccepting: [FaultedOperation] {
        [
            .use("`accept()`") { scene in
                let loop = HeldLoop()
                defer { loop.release() }
                let server = try Server(try uniqueName())
                let clients = try clients(of: XCTUnwrap(server.name), .message)
                defer { clients.end() }
                scene.before(.poll) { loop.release() }
                let connection = try scene.faulted { try server.accept(timeout: .seconds(20)) }
                clients.expectServed(try connection.receive(timeout: .seconds(10)), in: scene)
            },
            .use("`await accept()`") { scene in
                let server = try Server(try uniqueName())
                let clients = try clients(of: XCTUnwrap(server.name), .message)
                defer { clients.end() }
                let connection = try scene.awaited { try await server.accept(timeout: .seconds(20)) }
                clients.expectServed(try connection.receive(timeout: .seconds(10)), in: scene)
            },
            .use("`await connections.next()`") { scene in
                let server = try Server(try uniqueName())
                let clients = try clients(of: XCTUnwrap(server.name), .message)
                defer { clients.end() }
                let connection = try scene.awaited {
                    var connections = server.connections.makeAsyncIterator()
                    return try await connections.next()
                }
                clients.expectServed(try connection?.receive(timeout: .seconds(10)), in: scene)
            },
        ]
    }

    private static var serverServing: [FaultedOperation] {
        [
            .use("`await serve(_:)`") { scene in
                let server = try Server(try uniqueName())
                let clients = try clients(of: XCTUnwrap(server.name), .message)
                defer { clients.end() }
                let received = Seen<String>()
                try scene.awaited {
                    try await server.serve { connection in
                        received.append(try await connection.receive())
                        server.close()
                    }
                }
                clients.expectServed(received.values.first, in: scene)
            },
            .use("`await serve(replying:)`") { scene in
                let server = try Server(try uniqueName())
                let clients = try clients(of: XCTUnwrap(server.name), .request)
                defer { clients.end() }
                let received = Seen<String>()
                try scene.awaited {
                    try await server.serve { request, _ in
                        received.append(request)
                        server.close()
                        return "answer"
                    }
                }
                clients.expectServed(received.values.first, in: scene)
                if received.values.first == "1" && !scene.losesPeer {
                    let answer = try frame(.reply, encoded("answer"), request: 1)
                    XCTAssertEqual(Array(clients.received.suffix(answer.count)), answer)
                }
            },
        ]
    }

    private static var serverForOne: [FaultedOperation] {
        [
            .use("`IPCOneShotServer.accept()`") { scene in
                let loop = HeldLoop()
                defer { loop.release() }
                let server = try ServerForOne()
                let clients = try clients(of: .namespaced(server.name), .message)
                defer { clients.end() }
                scene.before(.poll) { loop.release() }
                let connection = try scene.faulted { try server.accept(timeout: .seconds(20)) }
                clients.expectServed(try connection.receive(timeout: .seconds(10)), in: scene)
            },
            .use("`await IPCOneShotServer.accept()`") { scene in
                let server = try ServerForOne()
                let clients = try clients(of: .namespaced(server.name), .message)
                defer { clients.end() }
                let connection = try scene.awaited { try await server.accept(timeout: .seconds(20)) }
                clients.expectServed(try connection.receive(timeout: .seconds(10)), in: scene)
            },
        ]
    }

    /// Clients that have introduced themselves, and send one thing.
    private static func clients(
        of name: LocalSocketName,
        _ kind: ConnectionFrame.Kind
    ) throws -> WaitingClients {
        try WaitingClients(of: name, shutsDown: kind == .request) { number in
            try introduction(.client) + frame(kind, encoded(number), request: kind == .request ? 1 : 0)
        }
    }
}

/// Keeps the shared event loop's thread, so that nothing is done there before a call has come to wait.
private final class HeldLoop: Sendable {
    private let goOn = DispatchSemaphore(value: 0)

    init() {
        let isHeld = DispatchSemaphore(value: 0)
        Task(executorPreference: EventLoop.shared) { [goOn] in Self.hold(isHeld, goOn) }
        isHeld.wait()
    }

    private static func hold(_ isHeld: DispatchSemaphore, _ goOn: DispatchSemaphore) {
        isHeld.signal()
        goOn.wait()
    }

    func release() { goOn.signal() }
}
#endif
