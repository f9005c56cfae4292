// SPDX-License-Identifier: MIT OR Apache-2.0

import CBenchmark
import Interprocess

/// Memory for messages.
struct Memory {
    let bytes: UnsafeMutableRawBufferPointer
    let base: UnsafeMutablePointer<UInt8>

    fileprivate init(_ size: Int) {
        // Little memory takes no page of its own: thousands of handlers each have some.
        bytes = .allocate(byteCount: size, alignment: size < 4096 ? 64 : 4096)
        base = bytes.bindMemory(to: UInt8.self).baseAddress.unsafelyUnwrapped
        // Touched now, not while the clock runs.
        base.initialize(repeating: 0x5A, count: size)
    }
}

/// Lends memory that stays where it is.
@inline(__always)
func withMemory<Value>(_ size: Int, _ body: (Memory) throws -> Value) throws -> Value {
    let memory = Memory(size)
    defer { memory.bytes.deallocate() }
    return try body(memory)
}

/// The same across suspensions.
@inline(__always)
func withMemory<Value>(_ size: Int, _ body: (Memory) async throws -> Value) async throws -> Value {
    let memory = Memory(size)
    defer { memory.bytes.deallocate() }
    return try await body(memory)
}

/// The library's two directions of one connection, and the same work that `cb_link` stands for in C.
///
/// Inlined, so that it becomes what a user writes for one type.
struct LibraryLink<Receiver: ByteReceiver, Sender: ByteSender> {
    let receiver: Receiver
    let sender: Sender

    @inline(__always)
    func roundTrips(_ memory: Memory, _ count: Int, _ nanoseconds: UnsafeMutablePointer<Int64>?) throws(IPCError) {
        var target = memory.bytes.mutableBytes
        for done in 0..<count {
            let start = cb_now()
            try sender.writeAll(UnsafeRawBufferPointer(memory.bytes))
            try receiver.readExactly(into: &target)
            if let nanoseconds { nanoseconds[done] = cb_now() - start }
        }
    }

    @inline(__always)
    func echo(_ memory: Memory) throws(IPCError) {
        var target = memory.bytes.mutableBytes
        while true {
            do throws(IPCError) {
                try receiver.readExactly(into: &target)
            } catch {
                if error.code == .endOfStream && error.bytesTransferred == 0 { return }
                throw error
            }
            try sender.writeAll(UnsafeRawBufferPointer(memory.bytes))
        }
    }

    @inline(__always)
    func pour(_ memory: Memory, _ count: Int) throws {
        for _ in 0..<count { try sender.writeAll(UnsafeRawBufferPointer(memory.bytes)) }
        let received = try receiver.read(into: UnsafeMutableRawBufferPointer(rebasing: memory.bytes[..<1]))
        if received == 0 { throw Failure("the other process ended early") }
    }

    @inline(__always)
    func drain(_ memory: Memory, _ count: Int) throws {
        var left = memory.bytes.count * count
        while left > 0 {
            let part = min(left, memory.bytes.count)
            let received = try receiver.read(into: UnsafeMutableRawBufferPointer(rebasing: memory.bytes[..<part]))
            if received == 0 { throw Failure("the other process ended early") }
            left -= received
        }
        try sender.writeAll(UnsafeRawBufferPointer(rebasing: memory.bytes[..<1]))
    }
}
