// SPDX-License-Identifier: MIT OR Apache-2.0

#if INTERPROCESS_FAULT_INJECTION && os(Linux)
import Foundation
import XCTest

@testable import Interprocess

// The same for Unix domain sockets, channels, and processes.

extension FaultSection {
    static var messageReasons: [FaultReason] { FaultReason.waiting(.message) }

    static var packetReasons: [FaultReason] {
        FaultReason.waiting(.message, .accept) + FaultReason.binding
            + FaultReason.unknownFile("`UnixPacketListener(address:)`") + [
                .harmless(.accept, "ECONNABORTED", "A client that has left again is passed over."),
                .harmless(.connect, "EAGAIN", "The backlog of the server is full: it waits for room."),
            ]
    }

    static var datagramReasons: [FaultReason] {
        FaultReason.waiting(.message) + FaultReason.binding + FaultReason.unknownFile("`init(address:)`") + [
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
            .harmless(.process, "ESRCH", ["`kill()`"], "It has ended already."),
            .harmless(.poll, "", ["`isRunning`"], "It counts as running until something else is known."),
        ]
    }

    static var loopReasons: [FaultReason] {
        FaultReason.waiting(.receive) + [
            .harmless(
                .wake,
                "",
                "The loop cannot start: its jobs run on the default pool, and the next one tries again."
            ),
            .harmless(
                .thread,
                "",
                "The loop cannot start: its jobs run on the default pool, and the next one tries again."
            ),
        ]
    }

    static var channelReasons: [FaultReason] {
        FaultReason.waiting(.message) + [peerIsGone] + looks
    }

    private static var peerIsGone: FaultReason {
        .thrown(
            .message,
            "ECONNRESET EPIPE",
            as: .disconnected,
            tellsSystemCode: true,
            "The other side is gone, which is told in the same way on every system."
        )
    }

    /// Calls that do not wait.
    private static var looks: [FaultReason] {
        [
            .thrown(
                .message,
                "EAGAIN",
                ["`tryReceive()`", "`trySend(_:)`"],
                as: .wouldBlock,
                "There is nothing, or no room, now: it returns `nil`, or throws `.wouldBlock` as its own answer."
            )
        ]
    }

    static var groupReasons: [FaultReason] {
        FaultReason.waiting(.message, operations: ["`next()`", "`await next()`", "`tryNext()`"]) + [
            .harmless(.wake, "", ["`remove(_:)`"], "The system watches it no more in any case, once it is closed."),
            .harmless(.poll, "EINVAL ENOMEM", ["`next()`", "`await next()`", "`tryNext()`"], "It is looked again."),
            .thrown(
                .poll,
                "EINTR",
                ["`tryNext()`"],
                as: .wouldBlock,
                "The time is over at once: the call returns `nil`, and the next one looks again."
            ),
        ]
    }

    static var connectionReasons: [FaultReason] {
        FaultReason.binding + FaultReason.unknownFile("`IPCServer(_:)`") + looks + endingIntroductions + [
            .harmless(.message, "EAGAIN", "It waits until the system lets it go on."),
            .harmless(
                .message,
                "ECONNRESET EPIPE",
                ["`IPCConnection(over:)`", "`await IPCConnection(over:)`"],
                "A peer that has left may have said why, so that this is read first."
            ),
            .thrown(
                .message,
                "ECONNRESET EPIPE",
                as: .disconnected,
                tellsSystemCode: true,
                afterwards: .disconnected,
                "The other side is gone, which is told in the same way on every system, from then on."
            ),
            .harmless(
                .credentials,
                "",
                ["`peerCredentials()`"],
                "What the system does not tell of groups and labels is unknown: `nil`."
            ),
        ]
    }

    /// A stream on which one side may have introduced itself is of no use to anybody else.
    private static var endingIntroductions: [FaultReason] {
        let errors = SystemCallFaults.errors(of: .message).map(\.name)
        return Dictionary(grouping: errors) { name in
            ["ECONNRESET", "EPIPE"].contains(name) ? .disconnected : SystemCallFaults.codes[name]!
        }.map { code, errors in
            .thrown(
                .message,
                errors.joined(separator: " "),
                ["`IPCConnection(over:)`", "`await IPCConnection(over:)`"],
                as: code,
                tellsSystemCode: code != .wouldBlock,
                afterwards: .closed,
                "An introduction that fails closes the stream, for some of it may have gone."
            )
        }
    }

    static var memoryReasons: [FaultReason] {
        FaultReason.waiting(.message) + [
            .harmless(
                .message,
                "",
                ["`Reader.open(_:)`, and giving back"],
                "Giving back cannot throw: the slot stays lent, until the pool ends."
            )
        ]
    }
}
#endif
