// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess

// Sending where tasks wait instead of threads.

extension SendingSide {
    @usableFromInline
    func write(_ bytes: UnsafeRawBufferPointer, timeout: Duration?) async throws(IPCError) -> Int {
        guard let base = bytes.baseAddress, bytes.count > 0 else { return 0 }
        return try await send(until: settings.deadline(timeout)) { unsafe attempt(base, bytes.count) }
    }

    @usableFromInline
    func writeAll(_ bytes: UnsafeRawBufferPointer, timeout: Duration?) async throws(IPCError) {
        guard let base = bytes.baseAddress else { return }
        try await sendAll(bytes.count, timeout) { sent in unsafe attempt(base + sent, bytes.count - sent) }
    }

    func write(_ bytes: [UInt8], timeout: Duration?) async throws(IPCError) -> Int {
        if bytes.isEmpty { return 0 }
        return try await send(until: settings.deadline(timeout)) { attempt(bytes, from: 0) }
    }

    func writeAll(_ bytes: [UInt8], timeout: Duration?) async throws(IPCError) {
        try await sendAll(bytes.count, timeout) { sent in attempt(bytes, from: sent) }
    }

    private func attempt(_ bytes: [UInt8], from start: Int) -> Int64 {
        unsafe bytes.withUnsafeBytes { unsafe attempt($0.baseAddress.unsafelyUnwrapped + start, $0.count - start) }
    }

    /// Sends what there is room for, without waiting.
    @inline(__always)
    private func attempt(_ memory: UnsafeRawPointer, _ count: Int) -> Int64 {
        System.transfer(.send, count) { unsafe transport.write(core.descriptor, memory, $0, wait: false) }
    }

    @inline(__always)
    private func sendAll(
        _ count: Int,
        _ timeout: Duration?,
        _ attempt: (_ sent: Int) -> Int64
    ) async throws(IPCError) {
        let deadline = settings.deadline(timeout)
        var sent = 0
        while sent < count {
            do throws(IPCError) {
                sent += try await send(until: deadline) { attempt(sent) }
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
