// SPDX-License-Identifier: MIT OR Apache-2.0

#if !os(Windows)
internal import CInterprocess

/// Unnamed pipes as pipe(2).
///
/// Each system's backend has a type of this name with these members.
enum UnnamedPipeBackend {
    private static let label = "an unnamed pipe"

    static func create(
        _ options: UnnamedPipe.Options
    ) throws(IPCError) -> (sender: DescriptorCore, receiver: DescriptorCore) {
        if let size = options.bufferSize, size <= 0 {
            throw IPCError(.invalidArgument, .create, name: label, detail: "a pipe's buffer has at least one byte")
        }
        var ends: (Int64, Int64) = (-1, -1)
        let result = System.call(.pipe) {
            unsafe withUnsafeMutableBytes(of: &ends) {
                unsafe cip_pipe($0.assumingMemoryBound(to: Int64.self).baseAddress.unsafelyUnwrapped)
            }
        }
        if result < 0 { throw IPCError(result: result, .create, name: label) }
        let receiver = OwnedDescriptor(ends.0)
        let sender = OwnedDescriptor(ends.1)
        if let size = options.bufferSize {
            // A wish: without privileges there is a limit, and the pipe works as well without.
            _ = System.call(.option) { cip_set_pipe_capacity(sender.raw, Int64(size)) }
        }
        return (
            DescriptorCore(sender, name: label, waker: .poll),
            DescriptorCore(receiver, name: label, waker: .pipeByte)
        )
    }

    /// Takes over an end that others may hold too, and opens it once more for calls that must not wait.
    ///
    /// Whether `preadv2` and `pwritev2` could be told not to wait is not asked first: the system answers only calls
    /// that move bytes. They are the next best thing, where the end cannot be opened.
    static func adopt(
        _ descriptor: RawDescriptor,
        toReceive: Bool
    ) throws(IPCError) -> (core: DescriptorCore, transport: Transport) {
        let end = try OwnedDescriptor(adoptingPipe: descriptor, toReceive: toReceive)
        let name = "descriptor \(descriptor)"
        let own = System.call(.file) { cip_pipe_reopen(end.raw) }
        if own < 0 { return (DescriptorCore(end, name: name, waker: .poll), .pipe) }
        return (DescriptorCore(OwnedDescriptor(own), name: name, waker: .poll, lending: end), .fifo)
    }

    static func bufferSize(_ core: DescriptorCore) throws(IPCError) -> Int {
        let lease = try core.lease(.both, for: .configure)
        defer { withExtendedLifetime(lease) {} }
        let result = System.call(.option) { cip_pipe_capacity(core.descriptor) }
        if result < 0 { throw core.error(result: result, .configure) }
        return Int(result)
    }
}
#endif
