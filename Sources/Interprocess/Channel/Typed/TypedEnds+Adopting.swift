// SPDX-License-Identifier: MIT OR Apache-2.0

extension IPCSender {
    /// Takes over a sending end that has come from another process, or was inherited.
    ///
    /// - Parameters:
    ///   - descriptor: The descriptor, which is given away by this; when the call throws, it has been closed.
    ///   - options: What holds for this end.
    /// - Throws: ``IPCError/Code/invalidArgument`` when it is no end of a channel; ``IPCError/Code/closed``,
    ///   ``IPCError/Code/busy``.
    public convenience init(
        adopting descriptor: IPCDescriptor,
        options: IPCChannel.Options = IPCChannel.Options()
    ) throws(IPCError) {
        self.init(try IPCChannel.adopt(descriptor, toReceive: false), limit: options.maximumMessageSize)
    }
}

extension IPCReceiver {
    /// Takes over a receiving end that has come from another process, or was inherited.
    ///
    /// Several processes that have the same one share its values.
    ///
    /// - Parameters:
    ///   - descriptor: The descriptor, which is given away by this; when the call throws, it has been closed.
    ///   - options: What holds for this end.
    /// - Throws: ``IPCError/Code/invalidArgument`` when it is no end of a channel; ``IPCError/Code/closed``,
    ///   ``IPCError/Code/busy``.
    public convenience init(
        adopting descriptor: IPCDescriptor,
        options: IPCChannel.Options = IPCChannel.Options()
    ) throws(IPCError) {
        self.init(try IPCChannel.adopt(descriptor, toReceive: true), limit: options.maximumMessageSize)
    }
}
