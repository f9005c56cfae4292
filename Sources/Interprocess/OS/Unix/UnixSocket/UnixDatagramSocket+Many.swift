// SPDX-License-Identifier: MIT OR Apache-2.0

#if !os(Windows)
internal import CInterprocess

extension UnixDatagramSocket {
    /// Sends the datagrams of a batch, some or all, in their order.
    ///
    /// The corresponding system call is `sendmmsg`, or `sendmsg` for each where there is none.
    ///
    /// - Parameters:
    ///   - batch: What to send; it stays as it is.
    ///   - index: Which one to begin with.
    ///   - timeout: How long to wait at most; `nil` means ``UnixMessageSocket/sendTimeout``.
    /// - Returns: How many were sent: at least one, unless there are none.
    /// - Throws: As `send(_:to:with:timeout:)` does. Nothing was sent when it throws.
    public func sendMany(
        _ batch: UnixDatagramBatch,
        startingAt index: Int = 0,
        timeout: Duration? = nil
    ) throws(IPCError) -> Int {
        if index >= batch.count { return 0 }
        return try sendingSide.sendMessages(sendingSide.settings.patience(timeout)) { waits in
            sendingSide.attempt(batch, from: max(0, index), wait: waits)
        }
    }

    /// Receives datagrams, as many as there are and the batch has room for.
    ///
    /// Descriptors that come with them are closed. The corresponding system call is `recvmmsg`, or `recvmsg` for each
    /// where there is none.
    ///
    /// - Parameters:
    ///   - batch: Where they go, in place of what it holds.
    ///   - timeout: How long to wait at most; `nil` means ``UnixMessageSocket/receiveTimeout``.
    /// - Returns: How many came: at least one, unless there is no room.
    /// - Throws: ``IPCError/Code/timedOut``, ``IPCError/Code/wouldBlock`` (in nonblocking mode),
    ///   ``IPCError/Code/closed``, ``IPCError/Code/resourcesExhausted``.
    public func receiveMany(
        into batch: UnixDatagramBatch,
        timeout: Duration? = nil
    ) throws(IPCError) -> Int {
        batch.removeAll()
        if batch.capacity == 0 { return 0 }
        let side = receivingSide
        let patience = side.settings.patience(timeout)
        let lease = try side.core.lease(.receive, for: .read, blocking: !patience.isNonblocking)
        let waits = patience.isUnlimited && side.transport.mayWait(lease) && !side.spin.isOn
        return try side.receive(lease, patience) { side.attempt(batch, wait: waits) }
    }
}

extension SendingSide {
    /// Sends what there is room for, waiting a moment for it or not at all.
    func attempt(_ batch: UnixDatagramBatch, from index: Int, wait: Bool) -> Int64 {
        let first = unsafe batch.datagrams + index
        let result = System.call(.message) {
            unsafe cip_send_datagrams(core.descriptor, first, batch.count - index, wait)
        }
        // As for a single one: only the room in a queue that the socket is connected to can be waited for.
        let isAddressed = unsafe first.pointee.address_length > 0
        return isAddressed && result == -cip_codes.would_block ? -cip_codes.queue_full : result
    }
}

extension ReceivingSide {
    /// Receives what there is, waiting for the first one or not at all.
    func attempt(_ batch: UnixDatagramBatch, wait: Bool) -> Int64 {
        let datagrams = unsafe batch.datagrams
        for index in 0..<batch.capacity { unsafe datagrams[index].buffer.count = batch.maximumSize }
        // The gate has to know who is there in any case.
        let tellsSenders = batch.tellsSenders || !gate.isOpen
        let result = System.call(.message) {
            unsafe cip_receive_datagrams(core.descriptor, datagrams, batch.capacity, tellsSenders, wait)
        }
        guess.learn(result < 0 ? result : 1, of: 1)
        if result < 0 { return result }
        // What ends a call that waits in the kernel looks like an empty datagram.
        if wait && core.isClosed(.receive) { return 0 }
        batch.count = Int(result)
        if !gate.isOpen { batch.keep { unsafe gate.admits(sender: $0.has_credentials ? $0.credentials : nil) } }
        return batch.count == 0 ? -cip_codes.would_block : Int64(batch.count)
    }
}

extension UnixDatagramBatch {
    /// Removes all but some of the datagrams.
    @safe
    fileprivate func keep(_ isWelcome: (cip_datagram) -> Bool) {
        var kept = 0
        for index in 0..<count where unsafe isWelcome(datagrams[index]) {
            unsafe UnsafeMutableBufferPointer(start: datagrams, count: capacity).swapAt(kept, index)
            kept += 1
        }
        count = kept
    }
}
#endif
