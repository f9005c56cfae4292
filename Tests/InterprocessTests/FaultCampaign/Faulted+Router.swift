// SPDX-License-Identifier: MIT OR Apache-2.0

#if INTERPROCESS_FAULT_INJECTION && os(Linux)
import Foundation
import Synchronization
import XCTest

@testable import Interprocess

/// Routers, which have a thread of their own.
extension FaultSection {
    static var routers: FaultSection {
        FaultSection(title: "IPCRouter", operations: routerOperations, reasons: routerReasons)
    }

    private static var routerOperations: [FaultedOperation] {
        [
            .make("`init()`") { scene in
                let route = try BusyRoute(scene.faulted { try IPCRouter() })
                route.end()
            },
            .use("`add(_:)`, the first") { scene in
                let route = try BusyRoute(try IPCRouter(), scene)
                route.end()
            }.making(.thread, .wake),
            .use("the thread, from one message to the next") { scene in
                let route = try BusyRoute(try IPCRouter())
                defer { route.end() }
                // It has nothing to do at first.
                scene.before(.poll) { route.sendOnce() }
                try scene.faulted { try route.handleNext() }
            },
            .use("`shutdown()` while a handler is called") { scene in
                let route = try BusyRoute(try IPCRouter())
                scene.before(.poll) { route.goOn() }
                try scene.faulted { route.router.shutdown() }
                XCTAssertTrue(route.isIdle)
            },
            .use("`await shutdown()` while a handler is called") { scene in
                let route = try BusyRoute(try IPCRouter())
                scene.before(.watch) { route.goOn() }
                try scene.awaited { await route.router.shutdown() }
                XCTAssertTrue(route.isIdle)
            },
        ]
    }
}

/// A route whose handler is being called, for each message as long as it is not told to go on.
private final class BusyRoute: Sendable {
    let router: IPCRouter
    private let sender: IPCBytesSender
    private let receiver: IPCBytesReceiver
    private let results = Seen<Result<[UInt8], any Error>>()
    private let hasResult = DispatchSemaphore(value: 0)
    private let mayGoOn = DispatchSemaphore(value: 0)
    private let calls = Atomic<Int>(0)
    private let hasSent = Atomic<Bool>(false)

    /// With a scene, adding the route is what that tries.
    init(_ router: IPCRouter, _ scene: FaultScene? = nil) throws {
        self.router = router
        (sender, receiver) = try IPCChannel.makeBytes()
        if let scene { try scene.faulted { try add() } } else { try add() }
        try sender.send([1])
        let first = try next()
        XCTAssertEqual(first, [1])
    }

    /// Whether no handler is being called.
    var isIdle: Bool { calls.load(ordering: .sequentiallyConsistent) == 0 }

    private func add() throws {
        try router.add(receiver) { [self] message in
            calls.add(1, ordering: .sequentiallyConsistent)
            tell(.success(message.bytes))
            mayGoOn.wait()
            calls.subtract(1, ordering: .sequentiallyConsistent)
        } onEnd: { [self] error in
            tell(.failure(error ?? IPCError(.disconnected, operation: .read)))
        }
    }

    private func tell(_ result: Result<[UInt8], any Error>) {
        results.append(result)
        hasResult.signal()
    }

    private func next() throws -> [UInt8] {
        hasResult.wait()
        return try XCTUnwrap(results.values.last).get()
    }

    func goOn() { mayGoOn.signal() }

    func sendOnce() {
        if !hasSent.exchange(true, ordering: .sequentiallyConsistent) { try? sender.send([2]) }
    }

    /// Lets the handler return, and waits for the next message.
    ///
    /// - Throws: Why the route has ended. Then the next call adds it anew.
    func handleNext() throws {
        if router.count > 0 { goOn() } else { try FaultInjection.sparing { try add() } }
        let second = try next()
        XCTAssertEqual(second, [2])
    }

    func end() {
        goOn()
        router.shutdown()
    }
}
#endif
