// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess

// Sending where tasks wait instead of threads.

extension SendingSide {
    @usableFromInline
    func write(_ bytes: UnsafeRawBufferPointer, timeout: Duration?) async throws(IPCError) -> Int {
        guard let base = bytes.baseAddress, bytes.count > 0 else { return 0 }
        return try await send(until: settings.deadline(timeout)) {
            System.transfer(.send, bytes.count) { unsafe transport.write(core.descriptor, base, $0, wait: false) }
        }
    }

    @usableFromInline
    func writeAll(_ bytes: UnsafeRawBufferPointer, timeout: Duration?) async throws(IPCError) {
        guard let base = bytes.baseAddress else { return }
        let deadline = settings.deadline(timeout)
        var sent = 0
        while sent < bytes.count {
            do throws(IPCError) {
                sent += try await send(until: deadline) {
                    System.transfer(.send, bytes.count - sent) {
                        unsafe transport.write(core.descriptor, base + sent, $0, wait: false)
                    }
                }
            } catch {
                throw error.adding(bytesTransferred: sent)
            }
        }
    }

    /// Makes attempts until one works, waiting for room in between.
    @inline(__always)
    func send(until deadline: Deadline, _ attempt: () -> Int64) async throws(IPCError) -> Int {
        if let connection { try await connection.finish(core, .send, until: deadline) }
        return try await core.awaiting(
            .send,
            for: .write,
            until: deadline,
            waitsFirst: false
        ) { () throws(IPCError) -> Int? in
            let lease = try core.lease(.send, for: .write)
            let result = attempt()
            withExtendedLifetime(lease) {}
            if result >= 0 { return Int(result) }
            if core.isClosed(.send) { throw core.error(.closed, .write) }
            if result != -cip_codes.would_block { throw core.error(result: result, .write) }
            return nil
        }
    }
}
