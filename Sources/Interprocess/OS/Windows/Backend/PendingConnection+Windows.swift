// SPDX-License-Identifier: MIT OR Apache-2.0

#if os(Windows)
/// A connection that is to be made at first use: there is none, for Windows' pipes are connected when they are opened.
final class PendingConnection: Sendable {
    private init() {}

    func finish(
        _ core: DescriptorCore,
        _ side: DescriptorCore.Side,
        _ lease: borrowing DescriptorCore.Lease,
        _ patience: Patience
    ) throws(IPCError) {}
}
#endif
