// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CWindowsTests

// The example of messages, whose functions are compiled with the tests: see Tests/Examples/pipe-messages.

let exampleTests = [
    Test("the example's log has the messages of several clients as they were written") { () throws(IPCError) in
        let listener = try makeLog(at: uniquePath())
        let path = listener.path
        let log = Background { () throws(IPCError) in
            var kept: [UInt8] = []
            try keepLog(listener, clients: 3) { entry, process in
                check(Int64(process) == wt_own_process_id(), "it is told to be another process's")
                kept += Array(entry.utf8) + [0]
            }
            return kept
        }
        for client in 0..<3 {
            let answers = try write(["one", "", "two\nlines"], toLogAt: path)
            checkEqual(answers.count, 3)
            for (index, answer) in answers.enumerated() {
                checkEqual(Array(answer.utf8), Array("entry \(3 * client + index + 1)".utf8))
            }
        }
        let entries = Array("one\0\0two\nlines\0".utf8)
        checkEqual(try log.value(), entries + entries + entries)
    }
]
