// SPDX-License-Identifier: MIT OR Apache-2.0

#if !os(Windows)
internal import CInterprocess

/// The memory that a message is sent from or received into, which stays as it is while a call lasts.
@safe
enum MessageMemory {
    case one(UnsafeMutableRawBufferPointer)
    case several([UnsafeMutableRawBufferPointer])
    /// To send from.
    case array([UInt8])

    init(_ memory: UnsafeRawBufferPointer) { unsafe self = .one(UnsafeMutableRawBufferPointer(mutating: memory)) }

    init(_ pieces: [UnsafeRawBufferPointer]) {
        unsafe self = .several(pieces.map { unsafe UnsafeMutableRawBufferPointer(mutating: $0) })
    }

    init(_ bytes: [UInt8]) { self = .array(bytes) }

    /// The first piece that is not empty.
    var first: UnsafeMutableRawBufferPointer? {
        switch self {
        case .one(let memory): unsafe memory.isEmpty ? nil : memory
        case .several(let pieces): unsafe pieces.first { unsafe !$0.isEmpty }
        case .array: nil
        }
    }

    private var isEmpty: Bool { if case .array(let bytes) = self { bytes.isEmpty } else { unsafe first == nil } }

    /// Whether it is nothing that a call would have to do with: an empty message is one.
    func isNothing(_ kind: UnixSocketKind) -> Bool { isEmpty && !kind.keepsBoundaries }

    /// Whether it is in more pieces than one call takes.
    var hasTooManyPieces: Bool {
        guard case .several(let pieces) = self else { return false }
        return unsafe pieces.count { unsafe !$0.isEmpty } > Transport.maximumPieces
    }

    /// Calls with the pieces as the system takes them.
    @safe
    func with(_ body: (UnsafeMutableBufferPointer<cip_buffer>) -> Int64) -> Int64 {
        if isEmpty { return unsafe body(UnsafeMutableBufferPointer(start: nil, count: 0)) }
        switch self {
        case .one(let memory): return unsafe Self.with(memory, body)
        case .several(let pieces): return unsafe withPieces(pieces) { unsafe body($0) }
        case .array(let bytes):
            return unsafe bytes.withUnsafeBytes {
                unsafe Self.with(UnsafeMutableRawBufferPointer(mutating: $0), body)
            }
        }
    }

    private static func with(
        _ memory: UnsafeMutableRawBufferPointer,
        _ body: (UnsafeMutableBufferPointer<cip_buffer>) -> Int64
    ) -> Int64 {
        var piece = unsafe cip_buffer(base: memory.baseAddress, count: min(memory.count, System.maximumTransfer))
        return unsafe withUnsafeMutablePointer(to: &piece) {
            unsafe body(UnsafeMutableBufferPointer(start: $0, count: 1))
        }
    }
}

/// Memory to receive into, which becomes an array.
@safe
final class MessageRoom {
    let bytes: UnsafeMutableRawBufferPointer

    /// A caller's "as much as there is" of a stream should not allocate as much as can be imagined.
    init(_ count: Int, _ kind: UnixSocketKind) {
        let most = kind.keepsBoundaries ? System.maximumTransfer : ReceivingSide.step
        unsafe bytes = .allocate(byteCount: min(count, most), alignment: 1)
    }

    func first(_ count: Int) -> [UInt8] { unsafe Array(bytes.prefix(count)) }

    deinit { unsafe bytes.deallocate() }
}
#endif
