// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess

extension DescriptorCore {
    /// Accepts the next client that the gate admits (`acceptNow`, which each system's backend has), waiting for one.
    func accept(
        _ gate: Gate,
        _ patience: Patience,
        _ spin: borrowing AdaptiveSpin
    ) throws(IPCError) -> OwnedDescriptor {
        let lease = try lease(.receive, for: .accept)
        while true {
            let result = acceptNow(gate)
            if result >= 0 { return OwnedDescriptor(result) }
            if isClosed(.receive) { throw error(.closed, .accept) }
            if result != -cip_codes.would_block { throw error(result: result, .accept) }
            if patience.isNonblocking { throw error(.wouldBlock, .accept) }
            // Strangers may keep the socket ready all the time.
            if patience.deadline.hasPassed { throw error(.timedOut, .accept) }
            let spun = spin.run(until: patience.deadline) { hasClient || isClosed(.receive) ? true : nil }
            if spun == nil { try wait(.receive, for: .accept, lease, until: patience.deadline) }
        }
    }

    /// Whether accepting is worth a try.
    var hasClient: Bool {
        System.once(.accept) { cip_poll(descriptor, Int64(CIP_READABLE), -1, 0) } > 0
    }
}
