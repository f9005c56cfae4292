// SPDX-License-Identifier: MIT OR Apache-2.0

import CBenchmark
import Interprocess

/// The work of a connection, awaited.
///
/// Memory for messages has room for more than one, so that a read can tell that it took all there was, as C's can.
extension LocalSocketStream {
    func roundTrips(
        _ memory: Memory,
        _ size: Int,
        _ count: Int,
        _ nanoseconds: UnsafeMutablePointer<Int64>?,
        timeout: Duration?
    ) async throws {
        let message = UnsafeRawBufferPointer(rebasing: memory.bytes[..<size])
        for done in 0..<count {
            let start = cb_now()
            try await writeAll(message)
            try await takeAnswer(memory, size, timeout)
            if let nanoseconds { nanoseconds[done] = cb_now() - start }
        }
    }

    /// Round trips by `writeAll` and `read(into:)`, and by `write` and `readExactly(into:)`, in turn.
    func roundTripsInAllForms(_ memory: Memory, _ size: Int, _ count: Int, timeout: Duration?) async throws {
        let message = UnsafeRawBufferPointer(rebasing: memory.bytes[..<size])
        var target = UnsafeMutableRawBufferPointer(rebasing: memory.bytes[..<size]).mutableBytes
        for done in 0..<count {
            if done.isMultiple(of: 2) {
                try await writeAll(message)
                try await takeAnswer(memory, size, timeout)
            } else {
                let sent = try await write(message)
                if sent < size { throw Failure("\(sent) bytes of \(size) were sent") }
                try await readExactly(into: &target, timeout: timeout)
            }
        }
    }

    @inline(__always)
    private func takeAnswer(_ memory: Memory, _ size: Int, _ timeout: Duration?) async throws {
        var missing = size
        while missing > 0 {
            let received = try await read(into: memory.bytes, timeout: timeout)
            if received == 0 { throw Failure("the other side ended early") }
            missing -= received
        }
    }

    func echo(_ memory: Memory, timeout: Duration?) async throws(IPCError) {
        while true {
            let received = try await read(into: memory.bytes, timeout: timeout)
            if received == 0 { return }
            try await writeAll(UnsafeRawBufferPointer(rebasing: memory.bytes[..<received]))
        }
    }

    func pour(_ memory: Memory, _ count: Int) async throws {
        for _ in 0..<count { try await writeAll(UnsafeRawBufferPointer(memory.bytes)) }
        let received = try await read(into: UnsafeMutableRawBufferPointer(rebasing: memory.bytes[..<1]))
        if received == 0 { throw Failure("the other side ended early") }
    }

    func drain(_ memory: Memory, _ count: Int) async throws {
        var left = memory.bytes.count * count
        while left > 0 {
            let part = min(left, memory.bytes.count)
            let received = try await read(into: UnsafeMutableRawBufferPointer(rebasing: memory.bytes[..<part]))
            if received == 0 { throw Failure("the other side ended early") }
            left -= received
        }
        try await writeAll(UnsafeRawBufferPointer(rebasing: memory.bytes[..<1]))
    }
}
