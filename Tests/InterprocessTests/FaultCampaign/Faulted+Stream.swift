// SPDX-License-Identifier: MIT OR Apache-2.0

#if INTERPROCESS_FAULT_INJECTION && os(Linux)
import Foundation
import XCTest

@testable import Interprocess

/// Connections of local sockets.
extension FaultSection {
    static var localSocketStream: FaultSection {
        FaultSection(
            title: "LocalSocketStream",
            operations: connecting + streamMaking + streamAsking,
            reasons: streamReasons
        )
    }

    private static func connected(
        _ name: String,
        isAwaited: Bool = false,
        _ change: @escaping @Sendable (inout LocalSocketStream.ConnectOptions) -> Void = { _ in }
    ) -> FaultedOperation {
        .make(name) { scene in
            let listener = try LocalSocketListener(try uniqueName())
            let name = try XCTUnwrap(listener.name)
            var options = LocalSocketStream.ConnectOptions()
            change(&options)
            let chosen = options
            let client =
                isAwaited
                ? try scene.awaited { try await LocalSocketStream.connect(to: name, options: chosen) }
                : try scene.faulted { try LocalSocketStream.connect(to: name, options: chosen) }
            try client.writeAll("hello\n")
            // Of an attempt that failed late, the server has a client that has left.
            for _ in 0..<3 {
                if let line = try listener.accept(timeout: .seconds(10)).readLine() {
                    return XCTAssertEqual(line, "hello")
                }
            }
            XCTFail("the client did not come")
        }
    }

    private static var connecting: [FaultedOperation] {
        [
            connected("`connect(to:)`"),
            connected("`connect(to:)`, `.timeout`") { $0.wait = .timeout(.seconds(20)) },
            connected("`connect(to:)`, `.deferred`, and the first `writeAll`") { $0.wait = .deferred },
            connected("`connect(to:)`, `waitsForServer`") { $0.waitsForServer = true },
            connected("`connect(to:)`, `requiresPeer: .anyone`") { $0.requiresPeer = .anyone },
            connected("`await connect(to:)`", isAwaited: true),
            connected("`await connect(to:)`, `.timeout`", isAwaited: true) { $0.wait = .timeout(.seconds(20)) },
            connected("`await connect(to:)`, `waitsForServer`", isAwaited: true) { $0.waitsForServer = true },
        ]
    }

    private static var streamMaking: [FaultedOperation] {
        [
            .make("`pair()`") { scene in
                let (one, other) = try scene.faulted { try LocalSocketStream.pair() }
                try talk(one, other)
            },
            .make("`init(adopting:)`") { scene in
                let (one, other) = try LocalSocketStream.pair()
                let descriptor = try one.detach()
                // What cannot be taken over stays the caller's.
                try talk(other, scene.faulted { try LocalSocketStream(adopting: descriptor) })
            },
            .make("`duplicate()`") { scene in
                let (one, other) = try LocalSocketStream.pair()
                try talk(other, scene.faulted { try one.duplicate() })
            },
            .use("`split()`") { scene in
                let (one, other) = try LocalSocketStream.pair()
                let (receiver, _) = try scene.faulted { try one.split() }
                try talk(other, receiver)
            },
            .use("`reunite(_:_:)`") { scene in
                let (one, other) = try LocalSocketStream.pair()
                let (receiver, sender) = try one.split()
                try talk(other, scene.faulted { try LocalSocketStream.reunite(receiver, sender) })
            },
            .use("`LocalSocketSender.shutdown()`") { scene in
                let (one, other) = try LocalSocketStream.pair()
                let (receiver, sender) = try one.split()
                try scene.faulted { try sender.shutdown() }
                XCTAssertNil(try other.readLine())
                try talk(other, receiver)
            },
            .use("`detach()`") { scene in
                let (one, other) = try LocalSocketStream.pair()
                close(try scene.faulted { try one.detach() })
                XCTAssertNil(try other.readLine())
            },
        ]
    }

    private static var streamAsking: [FaultedOperation] {
        [
            asking("`peerCredentials()`", getpid()) { try $0.peerCredentials().processID },
            asking("`peerProcess()`", false) { try $0.peerProcess().isClosed },
            asking("`takeError()`", nil) { try $0.takeError()?.code },
            asking("`setInheritable(_:)`", true) {
                try $0.setInheritable(false)
                return true
            },
            asking("`shutdown(_:)`", true) {
                try $0.shutdown(.receive)
                return true
            },
            .use("`await peerCredentials()`") { scene in
                let (one, _) = try LocalSocketStream.pair()
                XCTAssertEqual(try scene.awaited { try await one.peerCredentials() }.processID, getpid())
            },
        ]
    }

    private static func asking<Answer: Equatable>(
        _ name: String,
        _ answer: Answer,
        _ question: @escaping (LocalSocketStream) throws -> Answer
    ) -> FaultedOperation {
        .use(name) { scene in
            let (one, other) = try LocalSocketStream.pair()
            let answered = try scene.faulted { try question(one) }
            XCTAssertEqual(answered, answer)
            try talk(one, other)
        }
    }
}
#endif
