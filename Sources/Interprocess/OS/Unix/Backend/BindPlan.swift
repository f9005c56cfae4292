// SPDX-License-Identifier: MIT OR Apache-2.0

#if !os(Windows)
internal import CInterprocess

/// What it takes to give a new socket an address, and to let it listen if its kind does.
struct BindPlan: Sendable {
    let address: UnixSocketAddress
    /// What errors call the address.
    let label: String
    /// Whether it is in the runtime directory, where directories that are missing are made.
    var isInRuntimeDirectory = false
    var kind = UnixSocketKind.stream
    let access: LocalSocketListener.Access
    /// Instead of `access`.
    let mode: UInt32?
    let backlog: Int64
    let overwrite: LocalSocketListener.Overwrite
    let reclaimsName: Bool
    let maxSpinTime: Duration

    /// For a socket that does not listen.
    init(address: UnixSocketAddress, label: String, _ options: UnixDatagramSocket.BindOptions) {
        self.address = address
        self.label = label
        kind = .datagrams
        access = options.access
        mode = options.mode.map { UInt32($0) & 0o7777 }
        backlog = 0
        overwrite = options.overwrite
        reclaimsName = options.reclaimsName
        maxSpinTime = options.maxSpinTime
    }

    init(
        address: UnixSocketAddress,
        label: String,
        isInRuntimeDirectory: Bool = false,
        kind: UnixSocketKind = .stream,
        _ options: LocalSocketListener.Options
    ) {
        self.address = address
        self.label = label
        self.isInRuntimeDirectory = isInRuntimeDirectory
        self.kind = kind
        access = options.access
        mode = options.mode.map { UInt32($0) & 0o7777 }
        backlog = Int64(options.backlog ?? -1)
        overwrite = options.overwrite
        reclaimsName = options.reclaimsName
        maxSpinTime = options.maxSpinTime
    }

    func bind() throws(IPCError) -> LocalSocketBackend.Binding {
        // Nonblocking, for accept is the one call that cannot be told not to wait: a client seen by poll may be gone.
        let made = System.call(.socket) { cip_socket(kind.native, kind.listens) }
        let socket = try OwnedDescriptor(result: made, .listen, name: label)
        guard let path = address.pathBytes else {
            var result = System.call(.bind) {
                if address.isUnnamed { return cip_bind_anywhere(socket.raw) }
                return address.with { unsafe cip_bind(socket.raw, $0, $1) }
            }
            if result >= 0 && kind.listens { result = System.call(.listen) { cip_listen(socket.raw, backlog) } }
            if result < 0 { throw IPCError(result: result, .listen, name: label) }
            return LocalSocketBackend.Binding(descriptor: socket, file: nil, gate: Gate(access, mode: mode))
        }
        let plan = SocketFilePlan(
            address: address,
            path: CPath(path),
            kind: kind,
            mode: mode ?? access.fileMode,
            backlog: backlog,
            overwrite: overwrite,
            patience: maxSpinTime,
            isInRuntimeDirectory: isInRuntimeDirectory,
            label: label
        )
        let file = try plan.listen(on: socket)
        if !reclaimsName { file.keep() }
        return LocalSocketBackend.Binding(descriptor: socket, file: file, gate: .open)
    }
}
#endif
