// SPDX-License-Identifier: MIT OR Apache-2.0

#if INTERPROCESS_FAULT_INJECTION && os(Linux)
import Foundation
import XCTest

@testable import Interprocess

// The same for Unix domain sockets, channels, and processes.

extension FaultSection {
    static var messageReasons: [FaultReason] { FaultReason.waiting(.message) }

    static var packetReasons: [FaultReason] {
        FaultReason.waiting(.message, .accept) + FaultReason.binding + [
            .harmless(.accept, "ECONNABORTED", "A client that has left again is passed over."),
            .harmless(.connect, "EAGAIN", "The backlog of the server is full: it waits for room."),
        ]
    }

    static var datagramReasons: [FaultReason] {
        FaultReason.waiting(.message) + FaultReason.binding + [
            .harmless(
                .option,
                "",
                ["`send(_:with:)`", "`await send(_:with:)`"],
                "A socket that others will have too keeps the limit of 10 milliseconds for a send inside the system, which is tried again."
            )
        ]
    }

    static var signalReasons: [FaultReason] {
        FaultReason.waiting(.pipeRead) + [
            .harmless(.option, "", ["`init(_:)`"], "The capacity is a wish: it is halved until the system grants it."),
            .thrown(
                .signal,
                "EAGAIN",
                as: .resourcesExhausted,
                tellsSystemCode: true,
                "The queue of signals is full, which nothing tells the end of."
            ),
            .thrown(.signal, "ESRCH", as: .notFound, tellsSystemCode: true, "There is no such process."),
            .harmless(.signal, "EPERM ESRCH", ["`Signal.status"], "It is the answer."),
        ]
    }

    static var childReasons: [FaultReason] {
        [
            .harmless(.process, "ECHILD", ["`wait()`", "`await wait()`"], "Somebody else has asked for the end: it is `.unknown`."),
            .harmless(.process, "ESRCH", ["`kill()`"], "It has ended already."),
            .harmless(.poll, "", ["`isRunning`"], "It counts as running until something else is known."),
        ]
    }

    static var loopReasons: [FaultReason] {
        FaultReason.waiting(.receive) + [
            .harmless(.wake, "", "The loop cannot start: its jobs run on the default pool, and the next one tries again."),
            .harmless(.thread, "", "The loop cannot start: its jobs run on the default pool, and the next one tries again."),
        ]
    }

    static var channelReasons: [FaultReason] {
        FaultReason.waiting(.message) + [
            .thrown(
                .message,
                "ECONNRESET EPIPE",
                as: .disconnected,
                tellsSystemCode: true,
                "The receiver is gone, which has one name on every system."
            )
        ]
    }

    static var groupReasons: [FaultReason] {
        FaultReason.waiting(.message)
    }

    static var connectionReasons: [FaultReason] {
        FaultReason.waiting(.message) + FaultReason.binding
    }

    static var memoryReasons: [FaultReason] {
        FaultReason.waiting(.message)
    }
}
#endif
