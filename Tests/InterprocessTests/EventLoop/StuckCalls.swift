// SPDX-License-Identifier: MIT OR Apache-2.0

import Interprocess

/// Every awaited method of the library, each in a way that cannot complete.
///
/// Whoever adds a method adds a line.
enum StuckCalls {
    typealias Read = @Sendable (any ByteReceiver) async throws -> Void
    typealias Write = @Sendable (any ByteSender) async throws -> Void

    /// With nothing to come.
    static let reads: [(String, Read)] = [
        ("read(into: UnsafeMutableRawBufferPointer)", { r in try await withMemory { _ = try await r.read(into: $0) } }),
        (
            "read(into: MutableRawSpan)",
            { receiver in
                var bytes = [UInt8](repeating: 0, count: 8)
                var elements = bytes.mutableSpan
                var span = elements.mutableBytes
                _ = try await receiver.read(into: &span)
            }
        ),
        (
            "read(into: OutputRawSpan)",
            { receiver in
                try await withMemory { memory in
                    var span = OutputRawSpan(buffer: memory, initializedCount: 0)
                    _ = try await receiver.read(into: &span)
                }
            }
        ),
        (
            "read(into: OutputSpan)",
            { receiver in
                try await withMemory { memory in
                    var span = OutputSpan(buffer: memory.bindMemory(to: UInt8.self), initializedCount: 0)
                    _ = try await receiver.read(into: &span)
                }
            }
        ),
        ("read(scattering:)", { r in try await withMemory { _ = try await r.read(scattering: [$0]) } }),
        ("read(upTo:)", { _ = try await $0.read(upTo: 1) }),
        ("readExactly(_:)", { _ = try await $0.readExactly(1) }),
        (
            "readExactly(into:)",
            { receiver in
                var bytes = [UInt8](repeating: 0, count: 8)
                var elements = bytes.mutableSpan
                var span = elements.mutableBytes
                try await receiver.readExactly(into: &span)
            }
        ),
        ("readToEnd", { _ = try await $0.readToEnd() }),
        ("readLine", { _ = try await $0.readLine() }),
        ("chunks", { try await iterate($0, limit: nil, lines: false) }),
        ("chunks(upTo:)", { try await iterate($0, limit: 9, lines: false) }),
        ("lines", { try await iterate($0, limit: nil, lines: true) }),
        ("lines(limit:)", { try await iterate($0, limit: 9, lines: true) }),
        ("read(upTo:timeout:)", { _ = try await $0.read(upTo: 1, timeout: .seconds(3600)) }),
        ("readExactly(_:timeout:)", { _ = try await $0.readExactly(1, timeout: .seconds(3600)) }),
        ("readLine(timeout:)", { _ = try await $0.readLine(timeout: .seconds(3600)) }),
        ("readToEnd(timeout:)", { _ = try await $0.readToEnd(timeout: .seconds(3600)) }),
    ]

    /// With no room.
    static let writes: [(String, Write)] = [
        ("write(UnsafeRawBufferPointer)", { s in try await withMemory { _ = try await s.write(.init($0)) } }),
        ("write(RawSpan)", { _ = try await $0.write(bytes.span.bytes) }),
        ("write([UInt8])", { _ = try await $0.write(bytes) }),
        ("write(gathering:)", { s in try await withMemory { _ = try await s.write(gathering: [.init($0)]) } }),
        ("writeAll(UnsafeRawBufferPointer)", { s in try await withMemory { try await s.writeAll(.init($0)) } }),
        ("writeAll(RawSpan)", { try await $0.writeAll(bytes.span.bytes) }),
        ("writeAll([UInt8])", { try await $0.writeAll(bytes) }),
        ("writeAll(String)", { try await $0.writeAll("text") }),
        ("write(_:timeout:)", { _ = try await $0.write(bytes, timeout: .seconds(3600)) }),
        ("writeAll(_:timeout:)", { try await $0.writeAll(bytes, timeout: .seconds(3600)) }),
    ]

    /// With a connection that was deferred, and cannot be made.
    static let needingConnection: [(String, @Sendable (LocalSocketStream) async throws -> Void)] = [
        ("peerCredentials", { _ = try await $0.peerCredentials() }),
        ("peerProcess", { _ = try await $0.peerProcess() }),
        ("shutdown", { try await $0.shutdown(.send) }),
        ("duplicate", { _ = try await $0.duplicate() }),
        ("detach", { _ = try await $0.detach() }),
    ]

    /// With nobody who connects.
    static let accepts: [(String, @Sendable (LocalSocketListener) async throws -> Void)] = [
        ("accept", { _ = try await $0.accept() }),
        ("accept(timeout:)", { _ = try await $0.accept(timeout: .seconds(3600)) }),
        ("connections", { for try await _ in $0.connections {} }),
        // Serving returns when it is cancelled; the listener is as it was.
        (
            "serve",
            { listener in
                try await listener.serve { _ in }
                _ = try await listener.accept()
            }
        ),
        (
            "serve(eachPiece:)",
            { listener in
                try await listener.serve(eachPiece: { _ in { _ in } })
                _ = try await listener.accept()
            }
        ),
        // The last one, for it leaves clients behind.
        (
            "withConnection, in its body",
            { listener in
                guard let name = listener.name else { return }
                try await LocalSocketStream.withConnection(to: name) { _ = try await $0.readLine() }
            }
        ),
    ]

    /// With a server that accepts nobody, or none at all.
    static let connects:
        [(String, @Sendable (LocalSocketName, LocalSocketStream.ConnectOptions) async throws -> Void)] = [
            ("connect", { _ = try await LocalSocketStream.connect(to: $0, options: $1) }),
            ("withConnection", { try await LocalSocketStream.withConnection(to: $0, options: $1) { _ in } }),
        ]

    /// With a FIFO that nobody has opened at the other end.
    static let opens: [(String, @Sendable (String) async throws -> Void)] = [
        ("openReceiver", { _ = try await FIFOFile.openReceiver(at: $0) }),
        ("openReceiver(timeout:)", { _ = try await FIFOFile.openReceiver(at: $0, timeout: .seconds(3600)) }),
        ("openSender", { _ = try await FIFOFile.openSender(at: $0) }),
        ("openSender(timeout:)", { _ = try await FIFOFile.openSender(at: $0, timeout: .seconds(3600)) }),
    ]

    private static let bytes = [UInt8](repeating: 1, count: 100)

    private static func withMemory(_ body: (UnsafeMutableRawBufferPointer) async throws -> Void) async throws {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 64, alignment: 1)
        defer { memory.deallocate() }
        try await body(memory)
    }

    private static func iterate(_ receiver: some ByteReceiver, limit: Int?, lines: Bool) async throws {
        switch (lines, limit) {
        case (false, nil): for try await _ in receiver.chunks {}
        case (false, let limit?): for try await _ in receiver.chunks(upTo: limit) {}
        case (true, nil): for try await _ in receiver.lines {}
        case (true, let limit?): for try await _ in receiver.lines(limit: limit) {}
        }
    }
}
