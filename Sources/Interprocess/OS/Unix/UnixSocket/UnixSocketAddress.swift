// SPDX-License-Identifier: MIT OR Apache-2.0

#if !os(Windows)
internal import CInterprocess

/// The address of a Unix domain socket: a path, a name in the abstract namespace, or none.
///
/// An address is checked when it is built. It says less about who may use it than a ``LocalSocketName`` does, and
/// allows more: an abstract name may have any bytes in it, also NUL.
public struct UnixSocketAddress: Sendable, Hashable, CustomStringConvertible {
    /// The bytes of `sun_path`, as many as count: a path; a NUL byte and a name in the abstract namespace; or nothing.
    let bytes: [UInt8]

    /// The address of a socket that was not bound, which cannot be connected or sent to.
    public static let unnamed = UnixSocketAddress(bytes: [])

    /// A socket file.
    ///
    /// - Parameter path: Where it is. A relative path is relative to the current directory at each use.
    /// - Returns: The address.
    /// - Throws: ``IPCError/Code/invalidName`` for an empty path or one with a NUL in it;
    ///   ``IPCError/Code/nameTooLong``: the limit is 108 bytes on Linux, 104 on macOS and the BSDs.
    public static func path(_ path: String) throws(IPCError) -> UnixSocketAddress {
        try UnixSocketAddress(path: Array(path.utf8))
    }

    /// A socket file whose path is not, or need not be, UTF-8.
    ///
    /// - Parameter bytes: The path, without a terminator.
    /// - Returns: The address.
    /// - Throws: As ``path(_:)`` does.
    public static func path(bytes: [UInt8]) throws(IPCError) -> UnixSocketAddress { try UnixSocketAddress(path: bytes) }

    #if os(Linux) || os(Android)
    /// The address to bind a socket to for which the system shall choose a name: an abstract one of five hexadecimal
    /// digits that nobody else has.
    public static var automatic: UnixSocketAddress { unnamed }

    /// A name in the abstract namespace.
    ///
    /// - Parameter name: The name, without the NUL that the system puts before it.
    /// - Returns: The address.
    /// - Throws: ``IPCError/Code/nameTooLong``: the limit is 107 bytes.
    public static func abstract(_ name: String) throws(IPCError) -> UnixSocketAddress {
        try abstract(bytes: Array(name.utf8))
    }

    /// A name in the abstract namespace, of any bytes.
    ///
    /// All of them count, also NULs at the end: programs that fill up an address with NULs mean another one.
    ///
    /// - Parameter bytes: The name, without the NUL that the system puts before it.
    /// - Returns: The address.
    /// - Throws: As ``abstract(_:)`` does.
    public static func abstract(bytes: [UInt8]) throws(IPCError) -> UnixSocketAddress {
        try checkLength(bytes, atMost: capacity - 1)
        return UnixSocketAddress(bytes: [0] + bytes)
    }
    #endif

    /// Takes the bytes as the system has them.
    init(bytes: [UInt8]) { self.bytes = bytes }

    /// The path, or `nil` if it is none; what is not UTF-8 in it is replaced.
    public var path: String? { pathBytes.map { String(decoding: $0, as: UTF8.self) } }

    /// The path as the system has it, or `nil` if it is none.
    public var pathBytes: [UInt8]? { isUnnamed || bytes[0] == 0 ? nil : bytes }

    /// The name in the abstract namespace, without the NUL before it, or `nil` if it is none.
    public var abstractBytes: [UInt8]? { isUnnamed || bytes[0] != 0 ? nil : Array(bytes.dropFirst()) }

    /// Whether it is that of a socket that was not bound.
    public var isUnnamed: Bool { bytes.isEmpty }

    /// The path as it is, an abstract name with an `@` before it, as other tools write it.
    public var description: String {
        if let abstractBytes { return "@" + Self.describe(abstractBytes) }
        return isUnnamed ? "an unnamed socket" : Self.describe(bytes)
    }
}

// What the names of local sockets are made of, which have stricter rules.
extension UnixSocketAddress {
    var isPath: Bool { pathBytes != nil }

    static var capacity: Int { Int(cip_address_capacity()) }
    /// How the names begin that a listener has while it takes the place of a dead one, and that its socket keeps.
    static var temporaryPrefix: [UInt8] { Array(".ipc-".utf8) }
    static var hasAbstractNames: Bool { cip_has_abstract_names() != 0 }

    /// - Throws: `.invalidName` for an empty path or one with a NUL in it, `.nameTooLong`.
    init(path: [UInt8]) throws(IPCError) {
        try Self.checkText(path, atMost: Self.capacity)
        bytes = path
    }

    /// - Throws: `.invalidName` for an empty name or one with a NUL in it, `.nameTooLong`, `.unsupported`.
    init(abstract name: [UInt8]) throws(IPCError) {
        if !Self.hasAbstractNames {
            throw IPCError(.unsupported, .name, detail: "only Linux and Android have an abstract namespace")
        }
        try Self.checkText(name, atMost: Self.capacity - 1)
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

    private static func checkText(_ name: [UInt8], atMost limit: Int) throws(IPCError) {
        if name.isEmpty { throw IPCError(.invalidName, .name, detail: "a name cannot be empty") }
        if name.contains(0) { throw IPCError(.invalidName, .name, detail: "a name cannot have a NUL byte in it") }
        try checkLength(name, atMost: limit)
    }

    private static func checkLength(_ name: [UInt8], atMost limit: Int) throws(IPCError) {
        if name.count > limit {
            throw IPCError(
                .nameTooLong,
                .name,
                name: describe(name),
                detail: """
                    the name is too long: a socket's path has at most 108 bytes on Linux and 104 elsewhere, \
                    an abstract name 107
                    """
            )
        }
    }

    private static func describe(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    /// Calls with the bytes as the system calls take them.
    @safe
    @inline(__always)
    func with(_ body: (UnsafePointer<UInt8>, Int) -> Int64) -> Int64 {
        unsafe bytes.withUnsafeBufferPointer { memory in
            // An empty array's may be missing, and none of its bytes is looked at.
            var nothing: UInt8 = 0
            guard let base = memory.baseAddress else { return unsafe body(&nothing, 0) }
            return unsafe body(base, memory.count)
        }
    }

    /// Asks a socket for an address.
    ///
    /// - Returns: It, or the negated error.
    @safe
    static func ask(_ question: (UnsafeMutablePointer<UInt8>) -> Int64) -> (address: UnixSocketAddress, result: Int64) {
        var result: Int64 = 0
        let bytes = [UInt8](capacity: capacity) { buffer in
            unsafe buffer.withUnsafeMutableBufferPointer { (memory, count) in
                guard let base = memory.baseAddress else { return }
                result = System.call(.option) { unsafe question(base) }
                count = Int(max(0, result))
            }
        }
        return (UnixSocketAddress(bytes: bytes), result)
    }
}
#endif
