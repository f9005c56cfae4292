// SPDX-License-Identifier: MIT OR Apache-2.0

#if os(Windows)
internal import CInterprocess

/// What a client has to do to connect.
struct ConnectPlan: Sendable {
    private let name: LocalSocketName
    private let waitsForServer: Bool
    private let requiresOwnServer: Bool

    init(_ name: LocalSocketName, _ options: LocalSocketStream.ConnectOptions) {
        self.name = name
        waitsForServer = options.waitsForServer
        // Whoever is first has a pipe's name.
        requiresOwnServer = (options.requiresPeer ?? (name.isAgreedOn ? .currentUser : .anyone)) == .currentUser
    }

    /// Opens the pipe; a negated error code if that cannot be done now.
    func attempt() -> Int64 { name.address.open(.duplex) }

    func isWorthRepeating(_ result: Int64) -> Bool {
        result == -PipeCode.busy || waitsForServer && result == -cip_codes.not_found
    }

    /// - Throws: `.permissionDenied` when the server is not the one that it has to be.
    func makeStream(
        _ handle: consuming OwnedDescriptor,
        _ options: LocalSocketStream.ConnectOptions
    ) throws(IPCError) -> LocalSocketStream {
        if requiresOwnServer {
            let result = System.call(.credentials) { cip_security_is_own(handle.raw) }
            if result < 0 { throw error(result: result) }
            if result == 0 {
                throw IPCError(
                    .permissionDenied,
                    .connect,
                    name: name.description,
                    detail: "the server belongs to another user than `requiresPeer` asks for"
                )
            }
        }
        return LocalSocketStream(
            DescriptorCore(handle, name: name.description, waker: LocalSocketBackend.streamWaker),
            nonblocking: options.nonblocking,
            spinTime: options.spinTime
        )
    }

    func error(result: Int64) -> IPCError { IPCError(result: result, .connect, name: name.description) }

    func timedOut(_ result: Int64) -> IPCError {
        IPCError(
            .timedOut,
            .connect,
            systemCode: -result,
            name: name.description,
            detail: result == -PipeCode.busy
                ? "all of the server's instances stayed taken" : "no server appeared in time"
        )
    }
}

extension LocalSocketStream.ConnectOptions {
    /// By when a call that starts now has to have connected.
    var deadline: Deadline {
        switch wait {
        case .unbounded: .never
        case .timeout(let limit): Deadline(after: limit)
        }
    }
}
#endif
