// SPDX-License-Identifier: MIT OR Apache-2.0

let pathTests = [
    Test("paths of pipes are taken") { () throws(IPCError) in
        for path in [#"\\.\pipe\x"#, #"\\HOST\pipe\x"#, #"\\.\PIPE\ä name with spaces"#, #"\\.\pipe\a\b"#] {
            _ = try PipeAddress(path: Array(path.utf8))
        }
    },
    Test("other paths are no names of pipes") { () throws(IPCError) in
        for path in [
            "", "x", #"C:\pipe\x"#, #"\\.\pipe\"#, #"\\.\pipe"#, #"\\.\pip\x"#, #"\\\pipe\x"#, #"\\server123\x"#,
            #"\\?\C:\x"#, "\\\\.\\pipe\\a\0b",
        ] {
            checkThrows(.invalidName) { () throws(IPCError) in try NamedPipeListener(path) }
            checkThrows(.invalidName) { () throws(IPCError) in try NamedPipeStream.connect(to: path) }
        }
    },
    Test("a path has 256 units at most") { () throws(IPCError) in
        let start = #"\\.\pipe\"#
        let longest = start + String(repeating: "n", count: 256 - start.utf16.count)
        let listener = try NamedPipeListener(longest)
        _ = try NamedPipeStream.connect(to: longest)
        listener.close()
        checkThrows(.nameTooLong) { () throws(IPCError) in try NamedPipeListener(longest + "n") }
        checkThrows(.nameTooLong) { () throws(IPCError) in try NamedPipeStream.connect(to: longest + "n") }
    },
]
