// SPDX-License-Identifier: MIT OR Apache-2.0

#if INTERPROCESS_FAULT_INJECTION && os(Linux)
import Foundation
import XCTest

@testable import Interprocess

// What comes of a fault in another way than as the error's own code, and why: streams and what is under them.

extension FaultReason {
    /// Calls for which "would block" is no error.
    static func waiting(_ calls: System.Call..., operations: [String] = []) -> [FaultReason] {
        calls.map { .harmless($0, "EAGAIN", operations, "It waits until the system lets it go on.") }
    }

    /// What binding a path does besides.
    static var binding: [FaultReason] {
        [
            .harmless(
                .bind,
                "EADDRINUSE",
                "Nothing is found at the path: somebody else was there and has left, so it is tried again."
            ),
            .harmless(.lock, "EAGAIN", "Somebody else has the lock of the directory: it waits for its turn."),
            .harmless(
                .lock,
                "EINVAL EIO ENOLCK",
                "Where the directory cannot be locked, a free name is bound without; a lock is given back with its descriptor, at the latest."
            ),
        ]
    }

    /// A file of which nothing can be found out stays where it is.
    static func unknownFile(_ operations: String...) -> [FaultReason] {
        let errors = SystemCallFaults.errors(of: .file).map(\.name)
        return Dictionary(grouping: errors) { SystemCallFaults.codes[$0]! }.map { code, errors in
            .thrown(
                .file,
                errors.joined(separator: " "),
                operations,
                as: code,
                tellsSystemCode: true,
                leavesFile: true,
                """
                The socket has its name, and then the file's device and inode cannot be found out. It is not certain \
                that the file is this socket's, so that it stays; the next listener finds it dead, and replaces it.
                """
            )
        }
    }
}

extension FaultSection {
    static var listenerReasons: [FaultReason] {
        FaultReason.waiting(.accept) + FaultReason.binding + FaultReason.unknownFile("`init(_:)`, a path") + [
            .harmless(.accept, "ECONNABORTED", "A client that has left again is passed over."),
            .thrown(
                .lock,
                "EINVAL EIO ENOLCK",
                ["`init(_:)`, a path that a dead one has"],
                as: .busy,
                "A name that is taken is replaced only while the directory is locked, which it cannot be."
            ),
            .harmless(
                .file,
                "ENOENT",
                ["`init(_:)`, a path that a dead one has"],
                "The file that was in the way is gone: it is tried again."
            ),
            .harmless(
                .option,
                "",
                ["`init(address:)`", "`init(adopting:)`"],
                "What the listener is called stays unknown: `name` is `nil`."
            ),
            FaultReason(
                call: .file,
                operations: ["`close()`"],
                outcome: FaultOutcome(leavesFile: true),
                text: "Closing cannot throw: the file stays; the next listener finds it dead, and replaces it."
            ),
            .harmless(
                .option,
                "",
                ["`detach()`"],
                "The descriptor is given away in nonblocking mode, as the listener had it."
            ),
            .turnsAway(
                .accept,
                "EMFILE ENFILE",
                as: .resourcesExhausted,
                """
                No descriptor is left: the client is disconnected by means of the one in reserve, so that it does not wait \
                in vain. The next one can come in.
                """
            ),
            .harmless(.receive, "EAGAIN", "It waits until the system lets it go on."),
            .turnsAway(
                .receive,
                "",
                "The client's handler ends with the error, and its connection with that; `onFailure` is told."
            ),
        ] + servingReasons
    }

    /// What servers of all kinds do when something is in the way of a client, or of the next one.
    static var servingReasons: [FaultReason] {
        [
            .turnsAway(.credentials, "", "A client that cannot be identified is disconnected."),
            .harmless(
                .socket,
                "No descriptor is kept in reserve, which matters when none is left; it is tried again with the next client."
            ),
            .turnsAway(
                .accept,
                "EMFILE ENFILE",
                """
                No descriptor is left: the client is disconnected by means of the one in reserve, so that it does not wait \
                in vain. The call goes on waiting for the next one.
                """
            ),
            .harmless(
                .accept,
                "ENOBUFS ENOMEM",
                ["`await connections.next()`"],
                "The client goes on waiting, and is accepted as soon as the system has memory again."
            ),
            .harmless(
                .accept,
                "EINVAL ENOBUFS ENOMEM EPERM EPROTO",
                "`onFailure` is told, and it is tried again after 10 milliseconds, for which the client goes on waiting."
            ),
            .harmless(
                .watch,
                "ENOMEM ENOSPC",
                ["`await connections.next()`"],
                "The client goes on waiting, and is accepted as soon as the system has memory again."
            ),
            .harmless(
                .watch,
                "`onFailure` is told, and it is tried again after 10 milliseconds, for which the client goes on waiting."
            ),
        ]
    }

    static var streamReasons: [FaultReason] {
        [
            .harmless(.connect, "EAGAIN", "The backlog of the server is full: it waits for room."),
            .harmless(
                .connect,
                "ECONNREFUSED ENOENT",
                ["`connect(to:)`, `waitsForServer`", "`await connect(to:)`, `waitsForServer`"],
                "It waits for the server."
            ),
            .harmless(
                .option,
                "",
                ["`connect(to:)`, `.deferred`", "`await connect(to:)`"],
                "The socket stays in nonblocking mode, which reading and writing do not mind."
            ),
            .harmless(
                .credentials,
                "",
                ["`peerCredentials()`", "`await peerCredentials()`"],
                "What the system does not tell of groups and labels is unknown: `nil`."
            ),
        ]
    }
    static var socketBytesReasons: [FaultReason] { FaultReason.waiting(.receive, .send) }
    static var pipeBytesReasons: [FaultReason] {
        FaultReason.waiting(.receive, .send) + [
            .harmless(.file, waitsByPolling),
            .harmless(.duplicate, waitsByPolling),
        ]
    }

    private static var waitsByPolling: String {
        "What closing needs to end a call that waits inside the system cannot be had: the call waits by polling instead."
    }

    static var pipeReasons: [FaultReason] {
        [
            .harmless(.option, "", ["`create()`"], "The size of the buffer is a wish: it stays as the system made it."),
            .harmless(
                .file,
                "",
                ["`UnnamedPipe"],
                "The end cannot be opened once more, for a description of its own: it stays the shared one, on which calls wait by polling."
            ),
        ]
    }

    static var fifoReasons: [FaultReason] {
        [
            .harmless(.receive, "EAGAIN", "A sender is there, which has sent nothing yet."),
            .harmless(
                .file,
                "ENXIO",
                ["`openSender", "`await openSender"],
                "Nobody receives yet: it waits for a receiver."
            ),
        ]
    }
}
#endif
