// SPDX-License-Identifier: MIT OR Apache-2.0

#if os(Windows)
internal import CInterprocess

/// Unnamed pipes as named ones whose name nobody knows: those of `CreatePipe` know no overlapped operations, and so no
/// time limits.
///
/// Each system's backend has a type of this name with these members.
enum UnnamedPipeBackend {
    private static let label = "an unnamed pipe"

    static func create(
        _ options: UnnamedPipe.Options
    ) throws(IPCError) -> (sender: DescriptorCore, receiver: DescriptorCore) {
        let size = options.bufferSize ?? 4096
        if !(1...Int(Int32.max)).contains(size) {
            throw IPCError(.invalidArgument, .create, name: label, detail: "a pipe's buffer has at least one byte")
        }
        let (receiver, sender) = try PipeAddress.makePair(.clientToServer, bufferSize: size, for: label)
        return (sender, receiver)
    }

    /// Takes over an end that others may hold too; it has to have been opened for overlapped operations.
    static func adopt(
        _ descriptor: RawDescriptor,
        toReceive: Bool
    ) throws(IPCError) -> (core: DescriptorCore, transport: Transport) {
        let end = try OwnedDescriptor(adoptingPipe: descriptor)
        return (DescriptorCore(end, name: "handle \(descriptor)", waker: .poll, isShared: true), .pipe)
    }

    static func bufferSize(_ core: DescriptorCore) throws(IPCError) -> Int {
        let lease = try core.lease(.both, for: .configure)
        defer { withExtendedLifetime(lease) {} }
        var status = cip_named_pipe_status()
        let result = System.call(.option) { unsafe cip_named_pipe_status(core.descriptor, &status) }
        if result < 0 { throw core.error(result: result, .configure) }
        return Int(status.send_buffer)
    }
}
#endif
