// SPDX-License-Identifier: MIT OR Apache-2.0

#if os(Windows)
extension PendingConnection {
    func finish(
        _ core: DescriptorCore,
        _ side: DescriptorCore.Side,
        until deadline: Deadline
    ) async throws(IPCError) {}
}
#endif
