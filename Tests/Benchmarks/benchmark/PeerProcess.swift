// SPDX-License-Identifier: MIT OR Apache-2.0

import CBenchmark

/// This program, started again to be the other side.
struct PeerProcess {
    /// The numbers under which it finds what it was given.
    static let input: Int32 = 3
    static let output: Int32 = 4

    private let process: Int64

    /// Starts it.
    ///
    /// - Parameters:
    ///   - order: What it is to do.
    ///   - input: What becomes its descriptor 3; closed here.
    ///   - output: What becomes its descriptor 4; closed here.
    /// - Throws: When it cannot be started.
    init(_ order: Order, input: Int32 = -1, output: Int32 = -1) throws {
        defer {
            if input >= 0 { cb_close(input) }
            if output >= 0 { cb_close(output) }
        }
        process = try withArguments([CommandLine.arguments[0]] + order.arguments) {
            try check(cb_spawn($0, input, output), "starting the other process")
        }
    }

    /// Waits for its end.
    func finish() throws {
        let status = try check(cb_wait(process), "waiting for the other process")
        if status != 0 { throw Failure("the other process ended with status \(status)") }
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
