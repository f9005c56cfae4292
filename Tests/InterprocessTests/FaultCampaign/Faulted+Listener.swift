// SPDX-License-Identifier: MIT OR Apache-2.0

#if INTERPROCESS_FAULT_INJECTION && os(Linux)
import Foundation
import XCTest

@testable import Interprocess

/// Listeners of local sockets.
extension FaultSection {
    static var localSocketListener: FaultSection {
        FaultSection(
            title: "LocalSocketListener",
            operations: listenerMaking + listenerAccepting + listenerServing + listenerUse,
            reasons: listenerReasons
        )
    }

    private static func name(_ scene: FaultScene) throws -> LocalSocketName { try .path(scene.path) }

    private static var listenerMaking: [FaultedOperation] {
        [
            .make("`init(_:)`, a path") { scene in
                let name = try name(scene)
                try reach(scene.faulted { try LocalSocketListener(name) })
            },
            .make("`init(_:)`, a path that a dead one has, `.always`") { scene in
                makeDeadSocket(scene.path)
                var options = LocalSocketListener.Options()
                options.overwrite = .always
                let name = try name(scene)
                try reach(scene.faulted { try LocalSocketListener(name, options: options) })
            },
            .make("`init(_:)`, a name without a file") { scene in
                let name = try uniqueName()
                try reach(scene.faulted { try LocalSocketListener(name) })
            },
            .make("`init(address:)`, `.automatic`") { scene in
                try reach(scene.faulted { try LocalSocketListener(address: .automatic) })
            },
            .make("`init(adopting:)`") { scene in
                let descriptor = try LocalSocketListener(try uniqueName()).detach()
                defer { close(descriptor) }
                let copy = dup(descriptor)
                try scene.faulted { try LocalSocketListener(adopting: copy) }.close()
            },
        ]
    }

    private static var listenerAccepting: [FaultedOperation] {
        [
            .use("`accept()`") { scene in
                let listener = try LocalSocketListener(try name(scene))
                let client = try LocalSocketStream.connect(to: try name(scene))
                try talk(client, scene.faulted { try listener.accept() })
            },
            .use("`accept()` that waits") { scene in
                let listener = try LocalSocketListener(try name(scene))
                let client = try LocalSocketStream.connect(to: try name(scene))
                scene.pretendToBlock(.accept)
                try talk(client, scene.faulted { try listener.accept(timeout: .seconds(20)) })
            },
            .use("`await accept()`") { scene in
                let listener = try LocalSocketListener(try name(scene))
                let client = try LocalSocketStream.connect(to: try name(scene))
                try talk(client, scene.awaited { try await listener.accept() })
            },
            .use("`await accept()` that waits") { scene in
                let listener = try LocalSocketListener(try name(scene))
                let client = try LocalSocketStream.connect(to: try name(scene))
                scene.pretendToBlock(.accept)
                try talk(client, scene.awaited { try await listener.accept(timeout: .seconds(20)) })
            },
        ]
    }

    private static var listenerUse: [FaultedOperation] {
        [
            .use("`close()`, a path") { scene in
                let listener = try LocalSocketListener(try name(scene))
                try scene.faulted { listener.close() }
            },
            .use("`detach()`") { scene in
                let listener = try LocalSocketListener(try uniqueName())
                close(try scene.faulted { try listener.detach() })
            },
        ]
    }

    /// A client of a listener comes through.
    private static func reach(_ listener: LocalSocketListener) throws {
        try talk(LocalSocketStream.connect(toAddress: listener.localAddress()), listener.accept())
    }
}

/// Expects two streams to be connected.
func talk(_ one: some ByteSender, _ other: some ByteReceiver) throws {
    try one.writeAll("hello\n")
    XCTAssertEqual(try other.readLine(), "hello")
}

func uniqueName() throws -> LocalSocketName {
    try .namespaced("interprocess-test-\(getpid())-\(UInt64.random(in: 0...UInt64.max))")
}

private func makeDeadSocket(_ path: String) {
    let listener = try? LocalSocketListener(try .path(path))
    _ = try? (listener?.detach()).map { close($0) }
}
#endif
