// SPDX-License-Identifier: MIT OR Apache-2.0

import Interprocess

/// An awaited form of reading, so that all of them can be put to the same tests.
struct AwaitedRead: Sendable {
    let name: String
    /// Returns the text that was read.
    let call: @Sendable (any ByteReceiver, Duration?) async throws -> String

    private init(_ name: String, _ call: @escaping @Sendable (any ByteReceiver, Duration?) async throws -> String) {
        self.name = name
        self.call = call
    }

    /// Those that return the first bytes that come.
    static let eager = [
        AwaitedRead("read(into:) of a raw buffer") { receiver, timeout in
            let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 100, alignment: 1)
            defer { memory.deallocate() }
            let count = try await receiver.read(into: memory, timeout: timeout)
            return text(Array(memory[..<count]))
        },
        AwaitedRead("read(into:) of a MutableRawSpan") { receiver, timeout in
            var memory = [UInt8](repeating: 0, count: 100)
            var elements = memory.mutableSpan
            var bytes = elements.mutableBytes
            let count = try await receiver.read(into: &bytes, timeout: timeout)
            return text(Array(memory[..<count]))
        },
        AwaitedRead("read(into:) of an OutputRawSpan") { receiver, timeout in
            let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 100, alignment: 1)
            defer { memory.deallocate() }
            var bytes = OutputRawSpan(buffer: memory, initializedCount: 0)
            let count = try await receiver.read(into: &bytes, timeout: timeout)
            precondition(bytes.byteCount == count)
            return text(Array(memory[..<count]))
        },
        AwaitedRead("read(into:) of an OutputSpan") { receiver, timeout in
            let memory = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 100)
            defer { memory.deallocate() }
            var bytes = OutputSpan(buffer: memory, initializedCount: 0)
            let count = try await receiver.read(into: &bytes, timeout: timeout)
            precondition(bytes.count == count)
            return text(Array(memory[..<count]))
        },
        AwaitedRead("read(scattering:)") { receiver, timeout in
            let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 100, alignment: 1)
            defer { memory.deallocate() }
            let pieces = [memory[..<1], memory[1...]].map { UnsafeMutableRawBufferPointer(rebasing: $0) }
            let count = try await receiver.read(scattering: pieces, timeout: timeout)
            return text(Array(memory[..<count]))
        },
        AwaitedRead("read(upTo:)") { receiver, timeout in
            text(try await receiver.read(upTo: 100, timeout: timeout))
        },
        AwaitedRead("chunks") { receiver, timeout in text(try await firstChunk(receiver, timeout) ?? []) },
    ]

    /// Those that wait for four bytes, a line, or the end, and keep what came before.
    static let patient = [
        AwaitedRead("readExactly(_:)") { receiver, timeout in
            text(try await receiver.readExactly(4, timeout: timeout))
        },
        AwaitedRead("readExactly(into:)") { receiver, timeout in
            var memory = [UInt8](repeating: 0, count: 4)
            var elements = memory.mutableSpan
            var bytes = elements.mutableBytes
            try await receiver.readExactly(into: &bytes, timeout: timeout)
            return text(memory)
        },
        AwaitedRead("readToEnd()") { receiver, timeout in text(try await receiver.readToEnd(timeout: timeout)) },
        AwaitedRead("readLine()") { receiver, timeout in try await receiver.readLine(timeout: timeout) ?? "" },
        AwaitedRead("lines") { receiver, timeout in try await firstLine(receiver, timeout) ?? "" },
    ]

    static var all: [AwaitedRead] { eager + patient }

    private static func firstChunk(_ receiver: some ByteReceiver, _ timeout: Duration?) async throws -> [UInt8]? {
        for try await chunk in receiver.chunks(timeout: timeout) { return chunk }
        return nil
    }

    private static func firstLine(_ receiver: some ByteReceiver, _ timeout: Duration?) async throws -> String? {
        for try await line in receiver.lines(timeout: timeout) { return line }
        return nil
    }
}

/// An awaited form of writing.
struct AwaitedWrite: Sendable {
    let name: String
    /// Returns the number of bytes sent.
    let call: @Sendable (any ByteSender, [UInt8], Duration?) async throws -> Int

    private init(
        _ name: String,
        _ call: @escaping @Sendable (any ByteSender, [UInt8], Duration?) async throws -> Int
    ) {
        self.name = name
        self.call = call
    }

    static let all = [
        AwaitedWrite("write(_:) of a raw buffer") { sender, bytes, timeout in
            try await lending(bytes) { try await sender.write($0, timeout: timeout) }
        },
        AwaitedWrite("write(_:) of a RawSpan") { sender, bytes, timeout in
            try await sender.write(bytes.span.bytes, timeout: timeout)
        },
        AwaitedWrite("write(_:) of an array") { sender, bytes, timeout in
            try await sender.write(bytes, timeout: timeout)
        },
        AwaitedWrite("write(gathering:)") { sender, bytes, timeout in
            try await lending(bytes) { memory in
                let half = memory.count / 2
                let pieces = [memory[..<half], memory[half...]].map { UnsafeRawBufferPointer(rebasing: $0) }
                return try await sender.write(gathering: pieces, timeout: timeout)
            }
        },
        AwaitedWrite("writeAll(_:) of a raw buffer") { sender, bytes, timeout in
            try await lending(bytes) { try await sender.writeAll($0, timeout: timeout) }
            return bytes.count
        },
        AwaitedWrite("writeAll(_:) of a RawSpan") { sender, bytes, timeout in
            try await sender.writeAll(bytes.span.bytes, timeout: timeout)
            return bytes.count
        },
        AwaitedWrite("writeAll(_:) of an array") { sender, bytes, timeout in
            try await sender.writeAll(bytes, timeout: timeout)
            return bytes.count
        },
        AwaitedWrite("writeAll(_:) of a text") { sender, bytes, timeout in
            try await sender.writeAll(text(bytes), timeout: timeout)
            return bytes.count
        },
    ]

    /// Copies bytes to where they stay while a call is suspended.
    private static func lending<Value>(
        _ bytes: [UInt8],
        _ body: (UnsafeRawBufferPointer) async throws -> Value
    ) async throws -> Value {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        defer { memory.deallocate() }
        memory.copyBytes(from: bytes)
        return try await body(UnsafeRawBufferPointer(memory))
    }
}
