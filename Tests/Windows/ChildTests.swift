// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess
internal import CWindowsTests

// Programs that are started with one end of a stream: this one, once more.

private let variable = Array("INTERPROCESS_CHANNEL".utf8)

/// Starts this program with an end of a stream, and returns the other one.
private func startChild(
    _ argument: String,
    _ variables: [[UInt8]] = ChildBackend.variables(),
    output: Int64 = Int64(CIP_SAME)
) throws(IPCError) -> (stream: LocalSocketStream, number: Int64, core: DescriptorCore) {
    let (stream, theirs) = try LocalSocketStream.pair()
    let (number, core) = try ChildBackend.start(
        Array("tests.exe".utf8),
        [Array("echo-to-parent".utf8), Array(argument.utf8)],
        variables,
        standard: [Int64(CIP_NOTHING), output, Int64(CIP_SAME)],
        channel: theirs.descriptorCore.lent,
        named: variable
    )
    theirs.close()
    return (stream, number, core)
}

private func waitForEnd(_ core: DescriptorCore, _ number: Int64) throws(IPCError) -> Int64 {
    let lease = try core.lease(.receive, for: .wait)
    try core.wait(.receive, for: .wait, lease, until: Deadline(after: .seconds(20)))
    return cip_child_reap(core.descriptor, number)
}

/// What the program does that was started so: it tells its argument, and answers each line.
func echoToParent(_ argument: String) {
    guard let text = Environment["INTERPROCESS_CHANNEL"],
        let colon = text.firstIndex(of: UInt8(ascii: ":")),
        case let handle = Int64(decimal(text[..<colon])),
        ChildBackend.identity(of: handle) == decimal(text[(colon + 1)...]),
        let stream = try? LocalSocketStream(adopting: handle)
    else { return wt_exit(3) }
    do throws(IPCError) {
        try stream.writeAll(argument + "\n")
        while let line = try stream.readLine() { try stream.writeAll(line + "\n") }
        say("printed by a child")
        wt_exit(7)
    } catch { wt_exit(4) }
}

private func decimal(_ digits: ArraySlice<UInt8>) -> UInt64 {
    digits.reduce(0) { 10 * $0 + UInt64($1 - UInt8(ascii: "0")) }
}

let childTests = [
    Test("a program has the end of a stream that it is started with, and its end is told") { () throws(IPCError) in
        for argument in ["plain", "with blanks", "\"quoted\\\" and \\\\\"", "ends with \\", ""] {
            let (stream, number, core) = try startChild(argument)
            checkEqual(try stream.readLine(), argument)
            checkEqual(cip_child_reap(core.descriptor, number), -cip_codes.would_block)
            try stream.writeAll("hello\n")
            checkEqual(try stream.readLine(), "hello")
            stream.close()
            checkEqual(try waitForEnd(core, number), 7)
        }
    },
    Test("a program that is ended is an end of the stream") { () throws(IPCError) in
        let (stream, number, core) = try startChild("x")
        checkEqual(try stream.readLine(), "x")
        checkEqual(cip_child_end(core.descriptor, number, true), 0)
        check(try stream.readLine() == nil, "the end of the stream does not show")
        checkEqual(try waitForEnd(core, number), 1)
        checkEqual(cip_child_end(core.descriptor, number, true), 0)
    },
    Test("a program's output goes where it is to go") { () throws(IPCError) in
        let (sender, receiver) = try UnnamedPipe.create()
        let (stream, number, core) = try startChild("x", output: sender.descriptorCore.lent)
        sender.close()
        checkEqual(try stream.readLine(), "x")
        stream.close()
        checkEqual(try receiver.readLine(), "printed by a child")
        check(try receiver.readLine() == nil, "the end of the pipe does not show")
        checkEqual(try waitForEnd(core, number), 7)
    },
    Test("a program that is not there is not started") { () throws(IPCError) in
        let (one, other) = try LocalSocketStream.pair()
        do throws(IPCError) {
            _ = try ChildBackend.start(
                Array("none.exe".utf8),
                [],
                ChildBackend.variables(),
                standard: [Int64(CIP_SAME), Int64(CIP_SAME), Int64(CIP_SAME)],
                channel: other.descriptorCore.lent,
                named: variable
            )
            check(false, "it was started")
        } catch { check(error.code == .notFound, error.description) }
        one.close()
    },
]
