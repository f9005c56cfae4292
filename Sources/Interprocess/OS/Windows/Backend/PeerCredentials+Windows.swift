// SPDX-License-Identifier: MIT OR Apache-2.0

#if os(Windows)
internal import CInterprocess

extension PeerCredentials {
    init(_ core: DescriptorCore) throws(IPCError) {
        let lease = try core.lease(.both, for: .identify)
        defer { withExtendedLifetime(lease) {} }
        var status = cip_named_pipe_status()
        var result = System.call(.credentials) { unsafe cip_named_pipe_status(core.descriptor, &status) }
        if result >= 0 {
            let isServer = status.is_server
            result = System.call(.credentials) { cip_named_pipe_process(core.descriptor, !isServer) }
        }
        if result < 0 { throw core.error(result: result, .identify) }
        processID = Int32(truncatingIfNeeded: result)
        (userID, groupID, groups, securityLabel) = (nil, nil, nil, nil)
    }
}
#endif
