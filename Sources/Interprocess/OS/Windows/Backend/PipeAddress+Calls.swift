// SPDX-License-Identifier: MIT OR Apache-2.0

#if os(Windows)
internal import CInterprocess

extension PipeAddress {
    /// Whether there is a pipe of that name, whoever has it.
    var isTaken: Bool {
        let result = System.call(.connect) { unsafe cip_named_pipe_wait(units, 1) }
        return result != -cip_codes.not_found
    }

    /// Opens the client's end of a pipe.
    func open(
        _ direction: NamedPipeDirection,
        readsMessages: Bool = false,
        _ rights: NamedPipeStream.ServerRights = .identification
    ) -> Int64 {
        System.call(.connect) {
            unsafe cip_named_pipe_open(
                units,
                direction != .clientToServer,
                direction != .serverToClient,
                readsMessages,
                rights.rawValue
            )
        }
    }

    /// Makes a pipe whose name nobody else knows, and opens both of its ends.
    static func makePair(
        _ direction: NamedPipeDirection,
        _ mode: NamedPipeMode = .bytes,
        bufferSize: Int,
        for label: String
    ) throws(IPCError) -> (server: DescriptorCore, client: DescriptorCore) {
        var options = NamedPipeListener.Options()
        options.direction = direction
        options.mode = mode
        options.instanceLimit = 1
        options.receiveBufferSize = bufferSize
        options.sendBufferSize = bufferSize
        options.securityDescriptor = try .currentUser()
        let name = "interprocess.\(cip_own_process()).\(cip_random())"
        let address = try PipeAddress(namespaced: Array(name.utf8))
        let made = unsafe options.withSystemOptions(isFirst: true) {
            unsafe cip_named_pipe_create(address.units, $0)
        }
        let server = try OwnedDescriptor(result: made, .create, name: label)
        // An instance takes its client before it waits for one.
        let client = try OwnedDescriptor(result: address.open(direction, .nothing), .create, name: label)
        return (
            DescriptorCore(server, name: label, waker: .poll), DescriptorCore(client, name: label, waker: .poll)
        )
    }
}

extension OwnedDescriptor {
    /// Takes over a handle from outside, if it is a pipe's; otherwise it stays the caller's, as it was.
    init(adoptingPipe raw: RawDescriptor) throws(IPCError) {
        if cip_is_pipe(raw) == 0 {
            throw IPCError(.invalidArgument, .adopt, name: "handle \(raw)", detail: "it is not a pipe")
        }
        if !cip_is_overlapped(raw) {
            throw IPCError(
                .invalidArgument,
                .adopt,
                name: "handle \(raw)",
                detail: "it was not opened for overlapped operations, so that nothing could end a call that waits"
            )
        }
        let adopted = System.call(.option) { cip_adopt(raw) }
        if adopted < 0 { throw IPCError(result: adopted, .adopt, name: "handle \(raw)") }
        self.init(raw)
    }
}
#endif
