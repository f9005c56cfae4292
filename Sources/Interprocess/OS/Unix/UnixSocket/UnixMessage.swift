// SPDX-License-Identifier: MIT OR Apache-2.0

#if !os(Windows)
internal import CInterprocess

/// What one call has received from a Unix domain socket, beside the bytes themselves.
public struct UnixMessage: Sendable {
    /// How many bytes were received.
    public internal(set) var byteCount = 0

    /// The size of the packet or datagram, which is more than ``byteCount`` where its end was cut off; `nil` where the
    /// system does not tell (of one that was cut off, on other systems than Linux and Android).
    ///
    /// A stream knows no messages: there it is ``byteCount``.
    public internal(set) var size: Int? = 0

    /// Whether the buffer was too small for the packet or datagram, the end of which is lost.
    public internal(set) var isTruncated = false

    /// Whether nothing more comes, for the peer has ended its sending.
    ///
    /// Never for datagrams. Empty packets right before the end are taken for a part of it, for the system does not tell
    /// them apart; so are all empty packets on systems that do not tell of the end otherwise (NetBSD, OpenBSD).
    public internal(set) var isEnd = false

    /// The descriptors that came with it, in the order they were sent in.
    ///
    /// Each is close-on-exec, and closed when its object goes.
    public internal(set) var descriptors: [IPCDescriptor] = []

    /// Whether more descriptors came than the call had asked for; they have been closed.
    public internal(set) var descriptorsAreTruncated = false

    /// Who has sent it, checked by the kernel: its process, its (real) user and group.
    ///
    /// `nil` unless the socket receives them (`setReceivesCredentials`). Supplementary groups and a label do not come
    /// with a message.
    public internal(set) var credentials: PeerCredentials?

    #if os(Linux) || os(Android)
    /// The process that has sent it, if the socket receives that (`setReceivesProcesses`).
    public internal(set) var process: PeerProcess?
    #endif

    /// Where a datagram came from: unnamed, if its sender is not bound.
    ///
    /// `nil` for all but datagrams.
    public internal(set) var sender: UnixSocketAddress?
}

/// What a call wants of a message.
struct MessageWishes {
    let kind: UnixSocketKind
    /// For how many descriptors there is room.
    let descriptors: Int
    /// Who may send datagrams to it.
    let gate: Gate

    init(_ kind: UnixSocketKind, descriptors: Int, _ gate: Gate = .open) {
        self.kind = kind
        // What no message can carry needs no room.
        self.descriptors = min(max(descriptors, 0), Int(CIP_MAXIMUM_DESCRIPTORS))
        self.gate = gate
    }
}

extension UnixMessage {
    /// Receives one into pieces of memory.
    ///
    /// - Returns: The number of bytes, or a negated error code: "no descriptors" also when descriptors were lost for
    ///   want of numbers, and then `byteCount` bytes were received all the same.
    mutating func receive(
        _ core: DescriptorCore,
        _ pieces: UnsafeMutableBufferPointer<cip_buffer>,
        _ wishes: MessageWishes,
        wait: Bool
    ) -> Int64 {
        unsafe withUnsafeTemporaryAllocation(of: Int64.self, capacity: wishes.descriptors) { numbers in
            if wishes.kind != .datagrams {
                return unsafe receive(core, pieces, numbers, nil, wishes, wait: wait)
            }
            return unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: UnixSocketAddress.capacity) {
                unsafe receive(core, pieces, numbers, $0.baseAddress, wishes, wait: wait)
            }
        }
    }

    private mutating func receive(
        _ core: DescriptorCore,
        _ pieces: UnsafeMutableBufferPointer<cip_buffer>,
        _ numbers: UnsafeMutableBufferPointer<Int64>,
        _ address: UnsafeMutablePointer<UInt8>?,
        _ wishes: MessageWishes,
        wait: Bool
    ) -> Int64 {
        var message = unsafe cip_message()
        unsafe message.buffers = pieces.baseAddress
        unsafe message.buffer_count = pieces.count
        unsafe message.descriptors = numbers.baseAddress
        unsafe message.descriptor_count = numbers.count
        unsafe message.address = address
        unsafe message.has_credentials = true
        unsafe message.has_process = true
        unsafe message.is_measured = wishes.kind.keepsBoundaries
        let result = System.call(.message) { unsafe cip_receive_message(core.descriptor, &message, wait) }
        if result < 0 { return result }
        byteCount = Int(result)
        unsafe take(message, wishes)
        if unsafe !wishes.gate.admits(sender: message.has_credentials ? message.credentials : nil) {
            self = UnixMessage()
            return -cip_codes.would_block
        }
        if unsafe message.descriptors_lost { return -cip_codes.no_descriptors }
        let room = unsafe pieces.contains { unsafe $0.count > 0 }
        let isNothing = result == 0 && descriptors.isEmpty && !isTruncated && !descriptorsAreTruncated
        isEnd = isNothing && hasEnded(core, wishes.kind, room: room)
        // Of nobody's, which a stream makes up.
        if isEnd { credentials = nil }
        return result
    }

    private mutating func take(_ message: cip_message, _ wishes: MessageWishes) {
        unsafe isTruncated = message.truncated
        unsafe size = message.truncated && message.size <= byteCount ? nil : message.size
        unsafe descriptorsAreTruncated = message.descriptors_truncated
        for index in unsafe 0..<message.descriptor_count {
            guard let number = unsafe message.descriptors?[index] else { break }
            descriptors.append(IPCDescriptor(OwnedDescriptor(number), name: "a received descriptor"))
        }
        if unsafe message.has_credentials { unsafe credentials = PeerCredentials(message.credentials) }
        #if os(Linux) || os(Android)
        if unsafe message.has_process { unsafe process = PeerProcess(OwnedDescriptor(message.process)) }
        #endif
        guard wishes.kind == .datagrams, let address = unsafe message.address else { return }
        unsafe sender = UnixSocketAddress(
            bytes: Array(UnsafeBufferPointer(start: address, count: message.address_length))
        )
    }

    private func hasEnded(_ core: DescriptorCore, _ kind: UnixSocketKind, room: Bool) -> Bool {
        switch kind {
        case .stream: room
        case .packets: credentials == nil && System.call(.option) { cip_packets_ended(core.descriptor) } != 0
        case .datagrams: false
        }
    }
}
#endif
