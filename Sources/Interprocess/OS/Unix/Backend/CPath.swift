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
        let result = System.call(.file) { with { unsafe cip_path_status($0, &status) } }
        if result < 0 { throw SystemFailure(result: result) }
        return status
    }

    /// The directory that the file is in.
    var directory: CPath {
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return CPath([UInt8(ascii: ".")]) }
        return CPath(slash == 0 ? bytes[...slash] : bytes[..<slash])
    }

    /// The path from the root, as things are now; unchanged if the current directory cannot be told.
    var absolute: CPath {
        if bytes.first == UInt8(ascii: "/") { return self }
        let current = [UInt8](capacity: 4096) { buffer in
            let length = unsafe buffer.withUnsafeMutableBufferPointer { (memory, count) -> Int64 in
                let length = unsafe UnsafeMutableRawBufferPointer(memory).withMemoryRebound(to: CChar.self) {
                    unsafe cip_current_directory($0.baseAddress.unsafelyUnwrapped, $0.count)
                }
                count = Int(max(0, length))
                return length
            }
            _ = length
        }
        return current.isEmpty ? self : CPath(current + [UInt8(ascii: "/")] + bytes)
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
