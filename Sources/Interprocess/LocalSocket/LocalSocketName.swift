// SPDX-License-Identifier: MIT OR Apache-2.0

/// The name by which a local socket's clients find its server.
///
/// A name is checked when it is built: one that is empty, too long, or has a NUL in it never comes into being. What a
/// name means to the system does not change between versions, and is what programs in other languages use:
///
/// | built by | Linux, Android | other Unix systems | Windows |
/// | --- | --- | --- | --- |
/// | `path` | a socket file | a socket file | a named pipe: `\\.\pipe\NAME` |
/// | `namespaced` | a name in the abstract namespace: no file, and it goes when the listener closes | as `runtimeDirectory` | the named pipe `\\.\pipe\NAME` |
/// | `abstract` | as `namespaced` | not available | not available |
/// | `runtimeDirectory` | a file in `/run/user/UID`, or in `/tmp` where there is none | the same | not available |
/// | `namedPipe` | not available | not available | as `namespaced` |
public struct LocalSocketName: Sendable, Hashable, CustomStringConvertible {
    private enum Kind: Hashable { case path, namespaced, runtimeDirectory }

    let address: LocalSocketAddress
    private let kind: Kind

    /// The path as it is, or an abstract name with an `@` before it.
    public let description: String

    private init(_ address: LocalSocketAddress, _ kind: Kind) {
        self.address = address
        self.kind = kind
        description = address.description
    }

    /// A socket file.
    ///
    /// - Parameter path: Where it is. A relative path is relative to the current directory at each use.
    /// - Returns: The name.
    /// - Throws: ``IPCError/Code/invalidName`` for an empty path or one with a NUL in it;
    ///   ``IPCError/Code/nameTooLong``: the limit is 108 bytes on Linux, 104 on macOS and the BSDs.
    public static func path(_ path: String) throws(IPCError) -> LocalSocketName {
        try self.path(bytes: Array(path.utf8))
    }

    /// A socket file whose path is not, or need not be, UTF-8.
    ///
    /// - Parameter bytes: The path, without a terminator.
    /// - Returns: The name.
    /// - Throws: As ``path(_:)`` does.
    public static func path(bytes: [UInt8]) throws(IPCError) -> LocalSocketName {
        LocalSocketName(try LocalSocketAddress(path: bytes), .path)
    }

    /// A name in a namespace of the system's, which needs no directory to be agreed on.
    ///
    /// Choose one that nobody else chooses, such as `com.example.echo`.
    ///
    /// - Parameter name: The name. Where it becomes a file's (see the table), slashes in it become directories.
    /// - Returns: The name.
    /// - Throws: ``IPCError/Code/invalidName`` for an empty name, one with a NUL in it, or (as a file's) one with a
    ///   `..` component; ``IPCError/Code/nameTooLong``: the limit on Linux is 107 bytes.
    public static func namespaced(_ name: String) throws(IPCError) -> LocalSocketName {
        LocalSocketName(try LocalSocketAddress(namespaced: Array(name.utf8)), .namespaced)
    }

    #if os(Linux) || os(Android)
    /// A name in the abstract namespace.
    ///
    /// Abstract names have no owner and no mode: whoever comes first has the name, and who may connect is checked when
    /// a client is accepted.
    ///
    /// - Parameter name: The name, without the NUL that the system puts before it.
    /// - Returns: The name.
    /// - Throws: As ``namespaced(_:)`` does.
    public static func abstract(_ name: String) throws(IPCError) -> LocalSocketName {
        LocalSocketName(try LocalSocketAddress(abstract: Array(name.utf8)), .namespaced)
    }
    #endif

    #if os(Windows)
    /// A named pipe of this machine, by its name alone, which is what ``namespaced(_:)`` makes of it, too.
    ///
    /// - Parameter name: The name, without `\\.\pipe\`.
    /// - Returns: The name.
    /// - Throws: As ``namespaced(_:)`` does.
    public static func namedPipe(_ name: String) throws(IPCError) -> LocalSocketName { try namespaced(name) }
    #endif

    #if !os(Windows)
    /// A socket file in the directory for what the current user's programs need at run time.
    ///
    /// That is `/run/user/UID` where it exists, else `/tmp` (on Android `$TMPDIR`, or else `/data/local/tmp`). A
    /// listener creates directories that are missing, for its user alone.
    ///
    /// - Parameter name: The file's name; slashes in it make directories.
    /// - Returns: The name.
    /// - Throws: ``IPCError/Code/invalidName`` for an empty name, one with a NUL in it, or one with a `..` component;
    ///   ``IPCError/Code/nameTooLong`` when directory and name together pass the limit of ``path(_:)``.
    public static func runtimeDirectory(_ name: String) throws(IPCError) -> LocalSocketName {
        LocalSocketName(try LocalSocketAddress(inRuntimeDirectory: Array(name.utf8)), .runtimeDirectory)
    }
    #endif

    #if !os(Windows)
    /// The name of a socket that was bound by somebody else, if it can be written as one.
    init?(boundTo bytes: [UInt8]) {
        guard let first = bytes.first else { return nil }
        // What a listener was called while it took the place of a dead one leads nowhere.
        let last = bytes[(bytes.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0)...]
        if first != 0 && last.starts(with: LocalSocketAddress.temporaryPrefix) { return nil }
        guard
            let address =
                try? first == 0
                ? LocalSocketAddress(abstract: Array(bytes.dropFirst())) : LocalSocketAddress(path: bytes)
        else { return nil }
        self.init(address, first == 0 ? .namespaced : .path)
    }
    #endif

    /// Whether the name was built for a namespace of the system's, as all of Windows' are.
    public var isNamespaced: Bool { kind == .namespaced || LocalSocketAddress.pathsAreNamespaced }

    /// Whether there is a file by which clients find the server.
    public var isPath: Bool { address.isPath }

    /// Whether its file is in the runtime directory, where the listener makes directories that are missing.
    var isInRuntimeDirectory: Bool { kind != .path && isPath }

    /// Whether it is a name that anybody can be first to take, not one in a directory that the caller has chosen.
    var isAgreedOn: Bool { kind != .path || LocalSocketAddress.pathsAreNamespaced }

    // Written out because the synthesized forms compare the description, too, and that by Unicode's rules.

    /// Compares what the names mean to the system, however they were built.
    public static func == (left: LocalSocketName, right: LocalSocketName) -> Bool { left.address == right.address }

    /// Hashes what the name means to the system.
    public func hash(into hasher: inout Hasher) { hasher.combine(address) }
}
