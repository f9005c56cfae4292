// SPDX-License-Identifier: MIT OR Apache-2.0

#if !os(Windows)
internal import CInterprocess

/// The address of a Unix domain socket: the bytes of `sun_path`, as many as count.
struct UnixAddress: Sendable, Hashable {
    /// A path, or a NUL byte and a name in the abstract namespace.
    let bytes: [UInt8]

    static var capacity: Int { Int(cip_address_capacity()) }
    /// How the names begin that a listener has while it takes the place of a dead one, and that its socket keeps.
    static var temporaryPrefix: [UInt8] { Array(".ipc-".utf8) }
    static var hasAbstractNames: Bool { cip_has_abstract_names() != 0 }

    /// - Throws: `.invalidName` for an empty path or one with a NUL in it, `.nameTooLong`.
    init(path: [UInt8]) throws(IPCError) {
        try Self.check(path, atMost: Self.capacity)
        bytes = path
    }

    /// - Throws: `.invalidName`, `.nameTooLong`, `.unsupported`.
    init(abstract name: [UInt8]) throws(IPCError) {
        if !Self.hasAbstractNames {
            throw IPCError(.unsupported, .name, detail: "only Linux and Android have an abstract namespace")
        }
        try Self.check(name, atMost: Self.capacity - 1)
        bytes = [0] + name
    }

    /// A name in the abstract namespace, or in the runtime directory where there is none.
    ///
    /// - Throws: `.invalidName`, `.nameTooLong`.
    init(namespaced name: [UInt8]) throws(IPCError) {
        if Self.hasAbstractNames { try self.init(abstract: name) } else { try self.init(inRuntimeDirectory: name) }
    }

    /// A path is a file's.
    static var pathsAreNamespaced: Bool { false }

    private static func check(_ name: [UInt8], atMost limit: Int) throws(IPCError) {
        if name.isEmpty { throw IPCError(.invalidName, .name, detail: "a name cannot be empty") }
        if name.contains(0) { throw IPCError(.invalidName, .name, detail: "a name cannot have a NUL byte in it") }
        if name.count > limit {
            throw IPCError(
                .nameTooLong,
                .name,
                name: Self.describe(name),
                detail: """
                    the name is too long: a socket's path has at most 108 bytes on Linux and 104 elsewhere, \
                    an abstract name 107
                    """
            )
        }
    }

    /// The path, or `nil` for an abstract name.
    var path: [UInt8]? { bytes[0] == 0 ? nil : bytes }

    /// The path as it is, an abstract name with an `@` before it, as other tools write it.
    var description: String {
        bytes[0] == 0 ? "@" + Self.describe(Array(bytes.dropFirst())) : Self.describe(bytes)
    }

    private static func describe(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    /// Calls with the bytes as the system calls take them.
    @safe
    @inline(__always)
    func with(_ body: (UnsafePointer<UInt8>, Int) -> Int64) -> Int64 {
        unsafe bytes.withUnsafeBufferPointer { memory in
            guard let base = memory.baseAddress else { return -cip_codes.invalid_argument }
            return unsafe body(base, memory.count)
        }
    }
}
#endif
