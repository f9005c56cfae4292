// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess

/// The sending direction of a descriptor: the one way in which all of the library's types send bytes.
///
/// It has no public members. A stream and the sending half that is split from it share one of these.
public final class SendingSide: Sendable {
    let core: DescriptorCore
    let transport: Transport
    let connection: PendingConnection?
    let settings: WaitSettings

    init(
        _ core: DescriptorCore,
        _ transport: Transport,
        connection: PendingConnection? = nil,
        nonblocking: Bool = false
    ) {
        self.core = core
        self.transport = transport
        self.connection = connection
        settings = WaitSettings(nonblocking: nonblocking)
        transport.prepareToSend(core)
    }

    @usableFromInline
    func write(_ bytes: UnsafeRawBufferPointer, timeout: Duration?) throws(IPCError) -> Int {
        guard let base = bytes.baseAddress else { return 0 }
        return try unsafe write(base, bytes.count, settings.patience(timeout))
    }

    @usableFromInline
    func writeAll(_ bytes: UnsafeRawBufferPointer, timeout: Duration?) throws(IPCError) {
        guard let base = bytes.baseAddress else { return }
        try unsafe writeAll(base, bytes.count, settings.patience(timeout))
    }

    /// Sends at least one byte and up to `count`.
    @inline(__always)
    func write(
        _ memory: UnsafeRawPointer,
        _ count: Int,
        _ patience: Patience
    ) throws(IPCError) -> Int {
        if count == 0 { return 0 }
        return try send(patience) { waits in
            System.transfer(.send, count) { unsafe transport.write(core, memory, $0, wait: waits) }
        }
    }

    /// Sends some of what the pieces of memory hold, in their order.
    func write(_ pieces: UnsafeMutableBufferPointer<cip_buffer>, _ patience: Patience) throws(IPCError) -> Int {
        try send(patience) { waits in
            System.call(.send) { unsafe transport.write(core, pieces, wait: waits) }
        }
    }

    /// Makes attempts until one works, waiting for room in between, unless an attempt can wait by itself.
    @inline(__always)
    func send(_ patience: Patience, _ attempt: (_ waits: Bool) -> Int64) throws(IPCError) -> Int {
        let lease = try core.lease(.send, for: .write, blocking: transport.sendsByWaiting && !patience.isNonblocking)
        try connection?.finish(core, .send, lease, patience)
        let waits = patience.isUnlimited && transport.mayWait(lease)
        while true {
            let result = attempt(waits)
            if result >= 0 { return Int(result) }
            if core.isClosed(.send) { throw core.error(.closed, .write) }
            if result != -cip_codes.would_block { throw core.error(result: result, .write) }
            if patience.isNonblocking { throw core.error(.wouldBlock, .write) }
            // What is ready again and again, and in vain, must not keep the call from ending.
            if patience.deadline.hasPassed { throw core.error(.timedOut, .write) }
            try core.wait(.send, for: .write, lease, until: patience.deadline)
        }
    }

    /// Sends all of the bytes.
    @inline(__always)
    func writeAll(
        _ memory: UnsafeRawPointer,
        _ count: Int,
        _ patience: Patience
    ) throws(IPCError) {
        var sent = 0
        while sent < count {
            do throws(IPCError) {
                sent += try unsafe write(memory + sent, count - sent, patience)
            } catch {
                throw error.adding(bytesTransferred: sent)
            }
        }
    }
}
