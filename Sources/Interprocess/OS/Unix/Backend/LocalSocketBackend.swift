// SPDX-License-Identifier: MIT OR Apache-2.0

#if !os(Windows)
internal import CInterprocess

typealias LocalSocketAddress = UnixSocketAddress
/// What a listener's name belongs to.
typealias NameHolder = SocketFile

/// Local sockets as Unix domain sockets.
///
/// Each system's backend has a type of this name with these members.
enum LocalSocketBackend {
    /// How `close` ends a blocked call on a stream that was made here.
    static let streamWaker = DescriptorCore.Waker.shutdown

    static var currentUser: UInt32? { UInt32(exactly: cip_own_user()) }

    /// A socket that listens, and what belongs to it.
    struct Binding: ~Copyable {
        let descriptor: OwnedDescriptor
        let file: SocketFile?
        let gate: Gate

        consuming func makeCore(_ name: String) -> DescriptorCore { makeCore(name, waker: .poll) }

        consuming func makeCore(_ name: String, waker: DescriptorCore.Waker) -> DescriptorCore {
            DescriptorCore(descriptor, name: name, waker: waker)
        }
    }

    static func listen(
        _ name: LocalSocketName,
        _ options: LocalSocketListener.Options
    ) throws(IPCError) -> Binding {
        try BindPlan(
            address: name.address,
            label: name.description,
            isInRuntimeDirectory: name.isInRuntimeDirectory,
            options
        ).bind()
    }

    static func adoptListener(
        _ descriptor: RawDescriptor,
        _ kind: UnixSocketKind = .stream
    ) throws(IPCError) -> OwnedDescriptor {
        let socket = try OwnedDescriptor(adoptingSocket: descriptor, kind, listening: true)
        let result = System.call(.option) { cip_set_nonblocking(socket.raw, true) }
        if result >= 0 { return socket }
        _ = socket.release()
        throw IPCError(result: result, .adopt, name: "descriptor \(descriptor)")
    }

    static func adoptStream(_ descriptor: RawDescriptor) throws(IPCError) -> OwnedDescriptor {
        try OwnedDescriptor(adoptingSocket: descriptor, .stream, listening: false)
    }

    /// The name that a listening socket is bound to, if it can be written as one.
    static func name(of socket: borrowing OwnedDescriptor) -> LocalSocketName? {
        let descriptor = socket.raw
        return LocalSocketName(
            boundTo: UnixSocketAddress.ask { unsafe cip_local_address(descriptor, $0) }.address.bytes
        )
    }

    static func restoreBlocking(_ descriptor: Int64) {
        _ = System.call(.option) { cip_set_nonblocking(descriptor, false) }
    }

    static func connect(
        _ name: LocalSocketName,
        _ options: LocalSocketStream.ConnectOptions
    ) throws(IPCError) -> LocalSocketStream {
        LocalSocketStream(try ConnectPlan(name, options).open(options.wait), options)
    }

    static func pair() throws(IPCError) -> (DescriptorCore, DescriptorCore) { try pair(CIP_STREAM, streamWaker) }

    static func pair(
        _ type: Int,
        _ waker: DescriptorCore.Waker,
        name: String = "a socket pair"
    ) throws(IPCError) -> (DescriptorCore, DescriptorCore) {
        var ends: (Int64, Int64) = (-1, -1)
        let result = System.call(.socket) {
            unsafe withUnsafeMutableBytes(of: &ends) {
                unsafe cip_socket_pair(
                    Int64(type),
                    $0.assumingMemoryBound(to: Int64.self).baseAddress.unsafelyUnwrapped
                )
            }
        }
        if result < 0 { throw IPCError(result: result, .create, name: name) }
        return (
            DescriptorCore(OwnedDescriptor(ends.0), name: name, waker: waker),
            DescriptorCore(OwnedDescriptor(ends.1), name: name, waker: waker)
        )
    }

    static func shutdown(_ core: DescriptorCore, _ direction: LocalSocketStream.Direction) throws(IPCError) {
        let lease = try core.lease(.both, for: .shutdown)
        defer { withExtendedLifetime(lease) {} }
        let how =
            switch direction {
            case .receive: CIP_SHUT_RECEIVE
            case .send: CIP_SHUT_SEND
            case .both: CIP_SHUT_BOTH
            }
        let result = System.call(.option) { cip_shutdown(core.descriptor, Int64(how)) }
        if result < 0 { throw core.error(result: result, .shutdown) }
        if direction != .receive { core.attached?.didShutDown() }
    }

    static func takeError(_ core: DescriptorCore) throws(IPCError) -> IPCError? {
        let lease = try core.lease(.both, for: .configure)
        defer { withExtendedLifetime(lease) {} }
        let result = System.call(.option) { cip_socket_error(core.descriptor) }
        if result < 0 { throw core.error(result: result, .configure) }
        return result == 0 ? nil : core.error(result: -result, .configure)
    }

    static func duplicate(_ core: DescriptorCore) throws(IPCError) -> DescriptorCore {
        try core.share(for: .duplicate)
        let lease = try core.lease(.both, for: .duplicate)
        defer { withExtendedLifetime(lease) {} }
        let made = System.call(.duplicate) { cip_duplicate(core.descriptor) }
        let descriptor = try OwnedDescriptor(result: made, .duplicate, name: core.name)
        return DescriptorCore(descriptor, name: core.name, waker: core.waker, isShared: true)
    }

    /// Accepts a client and disconnects it; returns whether there was one.
    static func shedClient(_ core: DescriptorCore) -> Bool {
        let result = System.call(.accept) { cip_accept(core.descriptor) }
        if result >= 0 { _ = cip_close(result) }
        return result >= 0
    }

    /// A descriptor of no use, to be given up when none is left.
    static func makeReserve() -> Int64 { System.call(.socket) { cip_socket(Int64(CIP_STREAM), false) } }
}

extension LocalSocketListener.Access {
    /// The mode of the socket's file; `nil` leaves it to the umask.
    var fileMode: UInt32? {
        switch self {
        case .currentUser: 0o600
        case .group: 0o660
        case .everyone: 0o666
        case .custom: nil
        }
    }
}
#endif
