// SPDX-License-Identifier: MIT OR Apache-2.0

#if !os(Windows)
internal import CInterprocess

extension UnixSocketAddress {
    /// A file in the directory for what the current user's programs need at run time.
    ///
    /// The places are those that the Rust crate `interprocess` uses, so that programs written with it are found.
    ///
    /// - Throws: `.invalidName`, `.nameTooLong`.
    init(inRuntimeDirectory name: [UInt8]) throws(IPCError) {
        if name.isEmpty { throw IPCError(.invalidName, .name, detail: "a name cannot be empty") }
        for component in name.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        where component.elementsEqual("..".utf8) {
            throw IPCError(.invalidName, .name, detail: "a name cannot lead out of its directory by '..'")
        }
        try self.init(path: Self.runtimeDirectory() + name)
    }

    /// With a slash at its end.
    static func runtimeDirectory() -> [UInt8] {
        let ofUser = ownRuntimeDirectory
        if let found = try? CPath(ofUser.dropLast()).status(), found.kind == Int64(CIP_KIND_DIRECTORY),
            Int64(found.owner) == cip_own_user()
        {
            return ofUser
        }
        return commonRuntimeDirectory
    }

    /// The part of a path that is a runtime directory, which need not be the one that a name would be in now: the user's
    /// own may have come, or gone, since the name was made.
    static func runtimeDirectory(of path: ArraySlice<UInt8>) -> [UInt8]? {
        [ownRuntimeDirectory, commonRuntimeDirectory].first { path.starts(with: $0) }
    }

    private static var ownRuntimeDirectory: [UInt8] { Array("/run/user/\(cip_own_user())/".utf8) }

    /// For users that have none of their own.
    private static var commonRuntimeDirectory: [UInt8] {
        #if os(Android)
        if let configured = Environment["TMPDIR"], configured.first == UInt8(ascii: "/") {
            return configured.last == UInt8(ascii: "/") ? configured : configured + [UInt8(ascii: "/")]
        }
        return Array("/data/local/tmp/".utf8)
        #else
        return Array("/tmp/".utf8)
        #endif
    }
}
#endif
