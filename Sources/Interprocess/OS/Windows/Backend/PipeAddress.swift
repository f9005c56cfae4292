// SPDX-License-Identifier: MIT OR Apache-2.0

#if os(Windows)
/// The path of a named pipe, checked: `\\.\pipe\NAME`, or `\\HOST\pipe\NAME` to connect to another machine.
struct PipeAddress: Sendable, Hashable {
    /// UTF-16, with a terminator.
    let units: [UInt16]

    /// The longest path that the system takes, in UTF-16 units.
    private static let mostUnits = 256
    private static let prefix = Array(#"\\.\pipe\"#.utf8)

    /// A path is that of a pipe, which has a namespace of its own.
    static var pathsAreNamespaced: Bool { true }

    /// - Throws: `.invalidName` for what is no pipe's path, `.nameTooLong`.
    init(path: [UInt8]) throws(IPCError) {
        let text = String(decoding: path, as: UTF8.self)
        guard Self.isPath(path) else {
            throw IPCError(
                .invalidName,
                .name,
                name: text,
                detail: #"the path of a named pipe is \\.\pipe\NAME, and the name is not empty"#
            )
        }
        units = Array(text.utf16) + [0]
        if units.count > Self.mostUnits + 1 {
            throw IPCError(
                .nameTooLong,
                .name,
                name: text,
                detail: "a named pipe's path has at most 256 UTF-16 units"
            )
        }
    }

    /// - Throws: As for a path.
    init(namespaced name: [UInt8]) throws(IPCError) { try self.init(path: Self.prefix + name) }

    /// Every name is a path.
    var isPath: Bool { true }

    var description: String { String(decoding: units.dropLast(), as: UTF16.self) }

    private static func isPath(_ bytes: [UInt8]) -> Bool {
        let backslash = UInt8(ascii: "\\")
        guard bytes.starts(with: [backslash, backslash]), !bytes.contains(0) else { return false }
        // The host, "pipe" in any case, and the name, which may have backslashes of its own.
        guard let end = bytes[2...].firstIndex(of: backslash), end > 2 else { return false }
        let tail = bytes[(end + 1)...]
        let pipe = Array(#"pipe\"#.utf8)
        return tail.count > pipe.count && zip(tail, pipe).allSatisfy { $0 == $1 || $0 | 0x20 == $1 }
    }
}
#endif
