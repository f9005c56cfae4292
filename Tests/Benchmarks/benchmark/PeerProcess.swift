// SPDX-License-Identifier: MIT OR Apache-2.0

import CBenchmark

/// This program, started again to be the other side.
struct PeerProcess {
    /// The numbers under which it finds what it was given.
    static let input: Int32 = 3
    static let output: Int32 = 4

    let id: Int64

    /// Starts it.
    ///
    /// - Parameters:
    ///   - arguments: What it is to do.
    ///   - input: What becomes its descriptor 3; closed here.
    ///   - output: What becomes its descriptor 4; closed here.
    /// - Throws: When it cannot be started.
    init(_ arguments: [String], input: Int32 = -1, output: Int32 = -1) throws {
        defer {
            if input >= 0 { cb_close(input) }
            if output >= 0 { cb_close(output) }
        }
        id = try withArguments([CommandLine.arguments[0]] + arguments) {
            try check(cb_spawn($0, input, output), "starting the other process")
        }
    }

    /// Waits for its end.
    func finish() throws {
        let status = try check(cb_wait(id), "waiting for the other process")
        if status != 0 { throw Failure("the other process ended with status \(status)") }
    }
}

/// A pipe made in C, of which another process gets one end.
struct LentPipe {
    enum End: Int {
        case receiver
        case sender
    }

    let lent: Int32
    let kept: Int32

    init(lending end: End) throws {
        var ends: [Int32] = [-1, -1]
        try check(cb_pipe(&ends), "making a pipe")
        defer { cb_close(ends[end.rawValue]) }
        lent = try descriptor(cb_duplicate_high(ends[end.rawValue]), "duplicating")
        kept = ends[1 - end.rawValue]
    }
}

/// Lends an array of C strings, with a null behind the last.
private func withArguments<Value>(
    _ words: [String],
    _ body: (UnsafePointer<UnsafePointer<CChar>?>) throws -> Value
) throws -> Value {
    let strings = words.map { word in
        let bytes = word.utf8CString
        let copy = UnsafeMutableBufferPointer<CChar>.allocate(capacity: bytes.count)
        _ = copy.initialize(from: bytes)
        return copy
    }
    defer { for string in strings { string.deallocate() } }
    let pointers = strings.map { UnsafePointer<CChar>($0.baseAddress) } + [nil]
    return try pointers.withUnsafeBufferPointer { buffer in
        guard let base = buffer.baseAddress else { throw Failure("no arguments") }
        return try body(base)
    }
}
