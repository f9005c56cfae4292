// SPDX-License-Identifier: MIT OR Apache-2.0

#if !os(Windows)
internal import CInterprocess

/// A path as C takes it: with a terminator.
struct CPath: Sendable {
    private let terminated: [UInt8]

    init(_ path: some Sequence<UInt8>) { terminated = Array(path) + [0] }

    var bytes: ArraySlice<UInt8> { terminated.dropLast() }

    @safe
    func with<Value>(_ body: (UnsafePointer<CChar>) -> Value) -> Value {
        unsafe terminated.withUnsafeBytes { memory in
            unsafe body(memory.assumingMemoryBound(to: CChar.self).baseAddress.unsafelyUnwrapped)
        }
    }

    /// What stands there now: of lstat(2).
    func status() throws(SystemFailure) -> cip_file_status {
        var status = cip_file_status()
        let result = System.call(.file) {
            with { unsafe cip_file_status(Int64(CIP_NO_DIRECTORY), $0, &status) }
        }
        if result < 0 { throw SystemFailure(result: result) }
        return status
    }

    /// The directory that the file is in.
    var directory: CPath {
        let prefix = directoryPrefix
        return CPath(prefix.isEmpty ? [UInt8(ascii: ".")] : prefix)
    }

    /// The path up to the file's own name: empty, or with a slash at its end.
    var directoryPrefix: [UInt8] {
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return [] }
        return Array(bytes[...slash])
    }

    /// The file's own name; where the path ends with a slash, the directory itself.
    var name: CPath {
        let own = bytes.dropFirst(directoryPrefix.count)
        return CPath(own.isEmpty ? [UInt8(ascii: ".")] : own)
    }
}

/// The result of a failed system call, before it is known what to make of it.
struct SystemFailure: Error {
    let result: Int64
}

extension cip_file_status {
    /// Whether it is the same file as another.
    func isSame(as other: cip_file_status) -> Bool { device == other.device && inode == other.inode }
}
#endif
