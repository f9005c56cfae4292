// SPDX-License-Identifier: MIT OR Apache-2.0

#if INTERPROCESS_FAULT_INJECTION && os(Linux)
import Foundation
import XCTest

@testable import Interprocess

/// Signals, other programs, and what runs in the background.
extension FaultSection {
    static var signals: FaultSection {
        FaultSection(title: "Signals", operations: signalOperations, reasons: signalReasons)
    }

    static var children: FaultSection {
        FaultSection(title: "IPCChild", operations: childOperations, reasons: childReasons)
    }

    static var eventLoop: FaultSection {
        FaultSection(title: "EventLoop", operations: loopOperations, reasons: loopReasons)
    }

    private static var signalOperations: [FaultedOperation] {
        [
            .make("`init(_:)`") { scene in
                let signals = try scene.faulted { try Signals([.user1]) }
                Signal.user1.raise()
                XCTAssertEqual(try signals.next(timeout: .seconds(10)).signal, .user1)
            },
            .use("`next()`") { scene in
                let signals = try Signals([.user1])
                Signal.user1.raise()
                XCTAssertEqual(try scene.faulted { try signals.next() }.signal, .user1)
            },
            .use("`next()` that waits") { scene in
                let signals = try Signals([.user1])
                Signal.user1.raise()
                scene.pretendToBlock(.pipeRead)
                XCTAssertEqual(try scene.faulted { try signals.next(timeout: .seconds(20)) }.signal, .user1)
            },
            .use("`await next()` that waits") { scene in
                let signals = try Signals([.user1])
                Signal.user1.raise()
                scene.pretendToBlock(.pipeRead)
                XCTAssertEqual(try scene.awaited { try await signals.next() }.signal, .user1)
            },
            .use("`Signal.send(to:)`") { scene in
                let signals = try Signals([.user1])
                try scene.faulted { try Signal.user1.send(to: getpid()) }
                XCTAssertEqual(try signals.next(timeout: .seconds(10)).signal, .user1)
            },
            .use("`Signal.status(ofProcess:)`") { scene in
                let status = try scene.faulted { try Signal.status(ofProcess: getpid()) }
                XCTAssertTrue([.exists, .notPermitted, .notFound].contains(status))
            },
        ]
    }

    private static var childOperations: [FaultedOperation] {
        func spawn(_ script: String) throws -> IPCChild { try IPCChild.spawn("sh", arguments: ["-c", script]) }
        func waiting(_ name: String, _ wait: @escaping (FaultScene, IPCChild) throws -> IPCChild.ExitStatus)
            -> FaultedOperation
        {
            .use(name) { scene in XCTAssertEqual(try wait(scene, spawn("exit 7")), .exited(7)) }
                .leaving(.children).without("ECHILD")
        }
        return [
            .make("`spawn(_:)`") { scene in
                // A program knows its connection by the number.
                let child = try scene.faulted { try spawn("read line <&3 && echo $line >&3") }
                try child.stream.writeAll("hello\n")
                XCTAssertEqual(try child.stream.readLine(), "hello")
                XCTAssertEqual(try child.wait(timeout: .seconds(10)), .exited(0))
            }.leaving(.children),
            waiting("`wait()`") { scene, child in try scene.faulted { try child.wait(timeout: .seconds(20)) } },
            waiting("`await wait()`") { scene, child in
                try scene.awaited { try await child.wait(timeout: .seconds(20)) }
            },
            .use("`isRunning`") { scene in
                let child = try spawn("read line <&3")
                XCTAssertTrue(try scene.faulted { child.isRunning })
                child.stream.close()
                try child.wait(timeout: .seconds(10))
            }.leaving(.children),
            .use("`kill()`") { scene in
                let child = try spawn("read line <&3")
                try scene.faulted { try child.kill() }
                child.stream.close()
                try child.wait(timeout: .seconds(10))
            }.leaving(.children),
        ]
    }

    private static var loopOperations: [FaultedOperation] {
        [
            .use("the first awaited call of a loop") { scene in
                let loop = EventLoop()
                let (one, other) = try LocalSocketStream.pair()
                try one.writeAll("x")
                let bytes = try scene.faulted {
                    try RunningTask(on: loop) { try await other.read(upTo: 1) }.value()
                }
                XCTAssertEqual(bytes, Array("x".utf8))
            }
        ]
    }
}
#endif
