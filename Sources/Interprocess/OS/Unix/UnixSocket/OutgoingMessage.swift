// SPDX-License-Identifier: MIT OR Apache-2.0

#if !os(Windows)
internal import CInterprocess

/// A message on its way out: from when it is known what goes with it until it is sent.
struct OutgoingMessage {
    private let memory: MessageMemory
    private let destination: UnixSocketAddress?
    private var descriptors: [Int64] = []
    /// Keep what is sent from being closed meanwhile.
    private var held: [HeldLease] = []
    private var credentials: cip_credentials?

    static let noAddress = "a socket that is not bound cannot be sent to"

    /// - Throws: `.messageTooLarge` for more descriptors than one message can carry; `.closed`, `.busy` of what is
    ///   attached; `.invalidArgument`.
    init(
        _ memory: MessageMemory,
        _ kind: UnixSocketKind,
        _ attachments: UnixAttachments,
        to destination: UnixSocketAddress? = nil,
        from core: DescriptorCore
    ) throws(IPCError) {
        self.memory = memory
        self.destination = destination
        // The system would take it for no address at all, and send to where the socket is connected to.
        if destination?.isUnnamed == true { throw core.error(.invalidArgument, .write, detail: Self.noAddress) }
        if kind.keepsBoundaries && memory.hasTooManyPieces {
            throw core.error(.invalidArgument, .write, detail: "one message is made of 1024 pieces at most")
        }
        #if os(Linux) || os(Android)
        if let own = attachments.credentials {
            credentials = cip_credentials(
                process: Int64(own.processID),
                user: Int64(own.userID),
                group: Int64(own.groupID)
            )
        }
        #endif
        if attachments.items.isEmpty { return }
        if attachments.descriptorCount > UnixAttachments.maximumDescriptors {
            throw core.error(.messageTooLarge, .write, detail: "one message carries 253 descriptors at most")
        }
        if memory.isNothing(kind) {
            throw core.error(.invalidArgument, .write, detail: "a stream takes descriptors only along with a byte")
        }
        for item in attachments.items {
            switch item {
            case .raw(let number): descriptors.append(number)
            case .owned(let owner):
                // Before the sender's own call starts, for it may be the sender that is sent.
                held.append(try HeldLease(toSend: owner))
                descriptors.append(owner.lent)
            }
        }
    }

    /// Whether there is nothing that sending would do.
    func isNothing(_ kind: UnixSocketKind) -> Bool { memory.isNothing(kind) }

    /// Sends it without waiting.
    ///
    /// - Returns: The number of bytes, or a negated error code: "would block" only where waiting for room by poll
    ///   helps, else "queue full".
    func send(_ core: DescriptorCore) -> Int64 {
        let result = memory.with { pieces in
            unsafe descriptors.withUnsafeBufferPointer { numbers in
                guard let destination else { return unsafe send(core, pieces, numbers, nil, 0) }
                return destination.with { unsafe send(core, pieces, numbers, $0, $1) }
            }
        }
        // Whether one's own buffer or the receiver's queue is full cannot be told, nor can the latter be waited for.
        return destination != nil && result == -cip_codes.would_block ? -cip_codes.queue_full : result
    }

    private func send(
        _ core: DescriptorCore,
        _ pieces: UnsafeMutableBufferPointer<cip_buffer>,
        _ numbers: UnsafeBufferPointer<Int64>,
        _ address: UnsafePointer<UInt8>?,
        _ addressLength: Int
    ) -> Int64 {
        var message = unsafe cip_message()
        unsafe message.buffers = pieces.baseAddress
        unsafe message.buffer_count = pieces.count
        unsafe message.descriptors = UnsafeMutablePointer(mutating: numbers.baseAddress)
        unsafe message.descriptor_count = numbers.count
        unsafe message.address = UnsafeMutablePointer(mutating: address)
        unsafe message.address_length = addressLength
        if let credentials {
            unsafe message.credentials = credentials
            unsafe message.has_credentials = true
        }
        return System.call(.message) { unsafe cip_send_message(core.descriptor, &message, false) }
    }
}

extension SendingSide {
    /// Sends a message, waiting for room.
    func send(_ message: OutgoingMessage, _ kind: UnixSocketKind, _ patience: Patience) throws(IPCError) -> Int {
        if message.isNothing(kind) { return 0 }
        return try sendMessages(patience) { _ in message.send(core) }
    }

    /// Makes attempts until one sends something, waiting for room in between: by poll, or where that does not tell
    /// ("queue full") for some time.
    func sendMessages(
        _ patience: Patience,
        _ attempt: (_ waits: Bool) -> Int64
    ) throws(IPCError) -> Int {
        // Where it may wait inside the kernel, what ends that ends polling, too.
        let lease = try core.lease(.send, for: .write, blocking: !patience.isNonblocking)
        try connection?.finish(core, .send, lease, patience)
        var backoff = Backoff.forFullQueue
        let waits = patience.isUnlimited && transport.mayWait(lease)
        while true {
            let result = attempt(waits)
            if result >= 0 { return Int(result) }
            if core.isClosed(.send) { throw core.error(.closed, .write) }
            let isFull = result == -cip_codes.queue_full
            if !isFull && result != -cip_codes.would_block { throw core.error(result: result, .write) }
            if patience.isNonblocking { throw core.error(.wouldBlock, .write) }
            // What is ready again and again, and in vain, must not keep the call from ending.
            if patience.deadline.hasPassed { throw core.error(.timedOut, .write) }
            if isFull {
                try core.pause(.send, for: .write, lease, until: backoff.next(until: patience.deadline))
            } else {
                try core.wait(.send, for: .write, lease, until: patience.deadline)
            }
        }
    }
}

extension Backoff {
    /// For a receiver that is about to make room, as a rule.
    static var forFullQueue: Backoff { Backoff(most: 2_000_000) }
}
#endif
