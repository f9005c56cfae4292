// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess

// Sending where tasks wait instead of threads.

extension SendingSide {
    @usableFromInline
    func write(_ bytes: UnsafeRawBufferPointer, timeout: Duration?) async throws(IPCError) -> Int {
        guard let base = bytes.baseAddress, bytes.count > 0 else { return 0 }
        return try await send(timeout) { unsafe attempt(base, bytes.count) }
    }

    func write(_ bytes: [UInt8], timeout: Duration?) async throws(IPCError) -> Int {
        bytes.isEmpty ? 0 : try await send(timeout) { attempt(bytes, from: 0) }
    }

    @usableFromInline
    func writeAll(_ bytes: UnsafeRawBufferPointer, timeout: Duration?) async throws(IPCError) {
        guard let base = bytes.baseAddress else { return }
        try await sendAll(bytes.count, timeout) { sent in unsafe attempt(base + sent, bytes.count - sent) }
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
        System.transfer(.send, count) { unsafe transport.write(core, memory, $0, wait: false) }
    }

    /// Makes attempts until one sends something, waiting for room in between.
    @inline(__always)
    func send(_ timeout: Duration?, _ attempt: () -> Int64) async throws(IPCError) -> Int {
        try await send(until: settings.deadline(timeout), attempt)
    }

    @inline(__always)
    func send(until deadline: Deadline, _ attempt: () -> Int64) async throws(IPCError) -> Int {
        if connection != nil { try await finishConnecting(until: deadline) }
        return try await core.checked(sendSome(until: deadline, attempt), .write)
    }

    /// Makes attempts, which are told how much was sent, until all is.
    @inline(__always)
    private func sendAll(
        _ count: Int,
        _ timeout: Duration?,
        _ attempt: (_ sent: Int) -> Int64
    ) async throws(IPCError) {
        let deadline = settings.deadline(timeout)
        if connection != nil { try await finishConnecting(until: deadline) }
        var sent = 0
        while sent < count {
            let result = await sendSome(until: deadline) { attempt(sent) }
            if result < 0 { throw core.failure(result, .write).adding(bytesTransferred: sent) }
            sent += Int(result)
        }
    }

    @inline(__always)
    private func sendSome(until deadline: Deadline, _ attempt: () -> Int64) async -> Int64 {
        await core.awaiting(.send, until: deadline, waitsFirst: false) {
            let result = attempt()
            return result < 0 && core.isClosed(.send) ? Ending.closed : result
        }
    }

    /// Waits for a deferred connection.
    @inline(never)
    private func finishConnecting(until deadline: Deadline) async throws(IPCError) {
        try await connection?.finish(core, .send, until: deadline)
    }
}
