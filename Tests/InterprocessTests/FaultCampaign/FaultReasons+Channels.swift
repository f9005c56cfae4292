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
                """
                No send of this library waits inside the system for longer than 10 milliseconds, and then it is tried again; \
                a socket that others get is to lose that limit. It keeps it, for the others, too.
                """
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
                "As many signals as may be wait to be taken, and nothing tells when there is room."
            ),
            .thrown(.signal, "ESRCH", as: .notFound, tellsSystemCode: true, "There is no such process."),
            .harmless(
                .signal,
                "EPERM ESRCH",
                ["`Signal.status"],
                "That is the answer: the process belongs to somebody else, or there is none."
            ),
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
            .harmless(
                .wake,
                "",
                ["`remove(_:)`"],
                "It is no member any more: what the system tells of it, until it is closed, is passed over."
            ),
            .harmless(
                .poll,
                "EINVAL ENOMEM",
                ["`next()`", "`await next()`", "`tryNext()`"],
                "The system is asked again which members have something."
            ),
            .thrown(
                .poll,
                "EINTR",
                ["`tryNext()`"],
                as: .wouldBlock,
                "It has no time to ask again: it returns `nil`, and the next call looks again."
            ),
        ]
    }

    static var connectionReasons: [FaultReason] {
        looks + endingIntroductions + [
            .harmless(.connect, "EAGAIN", "The backlog of the server is full: it waits for room."),
            .harmless(.message, "EAGAIN", "It waits until the system lets it go on."),
            .harmless(.send, "EAGAIN", "It waits until the system lets it go on."),
            .harmless(
                .message,
                "ECONNRESET EPIPE",
                introductions,
                "A peer that has left may have said why, so that this is read first."
            ),
            .thrown(
                .message,
                "EAGAIN",
                reaching,
                as: .wouldBlock,
                "There is no room for an introduction, which there is in every stream that nobody has used."
            ),
            .thrown(
                .message,
                "ECONNRESET EPIPE",
                reaching,
                as: .disconnected,
                tellsSystemCode: true,
                "The other side is gone, which is told in the same way on every system."
            ),
            .harmless(
                .option,
                "",
                ["`await IPCConnection.connect(to:)`"],
                "The socket stays in nonblocking mode, which reading and writing do not mind."
            ),
            .thrown(
                .message,
                "ECONNRESET EPIPE",
                as: .disconnected,
                tellsSystemCode: true,
                afterwards: .disconnected,
                "The other side is gone, which is told in the same way on every system, from then on."
            ),
            .thrown(
                .send,
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

    private static let reaching = [
        "`IPCConnection.connect(to:)`", "`await IPCConnection.connect(to:)`", "`IPCConnection.spawn(_:)`",
        "`await IPCConnection.spawn(_:)`",
    ]

    private static let introductions = reaching + ["`IPCConnection(over:)`", "`await IPCConnection(over:)`"]

    static var serverReasons: [FaultReason] {
        FaultReason.binding + FaultReason.unknownFile("`IPCServer(_:)`") + servingReasons + [
            .harmless(.accept, "EAGAIN", "There is no client after all: it waits for one."),
            .harmless(.accept, "ECONNABORTED", "A client that has left again is passed over."),
            .harmless(.message, "EAGAIN", "It waits until the system lets it go on."),
            .harmless(.send, "EAGAIN", "It waits until the system lets it go on."),
            .harmless(
                .message,
                "ECONNRESET EPIPE",
                """
                While a client introduces itself: one that has left may have said why, so that this is read first. Later: it \
                has left, and its connection ends.
                """
            ),
            .harmless(
                .message,
                "",
                ["`await serve(replying:)`"],
                "When the answer is on its way, the client's connection ends with the error; `onFailure` is told."
            ),
            .harmless(.send, "ECONNRESET EPIPE", "The client has left, and its answer is lost."),
            .harmless(.send, "It is tried again, when the connection is closed at the latest."),
            .turnsAway(
                .message,
                "",
                """
                A client that cannot be introduced is disconnected; `onFailure`, if there is one, is told. The call goes on \
                waiting for the next one.
                """
            ),
        ]
    }

    static var routerReasons: [FaultReason] {
        [
            .harmless(.option, "", ["`init()`"], "The size of a pipe's buffer is a wish."),
            .harmless(.poll, "", "It is tried again, after a moment."),
            .harmless(.message, "EAGAIN", "There is nothing after all: it waits for something to come."),
            .harmless(
                .message,
                "ENOBUFS ENOMEM ETOOMANYREFS",
                "The message goes on waiting, and is received as soon as the system has memory again."
            ),
            .harmless(.watch, "It is tried again, after 10 milliseconds."),
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
                "ENOBUFS ENOMEM ETOOMANYREFS",
                ["`Reader.open(_:)`, and giving back"],
                "The slot is given back as soon as the system has memory again."
            ),
            .harmless(
                .message,
                "",
                ["`Reader.open(_:)`, and giving back"],
                "Giving back cannot throw. Such an error tells that the pool has gone; else the slot stays lent until it does."
            ),
        ]
    }
}
#endif
