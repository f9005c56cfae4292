// SPDX-License-Identifier: MIT OR Apache-2.0

#if !os(Windows)
// What a descriptor that arrived stands for, made of it.

extension LocalSocketStream {
    /// Takes over a connected stream socket, as `init(adopting:)` does with a number.
    ///
    /// - Parameter descriptor: The descriptor, which is given away by this; when the call throws, it has been closed.
    /// - Throws: ``IPCError/Code/invalidArgument`` when it is not a Unix stream socket, or one that listens;
    ///   ``IPCError/Code/closed``, ``IPCError/Code/busy``.
    public convenience init(adopting descriptor: IPCDescriptor) throws(IPCError) {
        let owned = OwnedDescriptor(Int64(try descriptor.detach()))
        try self.init(adopting: RawDescriptor(owned.raw))
        _ = owned.release()
    }
}

extension LocalSocketListener {
    /// Takes over a socket that listens already, as `init(adopting:)` does with a number.
    ///
    /// - Parameter descriptor: The descriptor, which is given away by this; when the call throws, it has been closed.
    /// - Throws: ``IPCError/Code/invalidArgument`` when it is not a listening Unix stream socket;
    ///   ``IPCError/Code/closed``, ``IPCError/Code/busy``.
    public convenience init(adopting descriptor: IPCDescriptor) throws(IPCError) {
        let owned = OwnedDescriptor(Int64(try descriptor.detach()))
        try self.init(adopting: RawDescriptor(owned.raw))
        _ = owned.release()
    }
}

extension UnnamedPipeReceiver {
    /// Takes over the receiving end of a pipe or FIFO, as `init(adopting:)` does with a number.
    ///
    /// - Parameter descriptor: The descriptor, which is given away by this; when the call throws, it has been closed.
    /// - Throws: ``IPCError/Code/invalidArgument`` when it is not the receiving end of a pipe;
    ///   ``IPCError/Code/closed``, ``IPCError/Code/busy``.
    public convenience init(adopting descriptor: IPCDescriptor) throws(IPCError) {
        let owned = OwnedDescriptor(Int64(try descriptor.detach()))
        try self.init(adopting: RawDescriptor(owned.raw))
        _ = owned.release()
    }
}

extension UnnamedPipeSender {
    /// Takes over the sending end of a pipe or FIFO, as `init(adopting:)` does with a number.
    ///
    /// - Parameter descriptor: The descriptor, which is given away by this; when the call throws, it has been closed.
    /// - Throws: ``IPCError/Code/invalidArgument`` when it is not the sending end of a pipe; ``IPCError/Code/closed``,
    ///   ``IPCError/Code/busy``.
    public convenience init(adopting descriptor: IPCDescriptor) throws(IPCError) {
        let owned = OwnedDescriptor(Int64(try descriptor.detach()))
        try self.init(adopting: RawDescriptor(owned.raw))
        _ = owned.release()
    }
}
#endif
