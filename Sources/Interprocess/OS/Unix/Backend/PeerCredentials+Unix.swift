// SPDX-License-Identifier: MIT OR Apache-2.0

#if !os(Windows)
internal import CInterprocess

extension PeerCredentials {
    init(_ core: DescriptorCore) throws(IPCError) {
        let lease = try core.lease(.both, for: .identify)
        defer { withExtendedLifetime(lease) {} }
        var peer = cip_credentials()
        let result = System.call(.credentials) { unsafe cip_peer_credentials(core.descriptor, &peer) }
        if result < 0 { throw core.error(result: result, .identify) }
        self.init(peer, groups: Self.groups(core.descriptor), securityLabel: Self.label(core.descriptor))
    }

    init(_ found: cip_credentials, groups: [UInt32]? = nil, securityLabel: String? = nil) {
        processID = Int32(exactly: found.process).flatMap { $0 > 0 ? $0 : nil }
        userID = UInt32(exactly: found.user)
        groupID = UInt32(exactly: found.group)
        self.groups = groups
        self.securityLabel = securityLabel
    }

    /// The peer's supplementary groups, or `nil` where the system does not tell.
    static func groups(_ descriptor: Int64) -> [UInt32]? {
        var capacity = 64
        while true {
            var found: Int64 = 0
            let groups = [UInt32](capacity: capacity) { buffer in
                unsafe buffer.withUnsafeMutableBufferPointer { (memory, count) in
                    found = System.call(.credentials) {
                        unsafe cip_peer_groups(descriptor, memory.baseAddress, memory.count)
                    }
                    count = Int(max(0, min(found, Int64(memory.count))))
                }
            }
            if found < 0 { return nil }
            if found <= capacity { return groups }
            capacity = Int(found)
        }
    }

    private static func label(_ descriptor: Int64) -> String? {
        var length: Int64 = 0
        let label = [UInt8](capacity: 4096) { buffer in
            unsafe buffer.withUnsafeMutableBufferPointer { (memory, count) in
                guard let base = memory.baseAddress else { return }
                length = System.call(.credentials) { unsafe cip_peer_label(descriptor, base, memory.count) }
                count = Int(max(0, length))
            }
        }
        return length > 0 ? String(decoding: label, as: UTF8.self) : nil
    }
}

/// A process, held on to by a descriptor (pidfd), so that its number cannot come to mean another one.
public final class PeerProcess: Sendable, DescriptorOwner {
    /// The descriptor's owner, which has no public members.
    public let descriptorCore: DescriptorCore

    /// Asks for the peer of a connected socket.
    convenience init(peerOf core: DescriptorCore) throws(IPCError) {
        let lease = try core.lease(.both, for: .identify)
        defer { withExtendedLifetime(lease) {} }
        let result = System.call(.credentials) { cip_peer_process(core.descriptor) }
        self.init(try OwnedDescriptor(result: result, .identify, name: core.name))
    }

    init(_ process: consuming OwnedDescriptor) {
        descriptorCore = DescriptorCore(process, name: "the peer process", waker: .poll)
    }

    /// Waits until the process has ended.
    ///
    /// The corresponding system call is `poll`. Closing the object from another thread ends the wait.
    ///
    /// - Parameter timeout: How long to wait at most; `nil` is without limit.
    /// - Throws: ``IPCError/Code/timedOut`` while the process still runs, ``IPCError/Code/closed``,
    ///   ``IPCError/Code/resourcesExhausted`` (to wait may take a descriptor).
    public func waitForExit(timeout: Duration? = nil) throws(IPCError) {
        let lease = try descriptorCore.lease(.receive, for: .wait)
        try descriptorCore.wait(.receive, for: .wait, lease, until: Deadline(after: timeout))
    }

    /// Whether the process has not ended yet.
    ///
    /// - Throws: ``IPCError/Code/closed``, ``IPCError/Code/resourcesExhausted``.
    public var isRunning: Bool {
        get throws(IPCError) {
            do throws(IPCError) {
                try waitForExit(timeout: .zero)
                return false
            } catch {
                if error.code == .timedOut { return true }
                throw error
            }
        }
    }

    /// Closes the descriptor; the process goes on.
    public func close() { descriptorCore.close() }
}
#endif
